"""Quantiles of few times: against the binomial by hand, by coverage, and no end where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, bootstrap

from sonmat.statistics.quantiles import median_difference, quantile_of
from sonmat.statistics.resampling import Floats


def test_the_value_is_the_smallest_number_that_the_share_does_not_exceed() -> None:
    numbers = list(range(100, 0, -1))
    assert [quantile_of(numbers, share).value for share in (0.5, 0.95, 0.99)] == [50, 95, 99]
    assert quantile_of([7.0], 0.99).value == 7.0


@pytest.mark.parametrize(("n", "share"), [(8, 0.5), (30, 0.5), (30, 0.95), (200, 0.95), (500, 0.99)])
def test_each_end_leaves_at_most_two_and_a_half_per_cent_outside(n: int, share: float) -> None:
    found = quantile_of(range(1, n + 1), share)
    if found.low is not None:
        # The low-th smallest is above the quantile when fewer than that many lie below it.
        assert binom.cdf(found.low - 1, n, share) <= 0.025 + 1e-12
        assert binom.cdf(found.low, n, share) > 0.025
    if found.high is not None:
        assert binom.sf(found.high - 1, n, share) <= 0.025 + 1e-12
        assert binom.sf(found.high - 2, n, share) > 0.025


def test_thirty_times_have_no_upper_end_of_their_95th_percentile() -> None:
    found = quantile_of(range(30), 0.95)
    assert found.high is None
    assert found.low is not None
    assert quantile_of(range(5), 0.5).low is None


def test_the_interval_of_the_median_holds_it_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        found = quantile_of(generator.lognormal(size=30).tolist(), 0.5)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.0 <= found.high
    assert held >= 0.94 * 400


def test_the_difference_of_medians_is_that_of_scipys_paired_bootstrap() -> None:
    generator = np.random.default_rng(1)
    base = generator.lognormal(size=30)
    own = base + generator.normal(0.5, 0.1, 30)
    found = median_difference(own.tolist(), base.tolist(), seed=0)

    def statistic(a: Floats, b: Floats, axis: int = -1) -> Floats:
        return np.asarray(np.median(a, axis=axis) - np.median(b, axis=axis))

    expected = bootstrap(
        (own, base), statistic, paired=True, vectorized=True, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval  # fmt: skip
    assert found.low == pytest.approx(expected.low, abs=0.03)
    assert found.high == pytest.approx(expected.high, abs=0.03)
    assert median_difference(own.tolist(), base.tolist(), seed=0) == found
