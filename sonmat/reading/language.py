"""Which languages texts are in, as far as their scripts tell.

In: texts. Out: language codes, commonest first. Latin script counts as English and a Han-only text as Chinese: this chooses
a default base model, it is not a language detector.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
