"""Text of the user's data made fit to be quoted: control characters shown, long texts cut in two.

In: any string. Out: strings, not yet escaped; escaping is the template's.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

SHORT: Final = 400
"""Width of a quoted text that is seen without opening it, in Latin letters."""
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@dataclass(frozen=True)
class Quote:
    """The part that is seen at once, and all of it where that is longer."""

    head: str
    whole: str | None


def quote(text: str) -> Quote:
    """`text` with its head cut at a space near `SHORT`."""
    shown = printable(text)
    if width(shown) <= SHORT * 1.25:
        return Quote(shown, None)
    head = shortened(shown, SHORT).removesuffix("…")
    space = head.rfind(" ", len(head) - 30)
    return Quote((head[:space] if space > 0 else head).rstrip() + " …", shown)


def width(text: str) -> int:
    """Width in Latin letters; Korean, Chinese and Japanese ones count as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def shortened(text: str, most: int) -> str:
    """`text` in at most the width `most`, its end an ellipsis if anything was cut."""
    if width(text) <= most:
        return text
    kept, used = 0, 1
    for letter in text:
        used += width(letter)
        if used > most:
            break
        kept += 1
    return text[:kept].rstrip() + "…"


def printable(text: str) -> str:
    """`text` with what cannot be seen, or turns the reading direction, as U+FFFD; line breaks and tabs stay."""
    return "".join(
        "\ufffd" if letter in _BIDI or (unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t") else letter
        for letter in text.replace("\r\n", "\n")
    )
