"""How many n-grams of words two texts share: ROUGE-N.

In: words of an answer and of a reference (`statistics.words`). Out: F1. It does not cut texts into words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


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
