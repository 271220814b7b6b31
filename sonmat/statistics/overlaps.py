"""How many words or n-grams of words two texts share: token F1, ROUGE-N, and the rows of metrics that are means of such figures.

In: words of an answer and of a reference (`statistics.words`). Out: F1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.statistics.words import words_of

Compare = Callable[[Sequence[str], Sequence[str]], float]
"""From the words of an answer and of its reference, 0 to 1."""


def compared(items: Sequence[Judged], compare: Compare) -> NDArray[np.float64]:
    """The statistics of a metric that is the mean of `compare`, shape (items, 2): its value, and 1."""
    answers = words_of([item.output.get("text") or "" for item in items])
    references = words_of([item.target["text"] for item in items])
    rows = [(compare(answer, reference), 1) for answer, reference in zip(answers, references, strict=True)]
    return np.array(rows, dtype=np.float64).reshape(len(items), 2)


def token_f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    """F1 of the words that both have, their order aside (Rajpurkar et al. 2016, section 6.1); the same as ROUGE-1."""
    return n_gram_f1(answer, reference, 1)


def n_gram_f1(answer: Sequence[str], reference: Sequence[str], order: int) -> float:
    """F1 of the n-grams of `order` words (Lin 2004, "ROUGE", section 2).

    A text shorter than `order` counts as one n-gram, so that a right answer of one word is right for pairs, too; where both
    texts are that short, this is the one deviation from the rouge-score package, which gives 0. Without words on both
    sides, 1.
    """
    if not answer and not reference:
        return 1.0
    answered, wanted = _n_grams(answer, order), _n_grams(reference, order)
    return 2 * (answered & wanted).total() / (answered.total() + wanted.total())


def _n_grams(words: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    if 0 < len(words) < order:
        return Counter([tuple(words)])
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))
