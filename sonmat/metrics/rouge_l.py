"""ROUGE-L: the mean over items of F1 by the longest common subsequence of words.

Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 3.1, β = 1. On English equal to the rouge-score
package without stemming; Korean is cut into morphemes (`statistics.words`). Two texts without words agree if both are without.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.overlaps import compared
from sonmat.statistics.shares import share


class RougeL:
    name = "rouge_l"
    title = Text(en="ROUGE-L", ko="ROUGE-L")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: F1 of the item, 1."""
        return compared(items, _f1)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


def _f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    if not answer and not reference:
        return 1.0
    return 2 * _longest_common_subsequence(answer, reference) / (len(answer) + len(reference))


def _longest_common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Its length, by bit-parallel dynamic programming (Hyyrö 2004): one big-integer step for every word of `a`."""
    places: dict[str, int] = {}
    for place, word in enumerate(b):
        places[word] = places.get(word, 0) | 1 << place
    whole = (1 << len(b)) - 1
    unmatched = whole
    for word in a:
        matched = unmatched & places.get(word, 0)
        unmatched = (unmatched + matched | unmatched - matched) & whole
    return len(b) - unmatched.bit_count()


plugin = RougeL()
