"""Texts that a spreadsheet would run as formulas, guarded in tables of plain text and read back without the guard.

In: a text. Out: a text. A cell that begins with = + - @, a tab or a carriage return is a formula to Excel and its like when a
CSV file is opened, and a formula can send data away. An apostrophe before it keeps it a text. Texts that begin with apostrophes
before such a sign get one more, so that reading gives every text back exactly. Plain numbers such as -5 stay as they are.
A table from elsewhere whose cells are guarded in this way, as is common advice, loses the guards when it is read.
"""

from __future__ import annotations

import re

_FIRST_SIGNS = frozenset("=+-@\t\r'")
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d+)*|\.\d+)([eE][+-]?\d+)?%?")


def guarded(text: str) -> str:
    """`text` as it may stand in a cell of a CSV file."""
    return f"'{text}" if text[:1] in _FIRST_SIGNS and _would_run(text) else text


def unguarded(cell: str) -> str:
    """The text that `guarded` made `cell` of."""
    return cell[1:] if cell[:1] == "'" and _would_run(cell[1:]) else cell


def _would_run(text: str) -> bool:
    return _FORMULA.match(text) is not None and _NUMBER.fullmatch(text) is None
