"""BLEU: geometric mean of the precisions of n-grams, n = 1 to 4, over the whole test set, less for answers that are too short; 0 to 1.

Papineni et al. 2002; equal to sacreBLEU's `corpus_bleu` / 100 (Post 2018: tokens of mteval-v13a, exponential smoothing) but for two
things. Korean is cut into morphemes, Chinese and kana into characters (`statistics.words`). Orders for which neither an answer
nor a reference has an n-gram are left out of the mean, where sacreBLEU gives 0 to test sets of very short texts, right or wrong.
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
from sonmat.statistics.words import tokens_of

_ORDERS: Final = 4


class Bleu:
    name = "bleu"
    title = Text(en="BLEU", ko="BLEU")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: for every order in turn n-grams of the answer, of the reference, and shared."""
        answers = tokens_of([item.output.get("text") or "" for item in items])
        references = tokens_of([item.target["text"] for item in items])
        rows = [_counts(answer, reference) for answer, reference in zip(answers, references, strict=True)]
        return np.array(rows, dtype=np.float64).reshape(len(items), 3 * _ORDERS)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        answered, wanted, shared = np.moveaxis(sums.reshape(*sums.shape[:-1], _ORDERS, 3), -1, 0)
        counted = (answered > 0) | (wanted > 0)
        # An order without a hit counts as half, a quarter, ... of one: the first such order, the second, ...
        missing = (shared == 0) & (answered > 0)
        halved = 0.5 ** np.cumsum(missing, axis=-1)
        precisions = share(np.where(missing, halved, shared), answered, empty=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.where(counted, np.log(precisions), 0.0).sum(axis=-1)
            mean = np.exp(logs / np.maximum(counted.sum(axis=-1), 1))
            brevity = np.exp(np.minimum(0.0, 1 - wanted[..., 0] / answered[..., 0]))
        return np.where(shared.sum(axis=-1) > 0, mean * brevity, 0.0)


def _counts(answer: Sequence[str], reference: Sequence[str]) -> list[int]:
    counts: list[int] = []
    for order in range(1, _ORDERS + 1):
        answered, wanted = _n_grams(answer, order), _n_grams(reference, order)
        counts += [answered.total(), wanted.total(), (answered & wanted).total()]
    return counts


def _n_grams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(tokens[start : start + order]) for start in range(len(tokens) - order + 1))


plugin = Bleu()
