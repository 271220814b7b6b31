"""Intervals, paired tests and resampling. Knows numbers, not models."""

from sonmat.statistics.intervals import Interval, difference_interval, measure, value_interval
from sonmat.statistics.paired_tests import Discordance, HolmStep, exact_mcnemar, holm, swap_test
from sonmat.statistics.power import items_needed, smallest_detectable_difference, smallest_detectable_share_difference
from sonmat.statistics.proportions import paired_share_interval, wilson_interval
from sonmat.statistics.resampling import RESAMPLES, resample_weights

__all__ = [
    "RESAMPLES",
    "Discordance",
    "HolmStep",
    "Interval",
    "difference_interval",
    "exact_mcnemar",
    "holm",
    "items_needed",
    "measure",
    "paired_share_interval",
    "resample_weights",
    "smallest_detectable_difference",
    "smallest_detectable_share_difference",
    "swap_test",
    "value_interval",
    "wilson_interval",
]
