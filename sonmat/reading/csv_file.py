"""A file of delimited text as records. Delimiter, quoting, header and encoding are found out.

In: a path. Out: records, every cell a text; rows that are broken, damaged or too long carry a problem. Guards against formulas
are taken off (see `formulas`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sonmat.core.values import Record, Source
from sonmat.reading.csv_text import Dialect, Line, find_dialect, read_lines
from sonmat.reading.encoding import (
    Encoding,
    bounded_lines,
    damaged_text,
    find_encoding,
    has_zero_byte,
    is_damaged,
    open_text,
)
from sonmat.reading.formulas import unguarded
from sonmat.reading.table_names import refuse_repeated_names

_SAMPLE_CHARACTERS = 1 << 18


def read_csv(path: Path) -> Iterator[Record]:
    """Every row below the header in order.

    Raises:
        DataError: the file is no text, is empty, or has two columns of one name.
    """
    encoding = find_encoding(path)
    dialect = dialect_of(path, encoding)
    with open_text(path, encoding) as stream:
        lines = read_lines(bounded_lines(stream), dialect, width=len(dialect.columns))
        if dialect.header:
            header = next(lines)
            if header.problem is not None:
                yield _record(path, header, dialect.columns, encoding)
        for line in lines:
            yield _record(path, line, dialect.columns, encoding)


def dialect_of(path: Path, encoding: Encoding) -> Dialect:
    """How the table is written.

    Raises:
        DataError: two columns have the same name.
    """
    with open_text(path, encoding) as stream:
        sample = stream.read(_SAMPLE_CHARACTERS)
        if stream.read(1):
            # The last line of the sample may be cut off.
            sample = sample[: sample.rfind("\n") + 1] or sample
    found = find_dialect(sample)
    dialect = replace(found, columns=tuple(map(unguarded, found.columns)))
    refuse_repeated_names(path, dialect.columns)
    return dialect


def _record(path: Path, line: Line, columns: tuple[str, ...], encoding: Encoding) -> Record:
    source = Source(file=path.name, row=line.number)
    if line.problem is not None:
        return Record(source=source, problem=line.problem)
    cells = line.cells
    together = "".join(cells)
    if is_damaged(together, encoding):
        return Record(source=source, problem=damaged_text(encoding))
    if "\0" in together:
        return Record(source=source, problem=has_zero_byte())
    if "'" in together:
        cells = tuple(map(unguarded, cells))
    return Record(source=source, fields=dict(zip(columns, cells, strict=True)))
