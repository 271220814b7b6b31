"""A first look at all rows of a source: how many there are, which columns, a sample, and which fields come together.

In: a format and a path. Out: a `Survey`. It keeps some thousand rows at most and does not know tasks or shapes.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.protocols import Emit, Format, Table
from sonmat.core.text import Text
from sonmat.core.values import Json, Record, Source

SHOWN_ROWS = 5
"""Rows that a message lists before it only counts them."""
_SAMPLE_ROWS = 1000
_MOST_LAYOUTS = 200
"""Where more different sets of fields than this come, fields are left out at will and tell nothing."""
_REPORT_EVERY_SECONDS = 1.0
_LOOK_AT_CLOCK_EVERY = 256
"""Rows."""


@dataclass
class Layout:
    """Rows that have the same fields filled."""

    rows: int = 0
    places: list[Source] = field(default_factory=list)
    """Of the first few."""
    sample: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Survey:
    """What was seen of a source: every column in order of appearance, and a sample from all over it."""

    rows: int
    table: Table
    problems: tuple[Record, ...]
    """The first few rows that could not be read."""
    layouts: tuple[Layout, ...]
    """One a set of filled fields, commonest first; none where there are too many."""


def survey(format: Format, path: Path, emit: Emit) -> Survey:
    """Read every row once and keep a random sample that depends on nothing but the number of rows.

    Raises:
        DataError: the container cannot be read, or holds no row at all.
    """
    chance = random.Random(0)
    columns: dict[str, None] = {}
    sample: list[tuple[int, Json]] = []
    problems: list[Record] = []
    layouts: dict[tuple[str, ...], Layout] = {}
    rows = usable = 0
    reported = time.monotonic()
    for record in format.read(path):
        rows += 1
        if rows % _LOOK_AT_CLOCK_EVERY == 0 and time.monotonic() - reported >= _REPORT_EVERY_SECONDS:
            reported = time.monotonic()
            emit("progress", _LOOKING, done=rows, total=None, seconds_left=None)
        if record.problem is not None:
            problems += [record] * (len(problems) < SHOWN_ROWS)
            continue
        fields = record.fields
        _note_layout(layouts, columns, record)
        usable += 1
        place = usable - 1 if usable <= _SAMPLE_ROWS else chance.randrange(usable)
        if place >= _SAMPLE_ROWS:
            continue
        if place == len(sample):
            sample.append((rows, fields))
        else:
            sample[place] = (rows, fields)
    if not rows:
        raise _no_rows(path)
    sample.sort(key=lambda entry: entry[0])
    ranked = sorted(layouts.values(), key=lambda layout: -layout.rows) if len(layouts) <= _MOST_LAYOUTS else []
    return Survey(rows, Table(tuple(columns), tuple(fields for _, fields in sample)), tuple(problems), tuple(ranked))


_LOOKING = Text(en="Looking at the rows", ko="행을 살펴보는 중")


def _note_layout(layouts: dict[tuple[str, ...], Layout], columns: dict[str, None], record: Record) -> None:
    filled = tuple([name for name, value in record.fields.items() if value is not None])
    layout = layouts.get(filled)
    if layout is None:
        columns.update(dict.fromkeys(record.fields))
        if len(layouts) > _MOST_LAYOUTS:
            return
        layout = layouts[filled] = Layout()
    elif len(filled) < len(record.fields):
        columns.update(dict.fromkeys(record.fields))
    layout.rows += 1
    if len(layout.sample) < SHOWN_ROWS:
        layout.places.append(record.source)
        layout.sample.append(record.fields)


def _no_rows(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} has no rows.", ko=f"{path}에 행이 없습니다."),
        Text(
            en="Put one example a row into it, or name another file.",
            ko="한 행에 예시 하나씩 넣거나 다른 파일을 지정하세요.",
        ),
    )
