"""Calibration: are answers right as often as the confidences that they were given with say?

In: a confidence of every answer, and whether it was right. Out: bins of equal mass with their shares of right answers, the expected
calibration error (ECE) with what chance alone would make of it, and an error without that bias. It knows no labels and no arms.

Bins hold equally many answers (Nixon et al. 2019, "Measuring calibration in deep learning", adaptive bins), equal confidences are
never parted, and a bin of fewer than five answers joins its neighbour. The plain ECE is above 0 for a perfect arm, too, and the more
so the fewer the answers are (Kumar, Liang and Ma 2019, "Verified uncertainty calibration", section 5); hence the other two figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.statistics.proportions import Interval, wilson_interval
from sonmat.statistics.resampling import Floats, Groups, cluster_of_items, number_of_clusters, resample_weights

MOST_BINS: Final = 10
FEWEST: Final = 20
"""Answers below which bins say nothing."""
_PER_BIN: Final = 15
_SMALLEST_BIN: Final = 5
_RESAMPLES: Final = 2_000
_LEVEL: Final = 0.95


@dataclass(frozen=True)
class Bin:
    """Answers of about one confidence."""

    items: int
    low: float
    """Smallest confidence in it."""
    high: float
    confidence: float
    """Mean."""
    right: float
    """Share of right answers."""
    interval: Interval
    """Wilson's, of `right`."""


@dataclass(frozen=True)
class Calibration:
    """Errors of all bins together, each between 0 and 1."""

    bins: tuple[Bin, ...]
    expected: float
    """ECE: the mean distance between confidence and share of right answers over bins, weighted by their answers; biased upwards."""
    expected_interval: Interval
    """Bootstrap; from 0 where a perfectly calibrated arm would show as much by chance."""
    chance: float
    """The ECE that a perfectly calibrated arm with these confidences would show on average."""
    chance_high: float
    """And what it would exceed in one of twenty test sets."""
    root_mean_square: float
    """Root of the mean squared distance without bias, 0 where the estimate of the square is negative."""
    root_mean_square_interval: Interval


def calibration_of(confidence: Floats, right: Floats, seed: int, groups: Groups | None = None) -> Calibration:
    """The calibration of at least `FEWEST` answers.

    Args:
        confidence: of every answer, 0 to 1, shape (answers,).
        right: 1 where the answer was right and 0 where not, shape (answers,).
        groups: answers that belong together are drawn together.
    """
    bin_of = equal_mass_bins(confidence)
    gaps = _by_bin(right - confidence, bin_of)
    expected = float(_expected(gaps.sum(axis=0), len(right)))
    squares, resampled = _resampled(gaps, _by_bin(np.ones(len(right)), bin_of), seed, groups)
    chance = _by_chance(confidence, bin_of, seed)
    chance_high = float(np.quantile(chance, _LEVEL))
    square = _square(gaps, bin_of, groups)
    return Calibration(
        bins=tuple(_bin(confidence[bin_of == number], right[bin_of == number]) for number in range(gaps.shape[1])),
        expected=expected,
        expected_interval=_expected_interval(expected, resampled, chance_high),
        chance=float(chance.mean()),
        chance_high=chance_high,
        root_mean_square=math.sqrt(max(0.0, square)),
        root_mean_square_interval=_root_interval(square, squares),
    )


def equal_mass_bins(confidence: Floats) -> NDArray[np.intp]:
    """The bin that each answer is in, counted from 0 by rising confidence."""
    count = min(MOST_BINS, max(2, len(confidence) // _PER_BIN))
    edges = np.quantile(confidence, np.linspace(0, 1, count + 1)[1:-1])
    _, parts, sizes = np.unique(np.searchsorted(edges, confidence), return_inverse=True, return_counts=True)
    joined, number, held = [], 0, 0
    for place, size in enumerate(sizes.tolist()):
        joined.append(number)
        held += size
        # What is left behind this bin must fill one of its own.
        if held >= _SMALLEST_BIN and sizes[place + 1 :].sum() >= _SMALLEST_BIN:
            number, held = number + 1, 0
    return np.array(joined, dtype=np.intp)[parts]


def _by_bin(values: Floats, bin_of: NDArray[np.intp]) -> Floats:
    """Shape (answers, bins): the value in the column of its bin, 0 elsewhere."""
    columns = np.zeros((len(values), int(bin_of.max()) + 1))
    columns[np.arange(len(values)), bin_of] = values
    return columns


def _expected(sums: Floats, items: float | Floats) -> Floats:
    return np.asarray(np.abs(sums).sum(axis=-1) / items, dtype=np.float64)


def _resampled(gaps: Floats, held: Floats, seed: int, groups: Groups | None) -> tuple[Floats, Floats]:
    """Mean squared distances and ECEs of bootstrap resamples; the bins stay where they are.

    Args:
        held: 1 where the answer is in the bin, shape (answers, bins).
    """
    squares, expected = [], []
    for weights in resample_weights(len(gaps), _RESAMPLES, seed, groups):
        sums, items = weights @ gaps, weights.sum(axis=1)
        squares.append((sums**2 / np.maximum(weights @ held, 1.0)).sum(axis=1) / items)
        expected.append(_expected(sums, items))
    return np.concatenate(squares), np.concatenate(expected)


def _by_chance(confidence: Floats, bin_of: NDArray[np.intp], seed: int) -> Floats:
    """ECEs of made answers that are right with exactly the chance that their confidence says.

    The consistency resampling of Bröcker and Smith 2007, Weather and Forecasting 22:651.
    """
    generator = np.random.default_rng(seed)
    bins = int(bin_of.max()) + 1
    made = np.empty((_RESAMPLES, bins))
    for draw in range(_RESAMPLES):
        right = generator.random(len(confidence)) < confidence
        made[draw] = np.bincount(bin_of, weights=right - confidence, minlength=bins)
    return _expected(made, len(confidence))


def _square(gaps: Floats, bin_of: NDArray[np.intp], groups: Groups | None) -> float:
    """The mean squared distance without bias; may be negative.

    Of every bin, the mean of products of two different answers' (right − confidence): with one confidence in the bin that is the
    debiased estimator of Kumar, Liang and Ma 2019, definition 5.1. Of answers in groups, of two different groups'.
    """
    cluster = cluster_of_items(len(gaps), groups)
    sums = np.zeros((number_of_clusters(cluster), gaps.shape[1]))
    np.add.at(sums, cluster, gaps)
    total = 0.0
    for number in range(gaps.shape[1]):
        inside = bin_of == number
        clusters = len(set(cluster[inside].tolist()))
        # A single group cannot tell its error from chance: the plain square, which is too large rather than too small.
        own = float((sums[:, number] ** 2).sum()) if clusters > 1 else 0.0
        scale = clusters / (clusters - 1) if clusters > 1 else 1.0
        total += scale * (float(sums[:, number].sum()) ** 2 - own) / float(inside.sum())
    return total / len(gaps)


def _expected_interval(expected: float, resampled: Floats, chance_high: float) -> Interval:
    """Resamples are biased once more; they are moved back by twice the bias that they show."""
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(resampled, [tail, 1 - tail]) - 2 * (resampled.mean() - expected)
    if expected <= chance_high:
        low = 0.0
    return Interval(max(0.0, float(low)), min(1.0, float(high))).including(expected)


def _root_interval(square: float, resampled: Floats) -> Interval:
    """The spread of the resamples around the estimate without bias."""
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(resampled - resampled.mean() + square, [tail, 1 - tail])
    ends = (math.sqrt(max(0.0, float(end))) for end in (low, high))
    return Interval(*ends).including(math.sqrt(max(0.0, square)))


def _bin(confidence: Floats, right: Floats) -> Bin:
    return Bin(
        items=len(right),
        low=float(confidence.min()),
        high=float(confidence.max()),
        confidence=float(confidence.mean()),
        right=float(right.mean()),
        interval=wilson_interval(float(right.sum()), len(right)),
    )
