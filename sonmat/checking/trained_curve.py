"""What more rows would gain a trained model: its error after training on growing parts of its rows, and the curve through it.

In: the outcomes of a few trainings on one and the same test set. Out: a power law error = a + b·n⁻ᶜ (Hestness et al. 2017, "Deep
learning scaling is predictable, empirically"), what twice the rows would gain with a 95 % interval, and whether that says anything.
The fit is that of `checking.learning_curve`; what is different is that each training is dear, so that there are few of them.

The interval holds two kinds of chance. Test items: resampled, the same for all trainings. Trainings, each of which would end
elsewhere with other rows and another seed: their scatter about the curve says how far; with so few it is itself uncertain, so that
it is drawn from Student's t. Half of the resampled curves go without the smallest parts, because these need not lie on the same curve.
Gains are never below 0: that more rows do harm is not in the law. `benchmarks/curve_coverage.py` has how often the interval
holds the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from sonmat.checking.label_quality import Floats
from sonmat.checking.learning_curve import Band, best_coefficients
from sonmat.statistics.resampling import Groups, ValueOfSums, resampled_values, undefined_allowed

Says = Literal["helps", "hardly", "open"]

RESAMPLES: Final = 1000
PARAMETERS: Final = 3
"""Of the curve: so many trainings fix it, and only further ones tell how far trainings scatter."""
WORTH_HAVING: Final = 0.02
"""A gain below is hardly one: 2 points of a share, else 2 % of the value."""


@dataclass(frozen=True)
class Training:
    """One training and what came of it."""

    rows: int
    """Rows that it learnt from."""
    statistics: Floats
    """Of each test item, shape (items, k); see `Metric.statistics`."""


@dataclass(frozen=True)
class Scale:
    """How a metric becomes an error that falls."""

    value: ValueOfSums
    higher_is_better: bool
    share: bool
    """Whether it lies between 0 and 1."""

    def errors(self, values: Floats) -> Floats:
        if not self.higher_is_better:
            return values
        return 1 - values if self.share else -values

    @property
    def bounded(self) -> bool:
        """Whether no error is below 0."""
        return self.share or not self.higher_is_better


@dataclass(frozen=True)
class TrainedCurve:
    a: Floats
    b: Floats
    c: Floats
    """error(n) = a + b·n⁻ᶜ: the first coefficients are the best fit, the others those of resampled trainings."""
    scatter: float
    """Standard deviation of trainings about the curve."""
    gain: Band
    """By which the error falls with twice the rows; where errors end at 0, never more than all of it."""
    says: Says

    def error(self, rows: float) -> Band:
        """At a number of rows, on the scale of `Scale.errors`."""
        return _band(self.a + self.b * rows**-self.c)


def trained_curve(scale: Scale, trainings: Sequence[Training], groups: Groups | None, seed: int) -> TrainedCurve | None:
    """The curve; None where there are too few trainings or the metric has no value for one of them.

    Args:
        trainings: the largest learnt from all rows; several may have learnt from as many.
        groups: of the test items.
    """
    sizes = np.array([each.rows for each in trainings], dtype=np.float64)
    if len(trainings) <= PARAMETERS or len(set(sizes.tolist())) < PARAMETERS:
        return None
    statistics = [each.statistics for each in trainings]
    with undefined_allowed():
        seen = scale.errors(np.array([scale.value(each.sum(axis=0)) for each in statistics], dtype=np.float64))
    drawn = scale.errors(resampled_values(scale.value, statistics, seed, groups, RESAMPLES).T)
    drawn = drawn[np.isfinite(drawn).all(axis=1)]
    if not np.isfinite(seen).all() or len(drawn) < RESAMPLES // 2:
        return None
    a, b, c, scatter = _through(sizes, seen, drawn, scale.bounded, seed)
    rows = sizes.max()
    gains = b * (rows**-c - (2 * rows) ** -c)
    if scale.bounded:
        # The curve may lie above the errors at its end; no more can be gained than is wrong now.
        left = np.concatenate([seen[None], drawn])[:, sizes == rows].mean(axis=1)
        gains = np.minimum(gains, np.maximum(left, 0.0))
    gain = _band(gains)
    matters = WORTH_HAVING * (1.0 if scale.share else abs(float(seen[sizes.argmax()])))
    return TrainedCurve(a, b, c, scatter, gain, _says(gain, matters))


def _through(sizes: Floats, seen: Floats, drawn: Floats, bounded: bool, seed: int) -> tuple[Floats, Floats, Floats, float]:
    """Coefficients of the curve through `seen` and of those through the resampled errors; and the scatter of trainings."""
    chance = np.random.default_rng(seed)
    even = np.ones(len(sizes))
    best = best_coefficients(sizes, seen[None], even, bounded=bounded)
    fitted = best[0] + best[1] * sizes ** -best[2]
    freedom = len(sizes) - PARAMETERS
    scatter = float(np.sqrt(((seen - fitted) ** 2).sum() / freedom))
    # Student's t, one scale for a whole curve: how far trainings scatter is as uncertain as their number makes it.
    scale = np.sqrt(freedom / chance.chisquare(freedom, size=(len(drawn), 1)))
    moved = drawn + scatter * scale * chance.standard_normal(drawn.shape)
    half, later = len(moved) // 2, sizes > sizes.min()
    if len(set(sizes[later].tolist())) < PARAMETERS:
        half = len(moved)
    found = [best, best_coefficients(sizes, moved[:half], even, bounded=bounded)]
    if half < len(moved):
        found.append(best_coefficients(sizes[later], moved[half:, later], even[later], bounded=bounded))
    a, b, c = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return a, b, c, scatter


def _band(values: Floats) -> Band:
    best = float(values[0])
    low, high = np.quantile(values[1:], (0.025, 0.975)).tolist()
    return Band(best, min(low, best), max(high, best))


def _says(gain: Band, matters: float) -> Says:
    if gain.high < matters:
        return "hardly"
    return "helps" if gain.low > 0 and gain.value >= matters else "open"
