"""Parquet: typed columns in one file. Values become JSON values (see `sonmat.reading.columnar`); rows are counted from 1.

Class numbers of Hugging Face features become the classes' names, and pictures or sounds inside the table become files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.columnar_writing import write_columns
from sonmat.reading.parquet_file import parquet_title, read_parquet
from sonmat.runs.files import replacing


class Parquet:
    name = "parquet"
    title = Text(en="Parquet", ko="Parquet")
    suffixes: tuple[str, ...] = (".parquet",)
    holds: Holds = "json"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        return parquet_title(path)

    def read(self, path: Path) -> Iterator[Record]:
        return read_parquet(path)

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write one column a field of the first record.

        Raises:
            DataError: rows have different fields, or values of different kinds in one field.
        """
        import pyarrow.parquet as pq

        def finish(schema: Any, batches: Iterator[Any]) -> None:
            with replacing(path, binary=True) as stream, pq.ParquetWriter(stream, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)

        write_columns(records, finish)


plugin = Parquet()
