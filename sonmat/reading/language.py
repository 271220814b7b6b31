"""Which languages texts are in, as far as their scripts tell.

In: texts. Out: language codes. `languages_of` chooses a default base model: Latin script counts as English there and a Han-only
text as Chinese. `language_of` judges one text and says nothing where it cannot know; Latin script is 'latin' for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import Literal

_SCRIPTS = {
    "ko": re.compile("[가-힣ㄱ-ㆎ]"),
    "en": re.compile("[A-Za-zÀ-ɏ]"),
    "ja": re.compile("[ぁ-ヿ]"),
    "zh": re.compile("[一-鿿]"),
}
_LETTERS_PER_SIGN = {"ko": 2.5, "en": 1.0, "ja": 2.0, "zh": 3.0}
"""Latin letters that say about as much as one sign of the script, so that an English brand name does not outweigh a
Korean sentence."""
_SHARE = 0.2
"""A language counts if it has at least this share of the text."""

Script = Literal["ko", "latin", "ja", "zh", "cyrillic", "arabic", "greek", "hebrew", "thai", "devanagari"]

_RUNS: dict[Script, re.Pattern[str]] = {
    "ko": re.compile("[가-힣]+"),
    "ja": re.compile("[ぁ-ゖァ-ヺ]+"),
    "zh": re.compile("[一-鿿]+"),
    "cyrillic": re.compile("[Ѐ-ӿ]+"),
    "arabic": re.compile("[ء-ۓ]+"),
    "greek": re.compile("[Ͱ-Ͽἀ-῿]+"),
    "hebrew": re.compile("[א-ת]+"),
    "thai": re.compile("[ก-๏]+"),
    "devanagari": re.compile("[ऀ-ॿ]+"),
}
_LATIN_RUN = re.compile("[A-Za-zÀ-ɏ]+")
_NEITHER_KOREAN_NOR_LATIN = re.compile("[Ͱ-\u1fff\u3040-ヿ㐀-鿿]")
"""Every script of `_RUNS` but Hangul lies in here."""
_MARKS = ".,!?;:'\"()"
_CODE = str.maketrans("", "", "{}()<>=;$\\|#`_/")
_FEWEST_SIGNS = 4
_FEWEST_LATIN_LETTERS = 20
_FEWEST_LATIN_WORDS = 4
_CODE_SHARE = 0.05
_MOST_CHARACTERS = 200
"""Of the beginning, which tell as much as the whole."""


def languages_of(texts: Iterable[str]) -> tuple[str, ...]:
    """'ko', 'en', 'ja', 'zh', 'other': those with at least 20 % of the text, commonest first; () for no letters at all."""
    weights = dict.fromkeys([*_SCRIPTS, "other"], 0.0)
    for text in texts:
        letters = sum(character.isalpha() for character in text)
        for language, script in _SCRIPTS.items():
            found = len(script.findall(text))
            weights[language] += found * _LETTERS_PER_SIGN[language]
            letters -= found
        weights["other"] += max(letters, 0)
    if weights["ja"]:
        # Japanese is written with Han signs between the kana.
        weights["ja"] += weights.pop("zh")
    total = sum(weights.values())
    ranked = sorted(weights.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(language for language, weight in ranked if total and weight / total >= _SHARE)


def language_of(text: str) -> Script | None:
    """The language or script that nearly all of `text` is written in; None for short, mixed and coded texts.

    Korean with foreign names is Korean. A text in Latin script needs 20 letters and four words in small letters, so that
    names of products and commands are none.
    """
    start = text[:_MOST_CHARACTERS]
    if start.isascii():
        return "latin" if _is_prose(start, len(start)) else None
    hangul = _signs("ko", start)
    # A Korean sentence may quote anything; one sign counts for two and a half letters.
    if hangul >= _FEWEST_SIGNS and hangul * _LETTERS_PER_SIGN["ko"] >= len(start) * 0.6:
        return "ko"
    return _language_by_counts(start, hangul)


def _language_by_counts(text: str, hangul: int) -> Script | None:
    signs: dict[Script, int] = dict.fromkeys(_RUNS, 0)
    if _NEITHER_KOREAN_NOR_LATIN.search(text):
        signs = {script: _signs(script, text) for script in _RUNS}
    signs["ko"] = hangul
    latin = sum(map(len, _LATIN_RUN.findall(text)))
    if signs["ja"]:
        signs["ja"] += signs.pop("zh")
    weighted = {script: count * _LETTERS_PER_SIGN.get(script, 1.0) for script, count in signs.items()}
    total = sum(weighted.values()) + latin
    best = max(signs, key=lambda script: weighted[script])
    if signs[best] >= _FEWEST_SIGNS and weighted[best] >= 0.6 * total:
        return best
    return "latin" if latin >= 0.95 * total and _is_prose(text, latin) else None


def _signs(script: Script, text: str) -> int:
    return sum(map(len, _RUNS[script].findall(text)))


def _is_prose(text: str, letters: int) -> bool:
    """Whether it is sentences in Latin script: no names, codes, paths or commands."""
    if letters < _FEWEST_LATIN_LETTERS or text.count(" ") < _FEWEST_LATIN_WORDS - 1:
        return False
    small = (word for word in text.split() if word.islower() and len(word) > 1 and word.strip(_MARKS).isalpha())
    enough = sum(1 for _ in islice(small, _FEWEST_LATIN_WORDS)) == _FEWEST_LATIN_WORDS
    return enough and len(text) - len(text.translate(_CODE)) <= _CODE_SHARE * len(text)
