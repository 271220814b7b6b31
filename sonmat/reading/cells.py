"""One field of a row as text or label.

In: the fields of a row and a column's name. Out: a string, or the reason why there is none. Nothing is trimmed here: that
labels differ in white space is for the audit to find.
"""

from __future__ import annotations

from typing import Any

from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.json_text import kind_of


def text_of(fields: Json, column: str | None) -> str | Text:
    """The field as a text; numbers are written out."""
    if column is None or fields.get(column) is None:
        return _missing(column)
    return _written(column, fields[column])


def label_of(fields: Json, column: str | None) -> str | Text:
    """The field as a label; 1.0 becomes '1', because tables with gaps turn whole numbers into fractions."""
    if column is None or fields.get(column) is None:
        return _missing(column)
    value = fields[column]
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _written(column, value)


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
