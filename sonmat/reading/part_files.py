"""Files of rows that lie in a folder of data: read by their ending, compressed or not.

In: a path. Out: records, whose source is named relative to the folder, with the part of the split they belong to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sonmat.core.values import Record
from sonmat.reading.arrow_file import read_arrow
from sonmat.reading.compressed import COMPRESSED_SUFFIXES, plain_file
from sonmat.reading.csv_file import read_csv
from sonmat.reading.json_file import read_json
from sonmat.reading.json_text import looks_like_one_document, read_json_lines
from sonmat.reading.parquet_file import read_parquet


def _read_any_json(path: Path) -> Iterator[Record]:
    return read_json(path) if looks_like_one_document(path) else read_json_lines(path)


_READERS: Mapping[str, Callable[[Path], Iterator[Record]]] = {
    ".parquet": read_parquet,
    ".arrow": read_arrow,
    ".jsonl": _read_any_json,
    ".ndjson": _read_any_json,
    ".csv": read_csv,
    ".tsv": read_csv,
    ".json": _read_any_json,
}
ROW_SUFFIXES = tuple(_READERS)
"""The likeliest to hold the rows come first."""
_COMPRESSIBLE = (".jsonl", ".ndjson", ".csv", ".tsv", ".json")


def row_suffix(path: Path) -> str | None:
    """The ending that tells how to read the rows of a file; None if there are none in it."""
    suffix = path.suffix.lower()
    if suffix in COMPRESSED_SUFFIXES:
        inner = path.with_suffix("").suffix.lower()
        return inner if inner in _COMPRESSIBLE else None
    return suffix if suffix in _READERS else None


def read_rows(path: Path, suffix: str) -> Iterator[Record]:
    """Every row of a file whose `row_suffix` is `suffix`.

    Raises:
        DataError: the file cannot be read.
    """
    with plain_file(path) as plain:
        yield from _READERS[suffix](plain)


def placed(record: Record, file: str, split: str | None) -> Record:
    """`record` as a row of `file` in a folder, with the part of the split that it belongs to, if there are several."""
    source = record.source.model_copy(update={"file": file})
    if split is None or record.problem is not None:
        return Record(source=source, fields=record.fields, problem=record.problem)
    return Record(source=source, fields={**record.fields, "split": split})
