"""Delimited text as rows: finds out delimiter, quoting and header, and reads rows with the line that each begins in.

In: a text stream or a sample of one. Out: a `Dialect`, and rows or the reason why a row is broken. A quote that is never
closed costs only its own row: the lines that it would have swallowed are read again.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import islice

from sonmat.core.text import Text
from sonmat.reading.columns import KNOWN_NAMES
from sonmat.reading.encoding import TooLong, too_long_line

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 200
_LONGEST_FIELD = 10_000_000
"""Characters. A longer field is almost certainly an unclosed quote, and bounds the memory that one may cost."""
_LONGEST_NAME = 100
"""Characters. A longer first cell is a text and no column name."""


@dataclass(frozen=True)
class Dialect:
    """How a table is written. `header` tells whether its first row names the columns."""

    delimiter: str
    quote: str
    backslash: bool
    columns: tuple[str, ...]
    header: bool


@dataclass(frozen=True)
class Line:
    """One row as it stands: the line that it begins in, and its cells or the reason why it is broken."""

    number: int
    cells: tuple[str, ...] = ()
    problem: Text | None = None


def find_dialect(sample: str) -> Dialect:
    """The dialect in which the rows of `sample` have the most even number of cells."""
    # The commonest writing comes first and wins a tie.
    choices = (writing for delimiter in _DELIMITERS for writing in _writings(sample, delimiter))
    writing = max(choices, key=lambda choice: _evenness(sample, choice))
    rows = [line.cells for line in islice(read_lines(StringIO(sample, newline=""), writing), _SAMPLE_ROWS) if line.cells]
    header = bool(rows) and is_header(rows[0], rows[1:])
    width = len(rows[0]) if rows else 0
    columns = _named(rows[0]) if header else tuple(f"column_{number}" for number in range(1, width + 1))
    return Dialect(writing.delimiter, writing.quote, writing.backslash, columns, header)


@dataclass(frozen=True)
class _Writing:
    delimiter: str
    quote: str
    backslash: bool


def _writings(sample: str, delimiter: str) -> list[_Writing]:
    edge = re.escape(delimiter)
    opens = re.compile(rf'(?:^|{edge})"', re.MULTILINE)
    wrapped = re.compile(rf"(?:^|{edge})'[^'\n]*'(?={edge}|\r?$)", re.MULTILINE)
    single = opens.search(sample) is None and wrapped.search(sample) is not None
    quote = "'" if single else '"'
    escapes = (False, True) if f"\\{quote}" in sample else (False,)
    return [_Writing(delimiter, quote, backslash) for backslash in escapes]


def read_lines(lines: Iterable[str], writing: Dialect | _Writing, width: int | None = None) -> Iterator[Line]:
    """Every row that is not blank. With `width`, rows of another number of cells have a problem."""
    csv.field_size_limit(min(_LONGEST_FIELD, sys.maxsize))
    source = _Lines(lines)
    reader = _reader(source, writing)
    while True:
        source.taken.clear()
        cells = _next_row(reader, source)
        taken = source.taken
        if cells is None:
            return
        number = source.number - len(taken) + 1
        if isinstance(cells, Text):
            cells = _UNCLOSED if len(taken) > 1 else cells
            source.give_back_all_but_one()
            reader = _reader(source, writing)
            yield Line(number, problem=cells)
        elif len(cells) <= 1 and _is_blank(taken):
            continue
        elif width is not None and len(cells) != width:
            if len(taken) > 1 and any(_fits_alone(line, writing, width) for line in taken[1:]):
                source.give_back_all_but_one()
                yield Line(number, problem=_UNCLOSED)
            else:
                yield Line(number, problem=_ragged(len(cells), width))
        else:
            yield Line(number, tuple(cells))


class _Lines:
    """Lines that can be given back, so that a broken row costs no other row."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines = iter(lines)
        self.ahead: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0

    def give_back_all_but_one(self) -> None:
        self.ahead.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self.ahead.popleft() if self.ahead else next(self.lines)
        self.taken.append(line)
        self.number += 1
        if type(line) is TooLong:
            raise _LineTooLongError
        return line


class _LineTooLongError(Exception):
    """Ends the parsing of a row, because its next line cannot be read."""


def _next_row(reader: Iterator[list[str]], source: _Lines) -> list[str] | Text | None:
    """The cells, why they cannot be read, or None behind the last row."""
    try:
        return next(reader, None)
    except _LineTooLongError:
        return too_long_line()
    except csv.Error as error:
        if "expected after" in str(error):
            return Text(
                en='has a quote inside a quoted field; inside quotes write "" for "',
                ko='따옴표로 묶은 칸 안에 따옴표가 있습니다. 따옴표 안의 " 는 ""로 써야 합니다',
            )
        if "field larger" in str(error) and len(source.taken) == 1:
            return Text(
                en=f"has a cell of more than {_LONGEST_FIELD:,} characters, which is no single example",
                ko=f"{_LONGEST_FIELD:,}자를 넘는 칸이 있습니다. 예시 하나로 볼 수 없습니다",
            )
        return _UNCLOSED


def _reader(lines: Iterable[str], writing: Dialect | _Writing) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=writing.delimiter,
        quotechar=writing.quote,
        doublequote=not writing.backslash,
        escapechar="\\" if writing.backslash else None,
        strict=True,
    )


def _is_blank(lines: list[str]) -> bool:
    return not "".join(lines).strip(" \r\n")


_UNCLOSED = Text(en="opens a quote that is never closed", ko="열린 따옴표가 닫히지 않았습니다")


def _ragged(found: int, width: int) -> Text:
    fields = "1 field" if found == 1 else f"{found} fields"
    return Text(
        en=f"has {fields} where the table has {width} columns; a field with a delimiter in it needs quotes",
        ko=f"칸이 {found}개인데 표의 열은 {width}개입니다. 구분자가 들어 있는 칸은 따옴표로 묶어야 합니다",
    )


def _fits_alone(line: str, writing: Dialect | _Writing, width: int) -> bool:
    alone = _Lines([line])
    cells = _next_row(_reader(alone, writing), alone)
    return isinstance(cells, list) and len(cells) == width > 1


def _evenness(sample: str, writing: _Writing) -> float:
    """Share of rows with the commonest number of cells; 0 for a single column."""
    rows = list(islice(read_lines(StringIO(sample, newline=""), writing), _SAMPLE_ROWS))
    widths = Counter(len(line.cells) for line in rows if line.problem is None)
    width, count = widths.most_common(1)[0] if widths else (0, 0)
    return count / len(rows) if width > 1 else 0.0


def is_header(first: tuple[str, ...], rest: list[tuple[str, ...]]) -> bool:
    """Whether `first` names the columns of the rows in `rest`."""
    named = [cell.strip().casefold() for cell in first if cell.strip()]
    counted = [str(number) for number in range(len(named))]
    if all(name in KNOWN_NAMES for name in named) or (len(named) > 1 and named == counted):
        # Known names, or the numbers that pandas gives to columns without names.
        return bool(named)
    if any(len(cell) > _LONGEST_NAME or _is_number(cell) for cell in first) or not any(first):
        return False
    below = [{row[place] for row in rest if place < len(row)} for place in range(len(first))]
    return not any(cell and cell in values for cell, values in zip(first, below, strict=True))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _named(cells: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(cell.strip() or f"column_{number}" for number, cell in enumerate(cells, start=1))
