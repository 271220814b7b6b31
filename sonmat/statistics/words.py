"""The words of a text, for measures that compare texts word by word.

In: texts of any language. Out: lower-case words without punctuation. Korean is cut into morphemes by kiwipiepy, so that a
right stem with another ending still counts; Chinese characters and Japanese kana, written without spaces, count one by one;
everything else is cut where letters, marks and digits end. It neither stems nor drops stop words. Morphemes are remembered,
because several measures of several arms ask for the same references.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

_HANGUL: Final = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]")
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_EASTERN: Final = re.compile(f"{_HANGUL.pattern}|{_UNSPACED.pattern}")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_FOREIGN: Final = re.compile(r"[0-9A-Za-z\u00c0-\u024f]+")
"""Words in Latin letters and digits, in a text that is Korean otherwise."""
_CONTENT_TAGS: Final = ("NNG", "NNP", "NR", "VV", "VA", "MAG", "XR", "SL", "SH", "SN", "UN")
"""Beginnings of Kiwi's tags of nouns, verbs, adjectives, adverbs, roots, foreign words, Chinese characters and numbers."""
_LIGHT_STEMS: Final = frozenset({"하", "되", "있"})
"""Verbs that nearly every Korean sentence has."""
_FUNCTION_WORDS: Final = (
    "a an and are as at be been but by can could did do does for from had has have how i if in into is it its me my no not of "
    "on or our she he so such than that the their them then there these they this those to us was we were what when where "
    "which who why will with would you your"
)
_SAYING_NOTHING: Final = frozenset(_FUNCTION_WORDS.split())
_MOST_REMEMBERED: Final = 2_000_000
"""Characters of Korean text whose morphemes are kept, about 200 MB at most."""


def words_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of every text, in order. Loads the Korean analyser, about two seconds once, if any text is Korean."""
    clean = [_clean(text) for text in texts]
    korean = _morphemes(clean)
    return [
        tuple(form.lower() for form in korean[text] if any(map(str.isalnum, form)))
        if text in korean
        else _spelt_words(text)
        for text in clean
    ]


def tokens_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """As `words_of`, but with punctuation and case, for BLEU: what is not Korean is cut as sacreBLEU's '13a' does."""
    from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a

    tokenizer = Tokenizer13a()
    clean = [_clean(text) for text in texts]
    korean = _morphemes(clean)
    return [korean[text] if text in korean else tuple(tokenizer(_UNSPACED.sub(r" \g<0> ", text)).split()) for text in clean]


def content_words_of(texts: Sequence[str]) -> list[tuple[str, ...]]:
    """The words of every text that carry its meaning, in order: no particles, endings or function words."""
    clean = [_clean(text) for text in texts]
    korean = {place for place, text in enumerate(clean) if _HANGUL.search(text)}
    found = {place: _content_of(_spelt_words(text)) for place, text in enumerate(clean) if place not in korean}
    if korean:
        places = sorted(korean)
        analysed = _korean_analyser().tokenize([clean[place] for place in places])
        for place, tokens in zip(places, analysed, strict=True):
            meant = [token for token in tokens if token.tag.startswith(_CONTENT_TAGS) and token.form not in _LIGHT_STEMS]
            own = [
                (token.start, word) for token in meant if _EASTERN.search(token.form) for word in _spelt_words(token.form)
            ]
            # The analyser cuts addresses and names such as www.debian.org within their words.
            foreign = [(match.start(), match.group().lower()) for match in _FOREIGN.finditer(clean[place])]
            found[place] = _content_of(word for _, word in sorted(own + foreign, key=lambda entry: entry[0]))
    return [found[place] for place in range(len(clean))]


def one_line(text: str) -> str:
    """`text` in Unicode's composed form with every stretch of white space as one space and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def _clean(text: str) -> str:
    return _LONE_SURROGATE.sub(" ", unicodedata.normalize("NFC", text))


def _morphemes(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Of every text with Hangul in it; white space is none."""
    korean = list(dict.fromkeys(text for text in texts if _HANGUL.search(text)))
    found = {text: _remembered[text] for text in korean if text in _remembered}
    new = [text for text in korean if text not in found]
    if new:
        for text, tokens in zip(new, _korean_analyser().tokenize(new), strict=True):
            found[text] = tuple(form for token in tokens if (form := token.form.strip()))
        if sum(map(len, _remembered)) + sum(map(len, new)) > _MOST_REMEMBERED:
            _remembered.clear()
        if sum(map(len, new)) <= _MOST_REMEMBERED:
            _remembered.update({text: found[text] for text in new})
    return found


_remembered: dict[str, tuple[str, ...]] = {}


def _content_of(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(_singular(word) for word in words if word not in _SAYING_NOTHING)


def _singular(word: str) -> str:
    """A plural of Latin script without its ending: the S stemmer of Harman 1991, "How effective is suffixing?"."""
    if not word.isascii() or len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return f"{word[:-3]}y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]


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
