"""chrF: F-score (recall counts double) of character n-grams, n = 1 to 6, over the whole test set, 0 to 1.

Popović 2015, "chrF: character n-gram F-score for automatic MT evaluation"; equal to sacreBLEU's `corpus_chrf` / 100 with its
defaults: white space is ignored, case counts, and orders for which one side has no n-gram are left out of the average.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share

_ORDERS: Final = 6
_RECALL_WEIGHT: Final = 4.0
"""β² with β = 2."""


class ChrF:
    name = "chrf"
    title = Text(en="chrF", ko="chrF")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: for every order in turn n-grams of the answer, of the reference, and shared."""
        rows = [_counts(item.output.get("text") or "", item.target["text"]) for item in items]
        return np.array(rows, dtype=np.float64).reshape(len(items), 3 * _ORDERS)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        answered, wanted, shared = np.moveaxis(sums.reshape(*sums.shape[:-1], _ORDERS, 3), -1, 0)
        counted = (answered > 0) & (wanted > 0)
        orders = np.maximum(counted.sum(axis=-1), 1)
        precision = np.where(counted, share(shared, answered, empty=0.0), 0.0).sum(axis=-1) / orders
        recall = np.where(counted, share(shared, wanted, empty=0.0), 0.0).sum(axis=-1) / orders
        product = (1 + _RECALL_WEIGHT) * precision * recall
        return share(product, _RECALL_WEIGHT * precision + recall, empty=0.0)


def _counts(answer: str, reference: str) -> list[int]:
    answer, reference = "".join(answer.split()), "".join(reference.split())
    counts: list[int] = []
    for order in range(1, _ORDERS + 1):
        answered, wanted = _n_grams(answer, order), _n_grams(reference, order)
        # As sacreBLEU does: what is answered where the reference has no n-gram of this order is not counted.
        counts += [answered.total() if wanted else 0, wanted.total(), (answered & wanted).total()]
    return counts


def _n_grams(text: str, order: int) -> Counter[str]:
    return Counter(text[start : start + order] for start in range(len(text) - order + 1))


plugin = ChrF()
