"""Several labels in one cell: a list, the text of a list, or labels joined by ';', '|' or ','.

In: a cell. Out: the labels, each once, in their order. It decides cell by cell; whether a column holds several labels at all
is for the shape to say.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.cells import label_of, parsed

_JOINED = re.compile(r"\s*[;|]\s*")
_COMMAS = re.compile(r"\s*,\s*")


def labels_in(fields: Json, column: str | None) -> list[str] | Text:
    """The labels in a column; an empty text or list says that none fits."""
    if column is not None and fields.get(column) == "":
        return []
    value = as_list(fields.get(column)) if column is not None else None
    if not isinstance(value, list):
        one = label_of(fields, column)
        if isinstance(one, Text):
            return one
        value = joined_labels(one)
    found: list[str] = []
    for entry in value:
        label = label_of({"labels": entry}, "labels")
        if isinstance(label, Text):
            return Text(en=f"{label.en} (column '{column}')", ko=f"{label.ko}('{column}' 열)")
        found.append(label)
    return list(dict.fromkeys(label for label in found if label))


def as_list(value: Any) -> Any:
    """`value`, or the list that it is the text of, in JSON or as Python and pandas write one."""
    value = parsed(value)
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return value
    return value


def joined_labels(cell: str) -> list[str]:
    """Labels joined by ';' or '|', or by ',' where neither is there."""
    return [label for label in (_JOINED if _JOINED.search(cell) else _COMMAS).split(cell.strip()) if label]


def is_joined(cell: str) -> bool:
    return _JOINED.search(cell) is not None
