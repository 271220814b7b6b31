"""Arrow IPC: files (also called Feather, version 2) and streams. Values become JSON values (see `sonmat.reading.columnar`); rows
are counted from 1."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.arrow_file import arrow_title, read_arrow
from sonmat.reading.columnar_writing import write_columns
from sonmat.runs.files import replacing


class Arrow:
    name = "arrow"
    title = Text(en="Arrow and Feather", ko="Arrow, Feather")
    suffixes: tuple[str, ...] = (".arrow", ".feather", ".arrows")
    holds: Holds = "json"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        return arrow_title(path)

    def read(self, path: Path) -> Iterator[Record]:
        return read_arrow(path)

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write one column a field of the first record; '.arrows' gets a stream, the others a file.

        Raises:
            DataError: rows have different fields, or values of different kinds in one field.
        """
        import pyarrow as pa

        new = pa.ipc.new_stream if path.suffix.lower() == ".arrows" else pa.ipc.new_file

        def finish(schema: Any, batches: Iterator[Any]) -> None:
            with replacing(path, binary=True) as stream, new(stream, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)

        write_columns(records, finish)


plugin = Arrow()
