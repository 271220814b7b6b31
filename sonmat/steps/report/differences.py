"""What tells one written answer from another, word by word: kept, inserted and deleted passages.

In: an answer and what it is compared with, fit to be shown. Out: `Compared`. Words are what stands between spaces; punctuation
marks, Chinese characters and kana count one by one. Of two Korean words (eojeol) with the same stem only the endings are
marked, so that a changed particle is not a changed word. The matching is that of `difflib` (Ratcliff and Obershelp 1988).
Kept and inserted passages, joined, are the answer. It judges nothing: a passage that differs need not be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Final, Literal

Kind = Literal["kept", "inserted", "deleted"]
LEAST_ALIKE: Final = 0.25
"""Share of words in common below which marks would only confuse."""
_MOST_WORDS: Final = 1500
_FEWEST_LETTERS: Final = 2
"""A kept passage between two changes with fewer letters joins them."""
_SHORTEST_STEM: Final = 2
_LONGEST_ENDING: Final = 3
_EASTERN: Final = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_WORDS: Final = re.compile(rf"\s*(?:[{_EASTERN}]|[^\W{_EASTERN}]+(?:['’-][^\W{_EASTERN}]+)*|\S|\Z)")
_EOJEOL: Final = re.compile("[가-힣]+")


@dataclass(frozen=True)
class Passage:
    kind: Kind
    text: str

    @property
    def space(self) -> str:
        """White space before the words, which no mark should cover."""
        return self.text[: len(self.text) - len(self.text.lstrip())]

    @property
    def words(self) -> str:
        return self.text.lstrip()


@dataclass(frozen=True)
class Compared:
    """`alike`: same words; near: few enough differences to mark them; far: one deleted and one inserted passage, not to be marked."""

    alike: Literal["same", "near", "far"]
    passages: tuple[Passage, ...]


def compared(answer: str, other: str) -> Compared:
    """How `answer` differs from `other`: deleted passages stand only in `other`, inserted ones only in `answer`."""
    own, others = _words(answer), _words(other)
    if [word.strip() for word in own] == [word.strip() for word in others]:
        return Compared("same", (Passage("kept", answer),) if answer else ())
    if len(own) + len(others) <= _MOST_WORDS:
        passages = _joined(_smoothed(list(_differences(own, others))))
        if _share_kept(passages, len(own) + len(others)) >= LEAST_ALIKE:
            return Compared("near", tuple(passages))
    return Compared("far", tuple(_joined([Passage("deleted", other), Passage("inserted", answer)])))


def _words(text: str) -> list[str]:
    """The words with the white space before them; joined they are the text."""
    return [word for word in _WORDS.findall(text) if word]


@dataclass(frozen=True)
class _Stretch:
    """Words of both texts that are the same, or that stand in place of one another."""

    same: bool
    own: tuple[str, ...]
    others: tuple[str, ...]


def _differences(own: Sequence[str], others: Sequence[str]) -> Iterator[_Stretch]:
    matcher = SequenceMatcher(None, [word.strip() for word in others], [word.strip() for word in own], autojunk=False)
    for what, start, end, own_start, own_end in matcher.get_opcodes():
        yield _Stretch(what == "equal", tuple(own[own_start:own_end]), tuple(others[start:end]))


def _smoothed(stretches: list[_Stretch]) -> list[Passage]:
    """Passages, without the lonely particles and full stops that two different sentences share."""
    last = len(stretches) - 1
    changes = [
        stretch
        if not stretch.same or index in (0, last) or _letters(stretch.own) >= _FEWEST_LETTERS
        else _Stretch(False, stretch.own, stretch.others)
        for index, stretch in enumerate(stretches)
    ]
    passages: list[Passage] = []
    for same, group in groupby(changes, key=lambda stretch: stretch.same):
        together = list(group)
        own = [word for stretch in together for word in stretch.own]
        others = [word for stretch in together for word in stretch.others]
        passages += [Passage("kept", "".join(own))] if same else _changed(own, others)
    return passages


def _letters(words: Sequence[str]) -> int:
    return sum(letter.isalnum() for word in words for letter in word)


def _changed(own: Sequence[str], others: Sequence[str]) -> list[Passage]:
    if len(own) != len(others):
        return [Passage("deleted", "".join(others)), Passage("inserted", "".join(own))]
    passages: list[Passage] = []
    before, instead = "", ""
    for word, other in zip(own, others, strict=True):
        stem = _stem(word.strip(), other.strip())
        if not stem:
            before, instead = before + other, instead + word
            continue
        kept = len(word) - len(word.lstrip()) + stem
        passages += [Passage("deleted", before), Passage("inserted", instead), Passage("kept", word[:kept])]
        before, instead = other.strip()[stem:], word[kept:]
        passages += [Passage("deleted", before), Passage("inserted", instead)]
        before, instead = "", ""
    return [*passages, Passage("deleted", before), Passage("inserted", instead)]


def _stem(word: str, other: str) -> int:
    """Syllables that two Korean words begin with alike, if what follows can be an ending of each."""
    if not (_EOJEOL.fullmatch(word) and _EOJEOL.fullmatch(other)):
        return 0
    alike = next(
        (index for index, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other))
    )
    endings = max(len(word), len(other)) - alike
    return alike if alike >= _SHORTEST_STEM and endings <= _LONGEST_ENDING else 0


def _joined(passages: Sequence[Passage]) -> list[Passage]:
    """Neighbours of one kind as one; none that is empty."""
    filled = [passage for passage in passages if passage.text]
    return [
        Passage(kind, "".join(passage.text for passage in group))
        for kind, group in groupby(filled, lambda entry: entry.kind)
    ]


def _share_kept(passages: Sequence[Passage], words: int) -> float:
    """Dice's coefficient: twice the words in common over all words of both."""
    kept = sum(_letters(_words(passage.text)) > 0 for passage in passages if passage.kind == "kept")
    if not kept:
        return 0.0
    common = sum(len(_words(passage.text)) for passage in passages if passage.kind == "kept")
    return 2 * common / max(words, 1)
