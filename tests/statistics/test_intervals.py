"""Intervals have a width, fit their samples, and cover as they say; small versions of the benchmark."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from sonmat.statistics import (
    Interval,
    Sample,
    difference_interval,
    difference_standard_error,
    paired_samples,
    value_interval,
)
from sonmat.statistics.resampling import Floats, Groups


def mean(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


def sample(values: Floats, groups: Groups | None = None, seed: int = 0) -> Sample:
    return pair(values, values, groups, seed)[0]


def pair(a: Floats, b: Floats, groups: Groups | None = None, seed: int = 0, resamples: int = 2000) -> tuple[Sample, Sample]:
    arms = {name: np.stack([values, np.ones(len(values))], axis=1) for name, values in (("a", a), ("b", b))}
    samples = paired_samples(mean, arms, seed, groups, resamples)
    return samples["a"], samples["b"]


def of_shares(one: Sample) -> Interval:
    return value_interval(one, share=True, right_or_wrong=False)


@pytest.mark.parametrize("right_or_wrong", [True, False])
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_an_interval_has_a_width_even_where_all_items_say_the_same(value: float, right_or_wrong: bool) -> None:
    interval = value_interval(sample(np.full(20, value)), share=True, right_or_wrong=right_or_wrong)
    assert interval.width == pytest.approx(0.1611, abs=1e-4)
    assert interval.holds(value)


def test_a_difference_has_a_width_even_where_two_arms_always_agree() -> None:
    one = sample(np.full(20, 0.5))
    interval = difference_interval(one, one, share=True, right_or_wrong=False)
    assert interval.low == -interval.high
    assert interval.width > 0.2


def test_one_item_leaves_almost_everything_open() -> None:
    a, b = pair(np.ones(1), np.zeros(1))
    assert of_shares(a).width > 0.7
    assert difference_interval(a, b, share=True, right_or_wrong=False).holds(0.0)


def test_on_many_items_the_interval_is_the_bca_interval_of_scipy() -> None:
    values = np.random.default_rng(0).beta(2, 5, 400)
    expected = bootstrap(
        (values,), np.mean, method="BCa", n_resamples=9999, rng=np.random.default_rng(1)
    ).confidence_interval
    interval = of_shares(sample(values))
    assert interval.low == pytest.approx(expected.low, abs=0.003)
    assert interval.high == pytest.approx(expected.high, abs=0.003)


def test_a_higher_level_gives_a_wider_interval() -> None:
    a, b = pair(*np.random.default_rng(0).random((2, 50)))
    widths = [difference_interval(a, b, share=True, right_or_wrong=False, level=level).width for level in (0.9, 0.95, 0.99)]
    assert widths == sorted(widths)


def test_the_standard_error_of_a_mean_difference_is_the_textbook_one() -> None:
    x, y = np.random.default_rng(0).random((2, 100))
    textbook = float(np.std(x - y, ddof=1)) / 10
    assert difference_standard_error(*pair(x, y, resamples=20_000)) == pytest.approx(textbook, rel=0.02)


def test_pairing_makes_the_interval_of_like_arms_narrow() -> None:
    x = np.random.default_rng(0).random(100)
    a, b = pair(x, x - 0.05)
    interval = difference_interval(a, b, share=False, right_or_wrong=False)
    assert interval.low == pytest.approx(0.05)
    assert of_shares(a).width > 0.1


def test_grouped_items_give_a_wider_interval_than_independent_ones() -> None:
    values = np.repeat(np.random.default_rng(0).integers(0, 2, 20), 10).astype(np.float64)
    groups = [str(place // 10) for place in range(200)]
    alone = value_interval(sample(values), share=True, right_or_wrong=True)
    grouped = value_interval(sample(values, groups), share=True, right_or_wrong=True)
    assert grouped.width > 2 * alone.width


@pytest.mark.parametrize(("items", "least"), [(20, 0.92), (60, 0.92)])
def test_intervals_of_mean_scores_cover_the_truth(items: int, least: float) -> None:
    generator = np.random.default_rng(0)
    held_one, held_difference = [], []
    for seed in range(250):
        x, y = generator.beta(0.8, 0.4, items), generator.beta(0.8, 0.8, items)
        a, b = pair(x, y, seed=seed, resamples=500)
        held_one.append(of_shares(a).holds(2 / 3))
        held_difference.append(difference_interval(a, b, share=True, right_or_wrong=False).holds(2 / 3 - 1 / 2))
    assert np.mean(held_one) >= least
    assert np.mean(held_difference) >= least
