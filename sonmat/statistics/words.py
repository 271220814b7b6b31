"""The words of a text, for measures that compare texts word by word.

In: texts of any language. Out: lower-case words without punctuation. Korean is cut into morphemes by kiwipiepy, so that a
right stem with another ending still counts; Chinese characters and Japanese kana, written without spaces, count one by one;
everything else is cut where letters, marks and digits end. It neither stems nor drops stop words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

_HANGUL: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def words_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of every text, in order. Loads the Korean analyser, about two seconds once, if any text is Korean."""
    clean = [_LONE_SURROGATE.sub(" ", unicodedata.normalize("NFC", text)) for text in texts]
    korean = [place for place, text in enumerate(clean) if _HANGUL.search(text)]
    found = {place: _spelt_words(text) for place, text in enumerate(clean) if place not in set(korean)}
    if korean:
        analysed = _korean_analyser().tokenize([clean[place] for place in korean])
        for place, tokens in zip(korean, analysed, strict=True):
            found[place] = tuple(token.form.lower() for token in tokens if any(map(str.isalnum, token.form)))
    return [found[place] for place in range(len(clean))]


def one_line(text: str) -> str:
    """`text` in Unicode's composed form with every stretch of white space as one space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _spelt_words(text: str) -> tuple[str, ...]:
    spaced = "".join(_piece(character) for character in text.lower())
    return tuple(spaced.split())


def _piece(character: str) -> str:
    if _UNSPACED.match(character):
        return f" {character} "
    # Marks belong to the letter before them: vowel signs of Hindi and Thai, accents that have no composed form.
    return character if unicodedata.category(character)[0] in "LMN" else " "


@cache
def _korean_analyser() -> Kiwi:
    from kiwipiepy import Kiwi

    return Kiwi(num_workers=1)
