"""Intervals of means that are no shares, such as accuracy lost, where all items say the same: resampling gives them no width.

In: a measure. Out: the same, its intervals at least as wide as those of a share that never occurred. It changes no value.
"""

from __future__ import annotations

from sonmat.core.proof import Measure
from sonmat.statistics.proportions import wilson_interval


def never_a_point(measure: Measure, least: float = -1.0) -> Measure:
    """`measure` with a width where it or its change has none.

    Args:
        least: the smallest value that it can have; the largest is 1.
    """
    half = wilson_interval(0, measure.items).high
    found = measure
    if measure.low is not None and measure.low == measure.high:
        ends = {"low": max(least, measure.value - half), "high": min(1.0, measure.value + half)}
        found = found.model_copy(update=ends)
    change = measure.change
    if change is not None and change.low == change.high:
        low, high = change.difference - half, change.difference + half
        beyond = change.beyond_noise and not low <= 0 <= high
        wide = change.model_copy(update={"low": low, "high": high, "beyond_noise": beyond})
        found = found.model_copy(update={"change": wide})
    return found
