"""One field of a row as text, label, number or list.

In: the fields of a row and a column's name. Out: the value, or the reason why there is none. Nothing is trimmed here: that
labels differ in white space is for the audit to find.
"""

from __future__ import annotations

import math
from typing import Any

from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.json_text import decoder, kind_of


def text_of(fields: Json, column: str | None) -> str | Text:
    """The field as a text; numbers are written out."""
    value = fields.get(column) if column is not None else None
    if value.__class__ is str:
        return value
    if column is None or value is None:
        return _missing(column)
    return _written(column, value)


def file_of(fields: Json, column: str | None) -> str | Text:
    """The field as the name of a file."""
    name = text_of(fields, column)
    if name == "":
        return Text(en=f"names no file in '{column}'", ko=f"'{column}' 칸에 파일 이름이 없습니다")
    return name


def label_of(fields: Json, column: str | None) -> str | Text:
    """The field as a label; 1.0 becomes '1', because tables with gaps turn whole numbers into fractions."""
    if column is None or fields.get(column) is None:
        return _missing(column)
    value = fields[column]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _written(column, value)


def number_of(fields: Json, column: str | None) -> float | Text:
    """The field as a number; a whole one too is a float."""
    value = fields.get(column) if column is not None else None
    if column is None or value is None or value == "":
        return _missing(column)
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if math.isfinite(number):
        return number
    shown = f"'{value[:40]}'" if isinstance(value, str) else None
    found = Text(en=shown, ko=shown) if shown else kind_of(value)
    return Text(
        en=f"has {found.en} in '{column}' where a number is expected",
        ko=f"'{column}' 칸의 값이 숫자가 아니라 {found.ko}입니다",
    )


def list_of(fields: Json, column: str | None) -> list[Any] | Text:
    """The field as a list, also where a table holds it as JSON text."""
    value = parsed(fields.get(column)) if column is not None else None
    if column is None or value is None or value == "":
        return _missing(column)
    if isinstance(value, list):
        return value
    found = kind_of(value)
    return Text(
        en=f"has {found.en} in '{column}' where a list is expected",
        ko=f"'{column}' 칸의 값이 목록이 아니라 {found.ko}입니다",
    )


def parsed(value: Any) -> Any:
    """`value`, or what it says if it is the JSON text of a list or object: tables have no other way to hold one."""
    if not isinstance(value, str) or value[:1] not in ("[", "{"):
        return value
    try:
        return decoder.decode(value)
    except (ValueError, RecursionError):
        return value


def _written(column: str, value: Any) -> str | Text:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    found = kind_of(value)
    return Text(
        en=f"has {found.en} in '{column}' where text is expected",
        ko=f"'{column}' 칸의 값이 글이 아니라 {found.ko}입니다",
    )


def _missing(column: str | None) -> Text:
    return Text(en=f"has nothing in '{column}'", ko=f"'{column}' 칸이 비어 있습니다")
