"""Text of the user's data made fit to be quoted: control characters shown, long texts cut in two, common passages found.

In: any string. Out: strings and segments, not yet escaped; escaping is the template's.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

SHORT: Final = 400
"""Width of a quoted text that is seen without opening it, in Latin letters."""
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
