"""Intervals of any metric that is a function of sums over items, of one arm and of the difference of two.

In: statistics of arms, shape (items, k), and `Metric.value`. Out: `Interval`. The methods were chosen by simulated coverage,
not by habit; `docs/statistics.md` has the figures and `benchmarks/interval_coverage.py` makes them.

- One arm, right/wrong: Wilson. One arm, any other metric: bias-corrected and accelerated bootstrap (BCa), its level
  corrected for small samples.
- Difference, right/wrong: Bonett and Price. Difference, any other metric: Student's t times the standard error of the
  paired bootstrap, or of the paired jackknife where that is larger.
- Right/wrong with grouped items: as any other metric, because items of a group are not independent.
- Where every item says the same, resampling has no width; then a share takes the interval of a share.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit

from sonmat.statistics.proportions import Interval, paired_share_interval, wilson_interval
from sonmat.statistics.resampling import (
    RESAMPLES,
    Floats,
    Groups,
    ValueOfSums,
    cluster_of_items,
    number_of_clusters,
    resampled_values,
)

__all__ = ["Interval", "all_but_one_values", "difference_interval", "measure", "value_interval"]

_SAME: Final = 1e-12
"""Differences below this come from the order of additions."""


def measure(value: ValueOfSums, statistics: Floats) -> float:
    """The metric over all items."""
    return float(value(statistics.sum(axis=0)))


def value_interval(
    value: ValueOfSums,
    statistics: Floats,
    *,
    share: bool,
    right_or_wrong: bool,
    seed: int,
    groups: Groups | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The interval of one arm's metric.

    Args:
        share: the value lies between 0 and 1.
        right_or_wrong: the value is the mean of items that are each 0 or 1.
    """
    estimate = measure(value, statistics)
    cluster = cluster_of_items(len(statistics), groups)
    clusters = number_of_clusters(cluster)
    if right_or_wrong and clusters == len(statistics):
        return wilson_interval(estimate * clusters, clusters, level)
    resampled = finite(resampled_values(value, [statistics], seed, groups, resamples)[0])
    if clusters < 2 or np.ptp(resampled) < _SAME:
        return wilson_interval(_as_share(estimate) * clusters, clusters, level) if share else Interval(estimate, estimate)
    ends = _bca_quantiles(estimate, resampled, all_but_one_values(value, statistics, groups), level)
    low, high = np.quantile(resampled, ends)
    return Interval(float(low), float(high)).including(estimate)


def difference_interval(
    value: ValueOfSums,
    a: Floats,
    b: Floats,
    *,
    share: bool,
    right_or_wrong: bool,
    seed: int,
    groups: Groups | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """The interval of the paired difference a − b; rows of `a` and `b` are the same items."""
    difference = measure(value, a) - measure(value, b)
    clusters = number_of_clusters(cluster_of_items(len(a), groups))
    if right_or_wrong and clusters == len(a):
        outcomes = value(a) - value(b)
        return paired_share_interval(float((outcomes > 0).sum()), float((outcomes < 0).sum()), clusters, level)
    error = difference_standard_error(value, a, b, seed, groups, resamples) if clusters > 1 else 0.0
    if error < _SAME:
        if not share:
            return Interval(difference, difference)
        return paired_share_interval(max(difference, 0.0) * clusters, max(-difference, 0.0) * clusters, clusters, level)
    half = -float(stdtrit(clusters - 1, (1 - level) / 2)) * error
    bound = 1.0 if share else math.inf
    return Interval(max(-bound, difference - half), min(bound, difference + half))


def difference_standard_error(
    value: ValueOfSums, a: Floats, b: Floats, seed: int, groups: Groups | None = None, resamples: int = RESAMPLES
) -> float:
    """Standard error of the paired difference: the bootstrap's, or the jackknife's where that is larger.

    The bootstrap alone is too small for macro averages over rare classes in small samples.
    """
    of_a, of_b = resampled_values(value, [a, b], seed, groups, resamples)
    bootstrap = float(finite(of_a - of_b).std())
    left_out = finite(all_but_one_values(value, a, groups) - all_but_one_values(value, b, groups))
    # Efron and Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5.
    jackknife = math.sqrt(len(left_out) - 1) * float(left_out.std())
    return max(bootstrap, jackknife)


def all_but_one_values(value: ValueOfSums, statistics: Floats, groups: Groups | None = None) -> Floats:
    """The metric with each cluster left out in turn, shape (clusters,)."""
    cluster = cluster_of_items(len(statistics), groups)
    sums = np.zeros((number_of_clusters(cluster), statistics.shape[1]))
    np.add.at(sums, cluster, statistics)
    return value(statistics.sum(axis=0) - sums)


def finite(values: Floats) -> Floats:
    """Without resamples on which the metric has no value, such as one that drew only empty references."""
    return values[np.isfinite(values)]


def _bca_quantiles(estimate: float, resampled: Floats, left_out: Floats, level: float) -> Floats:
    """Which quantiles of the resampled values are the end points (Efron 1987, JASA 82:171, BCa).

    The tails are those of Student's t with n / (n − 1) for the variance, which keeps small samples from being too narrow
    (Hesterberg 2015, The American Statistician 69:371, section 5.3).
    """
    below = np.mean(resampled < estimate - _SAME) + np.mean(np.abs(resampled - estimate) <= _SAME) / 2
    edge = 1 / (2 * len(resampled))
    bias = ndtri(np.clip(below, edge, 1 - edge))
    pulls = left_out.mean() - left_out
    spread = float((pulls**2).sum())
    acceleration = float((pulls**3).sum()) / (6 * spread**1.5) if spread > _SAME**2 else 0.0
    n = len(left_out)
    reach = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, (1 - level) / 2))
    shifted = bias + np.array([reach, -reach])
    # Past the pole of the acceleration formula the order of the two ends would flip; the extreme resample is the limit.
    scale = np.maximum(1 - acceleration * shifted, _SAME)
    return np.asarray(ndtr(bias + shifted / scale), dtype=np.float64)


def _as_share(value: float) -> float:
    return min(1.0, max(0.0, value))
