"""Text as recognisers read it: full-width and foreign digits as ASCII ones, every dash a hyphen, invisible characters gone.

In: any text. Out: the plain text and, for each of its characters, where it stands in the original, so that a span found in one
can be cut out of the other. It changes no text of the user.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_ODD: Final = re.compile(r"[^\x00-\x7e가-힣ㄱ-ㅞㅢ-ㅣ\u3001\u3002\u2018-\u201d\u2026]")
"""Anything but ASCII, composed Hangul and common punctuation might stand for another character; U+3161 (ㅡ) is typed as a dash."""
_CLUSTER: Final = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|.", re.DOTALL)
"""A Korean syllable in its parts (as file names of some systems have it), or one character."""
_DASHES: Final = frozenset("\u3161\u30fc\u2212\u2043\u02d7\u00ad\ufe63\uff0d\u2500\u2501")
_NOT_SEEN: Final = frozenset("\u00ad\u034f\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff")


@dataclass(frozen=True, slots=True)
class Plain:
    text: str
    starts: tuple[int, ...] | None = None
    """Where each character begins in the original; None where nothing was changed."""
    ends: tuple[int, ...] | None = None

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Where `start` to `end` of the plain text lies in the original."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def plain(text: str) -> Plain:
    """`text` as recognisers read it."""
    if not _ODD.search(text):
        return Plain(text)
    letters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        letter = _plain_letter(cluster[0])
        if letter:
            letters.append(letter)
            starts.append(cluster.start())
            ends.append(cluster.end())
    return Plain("".join(letters), tuple(starts), tuple(ends))


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    """One character, or '' for one that is not seen."""
    if len(letter) > 1:
        return unicodedata.normalize("NFC", letter)
    if letter.isascii():
        return letter
    category = unicodedata.category(letter)
    if letter in _NOT_SEEN or category == "Cf" or "\ufe00" <= letter <= "\ufe0f":
        return ""
    if letter in _DASHES or category == "Pd":
        return "-"
    if category == "Zs":
        return " "
    if category == "Nd":
        return str(unicodedata.decimal(letter))
    same = unicodedata.normalize("NFKC", letter)
    return same if len(same) == 1 else letter
