"""Tests of whether two arms differ at all, on the same items, and their correction for several comparisons.

In: statistics or outcomes of two arms. Out: p-values, two-sided. Both tests are exact whatever the number of items, so that
few items can never make a winner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr

from sonmat.statistics.resampling import RESAMPLES, Floats, Groups, ValueOfSums, swapped_differences


@dataclass(frozen=True)
class Discordance:
    """Items on which exactly one of two arms is right."""

    a_only_right: int
    b_only_right: int


@dataclass(frozen=True)
class HolmStep:
    """One test among several."""

    adjusted_p_value: float
    """Holm's: below 0.05 for any test that is rejected when the whole family may err with 5 %."""
    level: float
    """Confidence level of the interval that goes with the step at which this test was decided, at least 0.95."""


def exact_mcnemar(discordance: Discordance) -> float:
    """Two-sided exact p-value (McNemar 1947, Psychometrika 12:153): a fair coin thrown for every discordant item."""
    tosses = discordance.a_only_right + discordance.b_only_right
    fewer = min(discordance.a_only_right, discordance.b_only_right)
    return min(1.0, 2 * float(bdtr(fewer, tosses, 0.5))) if tosses else 1.0


def swap_test(
    value: ValueOfSums,
    a: Floats,
    b: Floats,
    *,
    seed: int,
    groups: Groups | None = None,
    resamples: int = RESAMPLES,
) -> float:
    """Two-sided p-value of the paired randomisation test (Noreen 1989; Yeh 2000, COLING, 947).

    Were the arms equally good, swapping their answers to any item (or group) would change nothing. The p-value is the share of
    such swaps with at least the observed difference: of all of them where they are few, else of a random sample, in which
    the observed one counts, so that the test never rejects more often than it says.
    """
    observed = abs(float(value(a.sum(axis=0)) - value(b.sum(axis=0))))
    differences, complete = swapped_differences(value, a, b, seed, groups, resamples)
    # A swap on which the metric has no value counts as one against a difference.
    as_large = int((~(np.abs(differences) < observed - 1e-12)).sum())
    return as_large / len(differences) if complete else (as_large + 1) / (len(differences) + 1)


def holm(p_values: Sequence[float], error: float = 0.05) -> list[HolmStep]:
    """Holm's step-down correction (Holm 1979, Scand. J. Statistics 6:65), in the order of `p_values`.

    A test rejected at step r of m is decided at error / (m − r + 1); all that are not rejected are decided at the step where
    rejection stopped. The interval of level 1 − that error is the one that agrees with the decision.
    """
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    steps: dict[int, HolmStep] = {}
    adjusted, left, stopped = 0.0, len(p_values), False
    for rank, place in enumerate(order):
        adjusted = max(adjusted, min(1.0, (len(order) - rank) * p_values[place]))
        if not stopped:
            left = len(order) - rank
            stopped = adjusted > error
        steps[place] = HolmStep(adjusted, 1 - error / left)
    return [steps[place] for place in range(len(p_values))]
