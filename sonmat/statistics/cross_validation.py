"""What cross-validation changes about intervals and tests: training sets overlap, so that rows are not independent trials.

In: numbers of folds and repetitions, intervals, standard errors. Out: wider intervals and larger p-values. No unbiased estimate
of the variance exists (Bengio and Grandvalet 2004, JMLR 5:1089); the correction is that of Nadeau and Bengio (2003, Machine
Learning 52:239). `docs/statistics.md` has its simulated error rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import stdtr

from sonmat.statistics.proportions import Interval


@dataclass(frozen=True)
class Turns:
    """How rows took turns in being tested."""

    folds: int
    """In each repetition."""
    repeats: int

    @property
    def spread(self) -> float:
        """How many times wider than for independent rows: sqrt(1 + J · n₂ / n₁).

        Their variance of the mean of J estimates is (1/J + n₂/n₁) · S² instead of S²/J, n₂/n₁ being the ratio of test to training
        rows; of one repetition J is the number of folds and n₂/n₁ = 1 / (J − 1). Further repetitions bring no new rows.
        """
        return math.sqrt(1 + self.folds / (self.folds - 1))


def stretched(interval: Interval, about: float, spread: float, lowest: float, highest: float) -> Interval:
    """The interval with both ends `spread` times as far from `about`, within what is possible."""
    low, high = about - spread * (about - interval.low), about + spread * (interval.high - about)
    return Interval(max(lowest, low), min(highest, high))


def overlap_p_value(difference: float, standard_error: float, clusters: int) -> float:
    """Two-sided p-value of Student's t with the (corrected) standard error; 1 where there is nothing to go by."""
    if clusters < 2 or standard_error <= 0:
        return 1.0
    return 2 * float(stdtr(clusters - 1, -abs(difference) / standard_error))
