"""Mending the texts of a row: the same function on every string of its input and target.

In: a row and what mends a text. Out: the `Repair` that the audit does if the recipe says so. Roles, paths of media and the names
of fields stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sonmat.core.values import Example, Repair

_NO_TEXTS = frozenset({"role", "image", "audio"})
"""Fields whose strings are no text that anybody wrote."""


def repaired(value: Any, mend: Callable[[str], str]) -> Any:
    """`value`, an input or target, with `mend` done on every text in it."""
    if isinstance(value, str):
        return mend(value)
    if isinstance(value, dict):
        return {name: part if name in _NO_TEXTS else repaired(part, mend) for name, part in value.items()}
    if isinstance(value, list):
        return [repaired(part, mend) for part in value]
    return value


def repair_of(example: Example, mend: Callable[[str], str]) -> Repair | None:
    """What `mend` makes of the row; None where it changes nothing."""
    input, target = repaired(example.input, mend), repaired(example.target, mend)
    if input == example.input and target == example.target:
        return None
    return Repair(
        row=example.id,
        input=input if input != example.input else None,
        target=target if target != example.target else None,
    )
