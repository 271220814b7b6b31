"""Text of the user's data made fit to be quoted: control characters shown, long texts cut in two, common passages found.

In: any string. Out: strings and segments, not yet escaped; escaping is the template's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

SHORT: Final = 420
"""Letters of a quoted text that are seen without opening it."""
_SHORTEST_COMMON: Final = 2
_MOST_PIECES: Final = 1200
_PIECES: Final = re.compile(r"[가-힣\u3040-\u30ff\u4e00-\u9fff]|[^\W가-힣\u3040-\u30ff\u4e00-\u9fff]+|\s+|.", re.DOTALL)
_BIDI: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@dataclass(frozen=True)
class Quote:
    """The part that is seen at once, and all of it where that is longer."""

    head: str
    whole: str | None


@dataclass(frozen=True)
class Segment:
    text: str
    common: bool


def quote(text: str) -> Quote:
    """`text` with its head cut at a space near `SHORT` letters."""
    shown = printable(text)
    if len(shown) <= SHORT * 1.25:
        return Quote(shown, None)
    space = shown.rfind(" ", SHORT - 40, SHORT)
    return Quote(shown[: space if space > 0 else SHORT].rstrip() + " …", shown)


def printable(text: str) -> str:
    """`text` with what cannot be seen, or turns the reading direction, as U+FFFD; line breaks and tabs stay."""
    return "".join(
        "\ufffd" if letter in _BIDI or (unicodedata.category(letter) in ("Cc", "Cs") and letter not in "\n\t") else letter
        for letter in text.replace("\r\n", "\n")
    )


def segments(answer: str, right: str) -> list[Segment]:
    """`answer` cut where passages that also stand in `right`, in the same order, begin and end; very long ones stay whole."""
    pieces, wanted = _PIECES.findall(printable(answer)), _PIECES.findall(printable(right))
    if max(len(pieces), len(wanted)) > _MOST_PIECES:
        return [Segment("".join(pieces), False)]
    result: list[Segment] = []
    position = 0
    for block in SequenceMatcher(None, pieces, wanted, autojunk=False).get_matching_blocks():
        common = "".join(pieces[block.a : block.a + block.size])
        if block.size and len(common.strip()) < _SHORTEST_COMMON:
            continue
        before = "".join(pieces[position : block.a])
        result += [Segment(before, False)] if before else []
        result += [Segment(common, True)] if common else []
        position = block.a + block.size
    return result
