"""Intervals of any metric that is a function of sums over items, of one arm and of the difference of two.

In: statistics of arms, shape (items, k), and `Metric.value`. Out: `Sample`s, and from them `Interval`s. The
methods were chosen by simulated coverage: `docs/statistics.md` has the figures, `benchmarks/interval_coverage.py` makes them.

- One arm, right/wrong: Wilson. One arm, any other metric: bias-corrected and accelerated bootstrap (BCa), its level
  corrected for small samples.
- Difference, right/wrong: Bonett and Price. Difference, any other metric: Student's t times the standard error of the
  paired bootstrap, or of the paired jackknife where that is larger.
- Right/wrong with grouped items: as any other metric, because items of a group are not independent.
- Where every item says the same, resampling has no width; then a share takes the interval of a share.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
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
    undefined_allowed,
)

_SAME: Final = 1e-12
"""Differences below this come from the order of additions."""


@dataclass(frozen=True)
class Sample:
    """One metric of one arm, as its intervals need it. Samples made together are paired: their resamples are the same."""

    value: float
    """Over all items."""
    outcomes: Floats
    """Of each item alone, shape (items,); meaningful for right/wrong metrics only."""
    resampled: Floats
    """On every bootstrap resample, shape (resamples,)."""
    left_out: Floats
    """With each cluster left out in turn, shape (clusters,)."""

    @property
    def clusters(self) -> int:
        return len(self.left_out)

    @property
    def independent(self) -> bool:
        """Whether every item is a cluster of its own."""
        return self.clusters == len(self.outcomes)


def paired_samples(
    value: ValueOfSums,
    arms: Mapping[str, Floats],
    seed: int,
    groups: Groups | None = None,
    resamples: int = RESAMPLES,
) -> dict[str, Sample]:
    """A `Sample` of every arm from its statistics, shape (items, k); the rows of all arms are the same items."""
    if not arms:
        return {}
    on_resamples = resampled_values(value, list(arms.values()), seed, groups, resamples)
    return {
        name: Sample(
            value=measure(value, statistics),
            outcomes=value(statistics),
            resampled=resampled,
            left_out=all_but_one_values(value, statistics, groups),
        )
        for (name, statistics), resampled in zip(arms.items(), on_resamples, strict=True)
    }


def measure(value: ValueOfSums, statistics: Floats) -> float:
    """The metric over all items."""
    return float(value(statistics.sum(axis=0)))


def value_interval(sample: Sample, *, share: bool, right_or_wrong: bool, level: float = 0.95) -> Interval:
    """The interval of one arm's metric.

    Args:
        share: the value lies between 0 and 1.
        right_or_wrong: the value is the mean of items that are each 0 or 1.
    """
    clusters = sample.clusters
    if right_or_wrong and sample.independent:
        return wilson_interval(sample.value * clusters, clusters, level)
    resampled, left_out = _finite(sample.resampled), _finite(sample.left_out)
    if len(left_out) < 2 or np.ptp(resampled) < _SAME:
        if not share:
            return Interval(sample.value, sample.value)
        return wilson_interval(min(1.0, max(0.0, sample.value)) * clusters, clusters, level)
    low, high = np.quantile(resampled, _bca_quantiles(sample.value, resampled, left_out, level))
    return Interval(float(low), float(high)).including(sample.value)


def difference_interval(a: Sample, b: Sample, *, share: bool, right_or_wrong: bool, level: float = 0.95) -> Interval:
    """The interval of the paired difference a − b."""
    clusters, difference = a.clusters, a.value - b.value
    if right_or_wrong and a.independent:
        ahead = a.outcomes - b.outcomes
        return paired_share_interval(float((ahead > 0).sum()), float((ahead < 0).sum()), clusters, level)
    error = difference_standard_error(a, b)
    if error < _SAME:
        if not share:
            return Interval(difference, difference)
        return paired_share_interval(max(difference, 0.0) * clusters, max(-difference, 0.0) * clusters, clusters, level)
    half = -float(stdtrit(clusters - 1, (1 - level) / 2)) * error
    bound = 1.0 if share else math.inf
    return Interval(max(-bound, difference - half), min(bound, difference + half))


def difference_standard_error(a: Sample, b: Sample) -> float:
    """Standard error of the paired difference: the bootstrap's, or the jackknife's where that is larger.

    The bootstrap alone is too small for macro averages over rare classes in small samples. 0 for a single cluster.
    """
    resampled, left_out = _finite(a.resampled - b.resampled), _finite(a.left_out - b.left_out)
    if len(left_out) < 2:
        return 0.0
    # Efron and Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5.
    jackknife = math.sqrt(len(left_out) - 1) * float(left_out.std())
    return max(float(resampled.std()), jackknife)


def standard_error(sample: Sample) -> float:
    """Standard error of one arm's metric by the bootstrap; 0 for a single cluster."""
    return float(_finite(sample.resampled).std()) if sample.clusters > 1 else 0.0


def all_but_one_values(value: ValueOfSums, statistics: Floats, groups: Groups | None = None) -> Floats:
    """The metric with each cluster left out in turn, shape (clusters,)."""
    cluster = cluster_of_items(len(statistics), groups)
    sums = np.zeros((number_of_clusters(cluster), statistics.shape[1]))
    np.add.at(sums, cluster, statistics)
    with undefined_allowed():
        return value(statistics.sum(axis=0) - sums)


def _finite(values: Floats) -> Floats:
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
