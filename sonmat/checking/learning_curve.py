"""What more rows would gain: the error of a simple model on growing parts of the data, and the curve through it.

In: features and classes. Out: the error at several sizes, a curve error = a + b·n⁻ᶜ, and what it says of more rows, with a
band. The curve is that of a simple model on fixed features: a fine-tuned one is better, but gains from more rows where this one
does. Power laws describe learning curves of most classifiers well (Viering and Loog, "The Shape of Learning Curves", 2022),
and say little beyond a few times the size measured; nothing here looks further than twice.

The band: rows are divided anew for each repetition; repetitions are resampled (bootstrap), and the spread is widened by
√(1 + J·test/train), because J repetitions share their rows (Nadeau and Bengio, "Inference for the Generalization Error", 2003).
`benchmarks/enough_coverage.py` measures how often it holds the truth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.grouping import dealt_into_folds
from sonmat.checking.label_quality import Floats, Ints, learnt, scaled

TEST_FOLDS = 5
"""One of them is tested on, the rest is learnt from."""
_RESAMPLES = 400
_SIZES = 5
_SMALLEST_SHARE = 0.1
_LARGEST_FIRST = 0.4
_FEWEST_OF_A_CLASS = 5
_POWERS = np.arange(0.1, 1.55, 0.1)
_SMALLEST_SPREAD = 0.003
"""Of an error measured a few times; none is known more exactly."""


@dataclass(frozen=True)
class Points:
    """F1 of each class as measured: `f1[r, s, k]` in repetition r with `sizes[s]` rows learnt from, for class k."""

    sizes: Floats
    """Rows that were learnt from, or rows of the one class that was thinned out."""
    f1: Floats

    @property
    def errors(self) -> Floats:
        """1 − macro-F1, shape (repetitions, sizes)."""
        return np.asarray(1 - self.f1.mean(axis=2))


@dataclass(frozen=True)
class Band:
    """A value and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """error(n) = a + b·n⁻ᶜ; the first set of coefficients is the best fit, the others come from resampled repetitions."""

    a: Floats
    b: Floats
    c: Floats
    widened: float
    """By how much the spread of the resampled curves is too small."""

    def gain(self, before: float, after: float) -> Band:
        """By how much the error falls from `before` rows to `after`."""
        gains = self.b * (before**-self.c - after**-self.c)
        return self._band(gains)

    def error(self, rows: float) -> Band:
        return self._band(self.a + self.b * rows**-self.c)

    def _band(self, values: Floats) -> Band:
        best = float(values[0])
        low, high = np.quantile(values[1:], (0.025, 0.975)).tolist()
        return Band(best, max(best + (low - best) * self.widened, 0.0), best + (high - best) * self.widened)


def measured(
    features: NDArray[np.float32],
    labels: Ints,
    same: NDArray[np.uint64],
    shares: Sequence[float],
    repetitions: int,
    seed: int,
    step: Callable[[], None],
    thinned: int | None = None,
) -> Points:
    """F1 of every class with growing shares of the rows learnt from, each part of the next and stratified by class.

    Args:
        features: shape (rows, dimensions).
        labels: 0 to classes − 1.
        same: rows with equal keys are never on both sides.
        shares: of the rows to learn from, growing, the last one 1.
        thinned: where given, only rows of this class are left out; of the others all are learnt from.
        step: called after each model.
    """
    even = scaled(features)
    classes = int(labels.max()) + 1
    f1 = np.zeros((repetitions, len(shares), classes))
    sizes = np.zeros(len(shares))
    for repetition in range(repetitions):
        folds = dealt_into_folds(labels, same, TEST_FOLDS, seed + repetition)
        test = folds == 0
        rank = _rank_within_class(labels, ~test, seed + repetition)
        for number, share in enumerate(shares):
            part = ~test & (rank < share)
            if thinned is not None:
                part |= ~test & (labels != thinned)
            answers = learnt(even[part], labels[part], classes)(even[test]).argmax(axis=1)
            f1[repetition, number] = _f1_of_classes(labels[test], answers, classes)
            sizes[number] += (part.sum() if thinned is None else (part & (labels == thinned)).sum()) / repetitions
            step()
    return Points(sizes, f1)


def growing_shares(rows: int, classes: int) -> tuple[float, ...]:
    """Five shares of `rows` from a tenth to all, evenly spaced in ratio.

    The smallest holds five rows of each class: with fewer, the error has not begun to fall as it will later.
    """
    smallest = min(
        max(_SMALLEST_SHARE, _FEWEST_OF_A_CLASS * classes * TEST_FOLDS / (TEST_FOLDS - 1) / rows), _LARGEST_FIRST
    )
    return tuple(np.geomspace(smallest, 1.0, _SIZES).round(4).tolist())


def fitted(sizes: Floats, errors: Floats, seed: int) -> Curve:
    """The curve through `errors` of shape (repetitions, sizes)."""
    repetitions = len(errors)
    drawn = np.random.default_rng(seed).integers(0, repetitions, (_RESAMPLES, repetitions))
    means = np.vstack([errors.mean(axis=0), errors[drawn].mean(axis=1)])
    weights = 1 / (errors.std(axis=0, ddof=1) ** 2 / repetitions + _SMALLEST_SPREAD**2)
    # That small samples lie on the same curve is an assumption; half of the resampled curves go without the smallest.
    whole = best_coefficients(sizes, means[: _RESAMPLES // 2 + 1], weights)
    later = best_coefficients(sizes[1:], means[_RESAMPLES // 2 + 1 :, 1:], weights[1:])
    a, b, c = (np.concatenate(pair) for pair in zip(whole, later, strict=True))
    return Curve(a, b, c, float(np.sqrt(1 + repetitions / (TEST_FOLDS - 1))))


def best_coefficients(
    sizes: Floats, means: Floats, weights: Floats, *, bounded: bool = True
) -> tuple[Floats, Floats, Floats]:
    """For each row of `means` the a, b ≥ 0 and c of least weighted squares.

    Args:
        sizes: one of each column of `means`; the same may stand several times.
        bounded: whether no error can be below 0, so that a ≥ 0.
    """
    best = np.full(len(means), np.inf)
    a, b, c = np.zeros(len(means)), np.zeros(len(means)), np.full(len(means), float(_POWERS[0]))
    share = weights / weights.sum()
    for power in _POWERS.tolist():
        falling = sizes**-power
        middle = float(share @ falling)
        slope = ((means - means @ share[:, None]) @ (share * (falling - middle))) / float(share @ (falling - middle) ** 2)
        slope = np.maximum(slope, 0)
        floor = means @ share - slope * middle
        if bounded:
            # An error below 0 cannot be: then the curve goes down to 0.
            through_zero = np.maximum((means @ (share * falling)) / float(share @ falling**2), 0)
            slope, floor = np.where(floor < 0, through_zero, slope), np.maximum(floor, 0)
        misfit = ((means - floor[:, None] - slope[:, None] * falling) ** 2) @ share
        better = misfit < best - 1e-12
        best = np.where(better, misfit, best)
        a, b, c = np.where(better, floor, a), np.where(better, slope, b), np.where(better, power, c)
    return a, b, c


def _rank_within_class(labels: Ints, among: NDArray[np.bool_], seed: int) -> Floats:
    """Place of each row in a shuffled order of its class, from 0 to nearly 1; rows that are not `among` come behind."""
    chance = np.random.default_rng(seed)
    rank = np.full(len(labels), np.inf)
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & among)
        if len(rows):
            rank[rows] = chance.permutation(len(rows)) / len(rows)
    return rank


def _f1_of_classes(truth: Ints, answers: Ints, classes: int) -> Floats:
    """F1 of each class; that of one which is neither there nor answered is 0."""
    hits = np.bincount(truth[truth == answers], minlength=classes)
    both = np.bincount(truth, minlength=classes) + np.bincount(answers, minlength=classes)
    return np.asarray(2 * hits / np.maximum(both, 1), dtype=np.float64)
