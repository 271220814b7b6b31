"""How good a ranking of passages is, where the right ones are known: recall, reciprocal rank, discounted gain.

In: a ranking, the best first, and the set of what is right. Out: a number from 0 to 1 for one question; a mean over questions is
the usual measure (MRR is the mean of reciprocal ranks). Manning, Raghavan and Schütze 2008, "Introduction to Information
Retrieval", chapter 8; nDCG with equal gains and a logarithmic discount is Järvelin and Kekäläinen 2002.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence


def recall_at(ranking: Sequence[str], right: Collection[str], depth: int) -> float:
    """Share of the right ones among the first `depth`."""
    return len(set(ranking[:depth]) & set(right)) / len(set(right))


def found_at(ranking: Sequence[str], right: Collection[str], depth: int) -> float:
    """1 if any right one is among the first `depth`, else 0: what matters where one is enough to answer."""
    return float(any(each in right for each in ranking[:depth]))


def reciprocal_rank(ranking: Sequence[str], right: Collection[str], depth: int) -> float:
    """1 / the rank of the first right one; 0 if none is among the first `depth`."""
    return next((1 / rank for rank, each in enumerate(ranking[:depth], start=1) if each in right), 0.0)


def ndcg_at(ranking: Sequence[str], right: Collection[str], depth: int) -> float:
    """The discounted gain of the first `depth`, as a share of the best possible one."""
    gain = sum(1 / math.log2(rank + 1) for rank, each in enumerate(ranking[:depth], start=1) if each in right)
    best = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(set(right)), depth) + 1))
    return gain / best
