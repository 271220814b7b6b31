"""Intervals of shares, against statsmodels and hand-computed values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from sonmat.statistics import paired_share_interval, wilson_interval


@pytest.mark.parametrize(("right", "items"), [(0, 1), (1, 1), (0, 20), (20, 20), (13, 20), (199, 200), (50, 100)])
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_the_wilson_interval_equals_that_of_statsmodels(right: int, items: int, level: float) -> None:
    low, high = proportion_confint(right, items, alpha=1 - level, method="wilson")
    interval = wilson_interval(right, items, level)
    assert interval.low == pytest.approx(low, abs=1e-12)
    assert interval.high == pytest.approx(high, abs=1e-12)


def test_twenty_right_of_twenty_does_not_promise_perfection() -> None:
    interval = wilson_interval(20, 20)
    assert interval.high == 1.0
    assert interval.low == pytest.approx(0.8389, abs=1e-4)


def test_the_paired_interval_is_that_of_bonett_and_price() -> None:
    # 1 and 6 discordant of 20: p = 2 / 22, q = 7 / 22; computed by hand.
    interval = paired_share_interval(1, 6, 20)
    assert interval.low == pytest.approx(-0.47710, abs=1e-4)
    assert interval.high == pytest.approx(0.02255, abs=1e-4)


def test_two_arms_that_always_agree_may_still_differ() -> None:
    interval = paired_share_interval(0, 0, 20)
    assert interval.low == -interval.high
    assert interval.width > 0.2


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 50))
def test_a_paired_interval_has_a_width_and_holds_the_observed_difference(a: int, b: int, both: int) -> None:
    items = a + b + both
    interval = paired_share_interval(a, b, items)
    assert -1 <= interval.low < interval.high <= 1
    assert interval.holds((a - b) / items)
