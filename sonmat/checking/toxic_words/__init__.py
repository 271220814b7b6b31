"""Profanity, slurs, sexual words and threats in Korean and English, from the lists beside this file.

In: texts. Out: the category of what they hold and a masked word. Words count as words: '시발점' and 'Scunthorpe' are none. Usual
disguises are seen through (spaces, digits, signs and repeated letters inside a word, consonants alone). It knows no context:
an insult that is quoted is found, one without a bad word is not.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal, cast, get_args

from sonmat.checking.gist import gist_of
from sonmat.core.watching import Rows

Category = Literal["profanity", "slur", "sexual", "threat"]

_MOST_WORDS_REMEMBERED = 200_000
_MOST_APART = 4


@dataclass(frozen=True)
class Toxic:
    category: Category
    masked: str
    """The first letter, then asterisks."""


@dataclass
class _Language:
    """A word list, sorted by how its entries match a word."""

    whole: dict[str, Category] = field(default_factory=dict)
    beginnings: dict[str, Category] = field(default_factory=dict)
    anywhere: dict[str, Category] = field(default_factory=dict)
    phrases: dict[tuple[str, ...], Category] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)


class ToxicWords:
    """Both lists, and the words that were looked at already."""

    def __init__(self) -> None:
        self._english, self._korean = _read("english"), _read("korean")
        # '*' marks beginnings in English, where most entries are whole words; '^' in Korean, where endings follow.
        self._starts = tuple(self._english.beginnings)
        self._anywhere = _any_of(self._korean.anywhere)
        self._harmless = _any_of(self._korean.harmless)
        self._phrases = {**self._english.phrases, **self._korean.phrases}
        korean = {**self._korean.anywhere, **self._korean.beginnings, **self._korean.whole}
        self._short = {word: category for word, category in korean.items() if 2 <= len(word) <= _MOST_APART}
        """What may be spelt with a space behind every syllable."""
        self._judged: dict[str, Toxic | None] = {}

    def in_rows(self, rows: Rows) -> Iterator[tuple[int, Toxic]]:
        """Place and first toxic word of every row that has one."""
        gist = gist_of(rows)
        words = gist.words
        toxic = {word for word in words if self._judge(word) is not None}
        phrases = [
            phrase
            for phrase in self._phrases
            if words.issuperset(phrase[:-1]) and f" {phrase[-2]} {phrase[-1]}" in gist.flat
        ]
        apart = any(words.issuperset(word) and f" {' '.join(word)}" in gist.flat for word in self._short)
        if not (toxic or phrases or apart):
            return
        for at, text in enumerate(rows.texts):
            found = self._in_words(text.lower().split(), toxic, phrases, apart)
            if found:
                yield at, found

    def _in_words(self, words: list[str], toxic: set[str], phrases: Sequence[tuple[str, ...]], apart: bool) -> Toxic | None:
        if not toxic.isdisjoint(words):
            return next(found for word in words if (found := self._judge(word)))
        for phrase in phrases:
            if phrase[-2] in words and (place := _place(phrase, words)) is not None:
                return Toxic(self._phrases[phrase], _masked(words[place]))
        for joined in _spelt_apart(words) if apart else ():
            if category := self._short.get(joined):
                return Toxic(category, _masked(joined))
        return None

    def _judge(self, word: str) -> Toxic | None:
        """What is toxic about one word between spaces; remembered, because most words come again."""
        if word in self._judged:
            return self._judged[word]
        if len(self._judged) >= _MOST_WORDS_REMEMBERED:
            self._judged.clear()
        bare = word.strip(_EDGES)
        category = None
        if _HANGUL.search(bare):
            category = self._korean_category(bare) or next(
                filter(None, map(self._english_category, _LATIN.findall(bare))), None
            )
        elif not bare.isdigit():
            category = self._english_category(bare)
        self._judged[word] = Toxic(category, _masked(bare)) if category else None
        return self._judged[word]

    def _english_category(self, word: str) -> Category | None:
        english = self._english
        for form in _english_forms(word):
            if form in english.harmless:
                return None
            if form in english.whole:
                return english.whole[form]
            if form.startswith(self._starts):
                return next(category for start, category in english.beginnings.items() if form.startswith(start))
        if "*" in word and _STARRED.fullmatch(word):
            hidden = re.compile(word.replace("*", "[a-z]"))
            return next((english.whole.get(stem, "profanity") for stem in _STARRED_STEMS if hidden.fullmatch(stem)), None)
        return None

    def _korean_category(self, word: str) -> Category | None:
        korean = self._korean
        for form in _korean_forms(word):
            cleared = self._harmless.sub(" ", form)
            category = korean.whole.get(cleared) or next(
                (category for start, category in korean.beginnings.items() if cleared.startswith(start)), None
            )
            if category:
                return category
            if found := self._anywhere.search(cleared):
                return korean.anywhere[found.group()]
            for run in _JAMO_RUN.findall(cleared):
                if run in korean.whole:
                    return korean.whole[run]
        return None


@cache
def toxic_words() -> ToxicWords:
    """The lists, read once."""
    return ToxicWords()


_EDGES = " .,!?~…'\"()[]{}<>:;·“”‘’「」『』*_-#/\\|`=+^"
_HANGUL = re.compile("[가-힣ㄱ-ㅣ]")
_LATIN = re.compile("[a-z@$!*01']+")
_JAMO_RUN = re.compile("[ㄱ-ㅣ]+")
_INNER = re.compile(r"(?<=[가-힣ㄱ-ㅣ])[0-9.,_\-*~!@#^/'\"`|+=:;]{1,3}(?=[가-힣ㄱ-ㅣ])")
_DRAWN_OUT = re.compile("(?<=[시씨])[이잉]+(?=발)|(?<=바)아+(?=알)")
_PARTS = re.compile(r"[-/_.,:;…'’\"]+")
_REPEATED = re.compile(r"([a-z])\1{2,}")
_SPELT_OUT = re.compile(r"(?:[a-z][.\-_·]){2,}[a-z]")
_DISGUISED = re.compile("[a-z][@$!013]|[@$][a-z]")
_DISGUISES = str.maketrans({"@": "a", "$": "s", "!": "i", "0": "o", "1": "i", "3": "e"})
_STARRED = re.compile(r"[a-z]{1,3}\*{1,3}[a-z]{1,2}|[a-z]{1,2}\*{1,3}[a-z]{1,3}(?:ing|er|ed|s)?")
_STARRED_STEMS = (
    *("fuck", "fucks", "fucking", "fucker", "fucked", "shit", "shits", "shitty", "bitch", "bitches", "cunt", "cunts"),
    *("asshole", "whore", "slut", "nigger", "nigga", "faggot"),
)


def _english_forms(word: str) -> Iterator[str]:
    yield word
    if _REPEATED.search(word):
        yield _REPEATED.sub(r"\1", word)
        yield _REPEATED.sub(r"\1\1", word)
    if _SPELT_OUT.fullmatch(word):
        yield re.sub(r"[.\-_·]", "", word)
    if _DISGUISED.search(word):
        yield word.translate(_DISGUISES)
    if not word.isalnum():
        yield from _PARTS.split(word)


def _korean_forms(word: str) -> Iterator[str]:
    yield word
    bare = _INNER.sub("", word)
    if bare != word:
        yield bare
    short = _DRAWN_OUT.sub("", bare)
    if short != bare:
        yield short


def _spelt_apart(words: Sequence[str]) -> Iterator[str]:
    """Syllables or jamo that stand alone one behind the other, put together: '씨 발'."""
    run: list[str] = []
    for word in [*words, ""]:
        bare = word.strip(_EDGES)
        if len(bare) == 1 and _HANGUL.match(bare):
            run.append(bare)
            continue
        if len(run) > 1:
            yield "".join(run)
        run = []


def _place(phrase: tuple[str, ...], words: Sequence[str]) -> int | None:
    """Where `words` hold the phrase; its last word may have an ending in Korean."""
    *first, last = phrase
    korean = _HANGUL.match(last) is not None
    for at in range(len(words) - len(first)):
        end = words[at + len(first)].strip(_EDGES)
        if (end.startswith(last) if korean else end == last) and [
            word.strip(_EDGES) for word in words[at : at + len(first)]
        ] == first:
            return at
    return None


def _masked(word: str) -> str:
    return f"{word[:1]}***"


def _any_of(words: dict[str, Category] | set[str]) -> re.Pattern[str]:
    """One pattern for all words, longest first; alternatives share their first letters, so that few are tried."""
    by_first: dict[str, list[str]] = defaultdict(list)
    for word in sorted(words, key=lambda word: (-len(word), word)):
        by_first[word[0]].append(re.escape(word[1:]))
    return re.compile("|".join(f"{first}(?:{'|'.join(rests)})" for first, rests in sorted(by_first.items())))


def _read(name: Literal["english", "korean"]) -> _Language:
    lists = _Language()
    section = ""
    for line in (files(__package__) / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        entry = line.strip()
        if not entry or entry.startswith("#"):
            continue
        if entry.startswith("["):
            section = entry.strip("[]")
        elif section == "harmless":
            lists.harmless.add(entry)
        else:
            _add(lists, entry, _category(section), name)
    return lists


def _add(lists: _Language, entry: str, category: Category, name: str) -> None:
    if " " in entry:
        lists.phrases[tuple(entry.split())] = category
    elif entry.endswith("*"):
        lists.beginnings[entry[:-1]] = category
    elif entry.startswith("^"):
        lists.beginnings[entry[1:]] = category
    elif entry.startswith("=") or name == "english" or _JAMO_RUN.fullmatch(entry):
        lists.whole[entry.removeprefix("=")] = category
    else:
        lists.anywhere[entry] = category


def _category(section: str) -> Category:
    if section not in get_args(Category):
        raise ValueError(f"unknown category '{section}' in a word list")
    return cast(Category, section)
