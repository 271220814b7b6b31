"""Counterfactual questions: the same question about a person of another group, and one that is changed as much but not the group.

In: an input of a task and a seed. Out: `Swap`s, one a dimension (gender, age, ...) whose words it holds. Where a dimension has two
groups the question is mirrored: what is said of the one is said of the other. English pronouns, articles (a/an) and capital letters
and Korean particles fit the new words. The neutral question puts another word of the same group in the same place (another man's
name), or a greeting in front where there is none. After Garg et al. (2019, AIES, "Counterfactual fairness in text classification
through robustness") and Hall Maudslay et al. (2019, EMNLP, 5267), who exchange names. It asks nobody.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from sonmat.core.values import Json
from sonmat.probing.korean_particles import ENDINGS, NAME_ENDINGS, fitted
from sonmat.probing.swap_terms import ABOUT_BODIES, DIMENSIONS, LEXICONS, TARGET_ONLY, Dimension, Lexicon

SEVERAL: Final = "several"
"""Stands for the group of a question that speaks of two of them."""
_SURNAMES: Final = "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민"
_GREETINGS: Final = {"ko": "안녕하세요. ", "en": "Hello. "}
_HANGUL: Final = re.compile("[가-힣]")
_NEXT_WORD: Final = re.compile(r"\s+([A-Za-z]+)")
_ARTICLE: Final = re.compile(r"\b([Aa])(n?)(\s+)\Z")
_VOWEL_SOUND: Final = re.compile(r"[aeiou]|8|1[18]\b", re.IGNORECASE)
_FUNCTION_WORDS: Final = (
    "to a an the and or but if when while because for at in on with from by of about that this these those is was were are will "
    "would can could should has had have do does did not it he she they we i you as so than then after before again back now "
    "today yesterday tomorrow up down out off over under who which what where how"
)
_AFTER_OBJECT: Final = frozenset(_FUNCTION_WORDS.split())
"""Words that follow 'her' and 'his' where these stand alone; before others they say whose."""


@dataclass(frozen=True)
class Family:
    """The lexicons of one dimension that tell the same groups apart."""

    dimension: Dimension
    groups: tuple[str, ...]
    lexicons: tuple[Lexicon, ...]


@dataclass(frozen=True)
class Swap:
    """One question and what it becomes."""

    family: Family
    mapping: Mapping[int, int]
    """From group to group, by their places."""
    source: str
    """The group that the question speaks of, or `SEVERAL`."""
    goal: str
    seed: str
    plain: Json
    input: Json
    """With the group exchanged."""
    neutral: Json
    by_word: bool
    """Whether the neutral question has another word of the same group, and not a greeting."""

    @property
    def dimension(self) -> Dimension:
        return self.family.dimension

    def exchange(self, text: str) -> str:
        """`text` with the same words exchanged; for answers, too, which may rightly name whom they are about."""
        return _rewritten(text, self.family, lambda found: _exchanged(found, self.mapping))

    def rename(self, text: str) -> str:
        """`text` with the words of the neutral question."""
        return _rewritten(text, self.family, lambda found: _renamed(found, self.seed))


def swaps_of(input: Json, seed: int) -> list[Swap]:
    """The question's swaps, at most one a dimension: by the lexicons that know most of its words."""
    said = "\n".join(_user_texts(input))
    found = []
    for dimension in DIMENSIONS:
        if dimension == "gender" and ABOUT_BODIES.search(said):
            continue
        counts = [(len(_found(said, family)), family) for family in _families() if family.dimension == dimension]
        most, family = max(counts, key=lambda entry: entry[0])
        if most and (swap := _swap(input, said, family, f"{seed} {said}")) is not None:
            found.append(swap)
    return found


def _swap(input: Json, said: str, family: Family, seed: str) -> Swap | None:
    """None where the question would stay the same."""
    present = list(dict.fromkeys(each.group for each in _found(said, family)))
    source = present[0]
    others = [place for place in range(len(family.groups)) if place != source]
    # Of several groups the one that is also spoken of, so that two people are not made one.
    goal = present[1] if len(present) > 1 else random.Random(seed).choice(others)
    mapping = {source: goal, goal: source}
    names = (SEVERAL, SEVERAL) if len(present) > 1 else (family.groups[source], family.groups[goal])
    made = Swap(family, mapping, *names, seed, input, input, input, True)
    swapped = _with_texts(input, made.exchange)
    renamed = _with_texts(input, made.rename)
    by_word = renamed != input
    neutral = renamed if by_word else _greeted(input)
    if swapped == input or neutral == input:
        return None
    return Swap(family, mapping, *names, seed, input, swapped, neutral, by_word)


# ── finding ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Found:
    """A word of a lexicon in a text."""

    start: int
    end: int
    word: str
    """As it stands there, without what is in front and behind."""
    before: str
    """A Korean surname."""
    ending: str
    """Korean particles."""
    lexicon: Lexicon
    row: int
    group: int
    place: int
    text: str


@cache
def _families() -> tuple[Family, ...]:
    keys = dict.fromkeys((lexicon.dimension, lexicon.groups) for lexicon in LEXICONS)
    return tuple(
        Family(dimension, groups, tuple(each for each in LEXICONS if (each.dimension, each.groups) == (dimension, groups)))
        for dimension, groups in keys
    )


def _found(text: str, family: Family) -> list[_Found]:
    """Words of the family in their order, none within another."""
    every = [found for lexicon in family.lexicons for found in _of_lexicon(text, lexicon)]
    kept: list[_Found] = []
    for found in sorted(every, key=lambda each: (each.start, -each.end)):
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept


def _of_lexicon(text: str, lexicon: Lexicon) -> Iterator[_Found]:
    places = _places(lexicon)
    for match in _pattern(lexicon).finditer(text):
        word = match["word"]
        known = places[word if lexicon.exact else word.lower()]
        row, group, place = known[0] if len(known) == 1 else known[_whose(text, match.end("word"), known)]
        yield _Found(
            match.start(), match.end(), word, match["before"], match["ending"], lexicon, row, group, place, text
        )  # fmt: skip


def _whose(text: str, end: int, known: Sequence[tuple[int, int, int]]) -> int:
    """Which of two forms: 'her' and 'his' before a noun say whose, and stand second."""
    follows = _NEXT_WORD.match(text, end)
    possessive = follows is not None and follows[1].lower() not in _AFTER_OBJECT
    return next(number for number, (_, _, place) in enumerate(known) if (place == 1) == possessive)


@cache
def _places(lexicon: Lexicon) -> dict[str, list[tuple[int, int, int]]]:
    """Row, group and place of every form."""
    found: dict[str, list[tuple[int, int, int]]] = {}
    for row, groups in enumerate(lexicon.rows):
        for group, forms in enumerate(groups):
            for place, form in enumerate(forms):
                at = found.setdefault(form if lexicon.exact else form.lower(), [])
                # A word that stands for several of the other group is one word.
                if form not in TARGET_ONLY and (not at or at[0][0] == row):
                    at.append((row, group, place))
    return {form: at for form, at in found.items() if at}


@cache
def _pattern(lexicon: Lexicon) -> re.Pattern[str]:
    forms = "|".join(re.escape(form) for form in sorted(_places(lexicon), key=len, reverse=True))
    flags = re.NOFLAG if lexicon.exact else re.IGNORECASE
    if lexicon.language == "en":
        return re.compile(rf"(?P<before>)(?<![\w/-])(?P<word>{forms})(?P<ending>)(?![\w/-]){lexicon.behind}", flags)
    endings = "|".join(sorted(NAME_ENDINGS if lexicon.names else ENDINGS, key=len, reverse=True))
    surname = f"[{_SURNAMES}]?" if lexicon.names else ""
    return re.compile(
        rf"(?<![가-힣A-Za-z0-9])(?P<before>{surname})(?P<word>{forms})(?P<ending>{endings})(?![가-힣]){lexicon.behind}",
        flags,
    )


# ── writing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rewritten(text: str, family: Family, other: Callable[[_Found], str]) -> str:
    """`text` with another word for each that is found, and what stands around it made to fit."""
    written, at = "", 0
    for found in _found(text, family):
        word = other(found)
        written += text[at : found.start]
        if word != found.word and found.lexicon.language == "en":
            written = _with_article(written, found.word, word)
        ending = fitted(found.ending, found.word, word) if found.lexicon.language == "ko" else ""
        written += f"{found.before}{word}{ending}"
        at = found.end
    return written + text[at:]


def _exchanged(found: _Found, mapping: Mapping[int, int]) -> str:
    goal = mapping.get(found.group)
    if goal is None:
        return found.word
    forms = found.lexicon.rows[found.row][goal]
    return _in_case(forms[min(found.place, len(forms) - 1)], found)


def _renamed(found: _Found, seed: str) -> str:
    """Another form of the same group that the text does not have yet; the word itself where there is none."""
    if not found.lexicon.alike:
        return found.word
    forms = found.lexicon.rows[found.row][found.group]
    first = random.Random(f"{seed} {found.word.lower()}").randrange(len(forms))
    turned = [*forms[first:], *forms[:first]]
    free = (form for form in turned if form.lower() not in found.text.lower())
    return _in_case(next(free, found.word), found)


def _in_case(form: str, found: _Found) -> str:
    word = found.word
    if found.lexicon.language == "ko" or found.lexicon.exact or form == word:
        return form
    if word.isupper() and len(word) > 1:
        return form.upper()
    return form[:1].upper() + form[1:] if word[:1].isupper() else form


def _with_article(before: str, old: str, new: str) -> str:
    """The text in front with 'a' or 'an', where one stands at its end and the new word asks for the other."""
    article = _ARTICLE.search(before)
    sounds = bool(_VOWEL_SOUND.match(new))
    if article is None or bool(_VOWEL_SOUND.match(old)) == sounds:
        return before
    return f"{before[: article.start()]}{article[1]}{'n' if sounds else ''}{article[3]}"


# ── inputs ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _user_texts(input: Json) -> list[str]:
    if "messages" in input:
        return [str(turn["content"]) for turn in input["messages"] if turn["role"] == "user"]
    return [str(input["text"])]


def _with_texts(input: Json, change: Callable[[str], str]) -> Json:
    """Every turn but the system's is about the same people."""
    if "messages" in input:
        turns = [
            turn if turn["role"] == "system" else {**turn, "content": change(str(turn["content"]))}
            for turn in input["messages"]
        ]
        return {**input, "messages": turns}
    return {**input, "text": change(str(input["text"]))}


def _greeted(input: Json) -> Json:
    """With a greeting in front of what the user said last; unchanged where one stands there already."""
    if "messages" not in input:
        return {**input, "text": _greeting(str(input["text"]))}
    turns = [dict(turn) for turn in input["messages"]]
    last = max(place for place, turn in enumerate(turns) if turn["role"] == "user")
    turns[last]["content"] = _greeting(str(turns[last]["content"]))
    return {**input, "messages": turns}


def _greeting(text: str) -> str:
    greeting = _GREETINGS["ko" if _HANGUL.search(text) else "en"]
    # Not 'Help' and 'Helen'.
    stands_there = re.match(rf"\s*{greeting.rstrip('. ')}(?![A-Za-z])", text, re.IGNORECASE)
    return text if stands_there else greeting + text
