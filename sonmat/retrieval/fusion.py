"""Several rankings as one: reciprocal rank fusion.

In: rankings of the same things. Out: one ranking. Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion outperforms Condorcet
and individual Rank Learning Methods": a thing's score is the sum of 1 / (60 + its rank) over the rankings that have it, so that
scores of different kinds need not be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SMOOTHING: Final = 60
"""k of the paper: how little the first places stand out."""


def fused(rankings: Sequence[Sequence[int]]) -> list[int]:
    """The places of all rankings, the best first; of equal ones the smaller number."""
    scores: dict[int, float] = {}
    for ranking in rankings:
        for rank, place in enumerate(ranking, start=1):
            scores[place] = scores.get(place, 0.0) + 1 / (SMOOTHING + rank)
    return sorted(scores, key=lambda place: (-scores[place], place))
