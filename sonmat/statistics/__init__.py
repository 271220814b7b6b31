"""Intervals, paired tests and resampling. Knows numbers, not models."""

from sonmat.statistics.intervals import (
    Sample,
    difference_interval,
    difference_standard_error,
    measure,
    paired_samples,
    standard_error,
    value_interval,
)
from sonmat.statistics.paired_tests import Discordance, HolmStep, exact_mcnemar, holm, swap_test
from sonmat.statistics.power import items_needed, smallest_detectable_difference, smallest_detectable_share_difference
from sonmat.statistics.proportions import Interval, paired_share_interval, wilson_interval
from sonmat.statistics.resampling import RESAMPLES, resample_weights

__all__ = [
    "RESAMPLES",
    "Discordance",
    "HolmStep",
    "Interval",
    "Sample",
    "difference_interval",
    "difference_standard_error",
    "exact_mcnemar",
    "holm",
    "items_needed",
    "measure",
    "paired_samples",
    "paired_share_interval",
    "resample_weights",
    "smallest_detectable_difference",
    "smallest_detectable_share_difference",
    "standard_error",
    "swap_test",
    "value_interval",
    "wilson_interval",
]
