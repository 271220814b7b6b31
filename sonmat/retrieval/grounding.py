"""Whether a text rests on passages: which of its words, and of its pairs of neighbouring words, stand in them.

In: texts as content words (`statistics.words.content_words_of`). Out: shares, and the passages that hold an answer. It compares
words, not meaning: a paraphrase looks invented, and words in the wrong relation look grounded. Pairs are the stricter of the two.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from sonmat.core.proof import Passage
from sonmat.retrieval.index import PassageIndex
from sonmat.statistics.words import content_words_of

Words = tuple[str, ...]
Pair = tuple[str, str]

FEWEST_PAIRS: Final = 5
"""Different pairs of words that an answer must have before a passage can be said to hold it: shorter ones stand anywhere."""
HOLDS: Final = 0.6
"""Share of an answer's pairs, or of a passage's, that the two must have in common."""
_LOOKED_AT: Final = 20
"""Passages nearest to an answer by its words that are compared with it."""


@dataclass(frozen=True)
class Grounded:
    """Shares of an answer, 0 to 1; None where it has no such thing that is not the question's own."""

    words: float | None
    pairs: float | None


def grounded(answer: Words, question: Words, passages: Sequence[Words]) -> Grounded:
    """How much of what `answer` adds to `question` stands in `passages`."""
    known = {word for passage in passages for word in passage}
    asked = set(question)
    added = [word for word in answer if word not in asked]
    known_pairs = {pair for passage in passages for pair in pairs_of(passage)}
    asked_pairs = set(pairs_of(question))
    added_pairs = [pair for pair in pairs_of(answer) if pair not in asked_pairs]
    return Grounded(_share(added, known), _share(added_pairs, known_pairs))


def pairs_of(words: Words) -> list[Pair]:
    """Every two neighbouring words."""
    return list(pairwise(words))


def holders(index: PassageIndex, answers: Sequence[str]) -> list[list[Passage]]:
    """For each answer the passages that hold it, or a good part of it where it is longer than a passage."""
    near = index.rankings(answers, "words", _LOOKED_AT)
    found: list[list[Passage]] = []
    for words, places in zip(content_words_of(answers), near, strict=True):
        pairs = set(pairs_of(words))
        passages = [index.passages[place] for place in places] if len(pairs) >= FEWEST_PAIRS else []
        own = [set(pairs_of(each)) for each in content_words_of([passage.text for passage in passages])]
        found.append([passage for passage, theirs in zip(passages, own, strict=True) if _holds(theirs, pairs)])
    return found


def _holds(passage: set[Pair], answer: set[Pair]) -> bool:
    common = len(passage & answer)
    return common >= FEWEST_PAIRS and common >= HOLDS * min(len(passage), len(answer))


def _share(said: Iterable[object], known: Collection[object]) -> float | None:
    outcomes = [each in known for each in said]
    return sum(outcomes) / len(outcomes) if outcomes else None
