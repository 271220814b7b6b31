"""Dates and times as people write them, in ISO 8601, so that texts sort as times do.

In: a cell, and whether the column writes the day before the month. Out: '2024-01-31' or '2024-01-31T09:30:00'; nothing for what
is no time, or is two. A time with an offset from UTC becomes UTC; one without is taken as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

_YEAR_FIRST = re.compile(r"(\d{4})\s*[-./년]\s*(\d{1,2})\s*[-./월]\s*(\d{1,2})\s*[.일]?(?:[T\s]+(.+))?$")
_YEAR_LAST = re.compile(r"(\d{1,2})[-./](\d{1,2})[-./](\d{4})(?:[T\s]+(.+))?$")
_CLOCK = re.compile(r"(?:(오전|오후|[AaPp][Mm])\s*)?(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*([AaPp][Mm]))?$")
_SECONDS = re.compile(r"\d{9,10}(\.\d+)?$")
_MILLISECONDS = re.compile(r"\d{12,13}$")


def iso_time(value: Any, day_first: bool | None) -> str | None:
    """`value` in ISO 8601; None if it is no time, or may be 3 April as well as 4 March and `day_first` does not tell."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    text = str(value).strip()
    try:
        return _standard(text) or _since_1970(text) or _written_out(text, day_first)
    except (ValueError, OverflowError, OSError):
        return None


def writes_day_first(values: Iterable[Any]) -> bool | None:
    """Whether dates such as 31/01/2024 have the day first; None where no date of the column tells."""
    for value in values:
        match = _YEAR_LAST.match(value.strip()) if isinstance(value, str) else None
        if match is not None and (int(match[1]) > 12) != (int(match[2]) > 12):
            return int(match[1]) > 12
    return None


def _standard(text: str) -> str | None:
    if len(text) < 8 or (text.isdigit() and len(text) != 8):
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.date().isoformat() if len(text) <= 10 else _plain(found)


def _since_1970(text: str) -> str | None:
    if _SECONDS.match(text):
        return _plain(datetime.fromtimestamp(float(text), UTC))
    if _MILLISECONDS.match(text):
        return _plain(datetime.fromtimestamp(int(text) / 1000, UTC))
    return None


def _written_out(text: str, day_first: bool | None) -> str | None:
    match = _YEAR_FIRST.match(text)
    if match is not None:
        return _at(date(int(match[1]), int(match[2]), int(match[3])), match[4])
    match = _YEAR_LAST.match(text)
    if match is None:
        return None
    one, other, year = int(match[1]), int(match[2]), int(match[3])
    if day_first is None and one != other and max(one, other) <= 12:
        return None
    first = one > 12 or (day_first is True and other <= 12)
    return _at(date(year, other, one) if first else date(year, one, other), match[4])


def _at(day: date, clock: str | None) -> str | None:
    if clock is None or not clock.strip():
        return day.isoformat()
    match = _CLOCK.match(clock.strip())
    if match is None:
        return None
    half = (match[1] or match[5] or "").casefold()
    hour = int(match[2])
    if half:
        hour = hour % 12 + (12 if half in ("오후", "pm") else 0)
    return datetime(day.year, day.month, day.day, hour, int(match[3]), int(match[4] or 0)).isoformat()


def _plain(found: datetime) -> str:
    if found.tzinfo is not None:
        found = found.astimezone(UTC).replace(tzinfo=None)
    return found.isoformat()
