"""Quantiles of few measurements, such as times, with what can honestly be said about them.

In: numbers. Out: a quantile and its order-statistic interval, whose ends are missing where so few numbers cannot give them: the
longest of thirty times is no upper bound of the 95th percentile. No distribution is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binom

from sonmat.statistics.proportions import Interval
from sonmat.statistics.resampling import RESAMPLES, Floats

_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Quantile:
    value: float
    low: float | None
    """Lower end of the 95 % interval; None where none of the measurements is one."""
    high: float | None


def quantile_of(numbers: Sequence[float], share: float) -> Quantile:
    """The `share` quantile: the smallest number that at least this share does not exceed, with its interval.

    How many of n numbers lie below the true quantile is binomial, so the order statistics of the ranks that leave 2.5 % on either
    side hold it (Conover 1999, Practical Nonparametric Statistics, section 3.2).
    """
    ordered = sorted(numbers)
    n = len(ordered)
    tail = (1 - _LEVEL) / 2
    # P(below < rank) <= tail: the rank-th smallest is above the quantile with no more than that chance.
    low_rank = int(binom.ppf(tail, n, share))
    high_rank = int(binom.ppf(1 - tail, n, share)) + 1
    return Quantile(
        value=ordered[max(0, math.ceil(share * n) - 1)],
        low=ordered[low_rank - 1] if low_rank >= 1 else None,
        high=ordered[high_rank - 1] if high_rank <= n else None,
    )


def median_difference(a: Sequence[float], b: Sequence[float], seed: int) -> Interval:
    """The 95 % bootstrap interval of median(a) − median(b), `a[i]` and `b[i]` being of the same question.

    Questions are drawn together, so that a long one is long for both.
    """
    pairs: Floats = np.array([a, b], dtype=np.float64)
    drawn = np.random.default_rng(seed).integers(pairs.shape[1], size=(RESAMPLES, pairs.shape[1]))
    medians = np.median(pairs[:, drawn], axis=2)
    low, high = np.quantile(medians[0] - medians[1], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return Interval(float(low), float(high))
