"""Exact tests and Holm's correction, against statsmodels and scipy."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from sonmat.statistics import Discordance, exact_mcnemar, holm, swap_test
from sonmat.statistics.resampling import Floats


def mean(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


def mean_difference(a: Floats, b: Floats, axis: int) -> Floats:
    return np.asarray(a.mean(axis=axis) - b.mean(axis=axis))


def with_counts(values: list[float]) -> Floats:
    return np.array([[value, 1.0] for value in values])


@pytest.mark.parametrize(("a_only", "b_only"), [(0, 0), (1, 0), (0, 5), (0, 6), (7, 7), (3, 14), (120, 80), (1, 900)])
def test_mcnemar_equals_that_of_statsmodels(a_only: int, b_only: int) -> None:
    expected = mcnemar([[5, a_only], [b_only, 5]], exact=True).pvalue
    assert exact_mcnemar(Discordance(a_only, b_only)) == pytest.approx(min(1.0, expected), rel=1e-9)


def test_on_right_and_wrong_the_swap_test_is_mcnemars() -> None:
    a, b = with_counts([1, 1, 1, 1, 1, 1, 1, 0, 1, 0]), with_counts([0, 0, 0, 0, 0, 0, 0, 1, 1, 0])
    assert swap_test(mean, a, b, seed=0) == pytest.approx(exact_mcnemar(Discordance(7, 1)))


def test_the_swap_test_of_few_items_equals_that_of_scipy() -> None:
    generator = np.random.default_rng(4)
    a, b = generator.random(9), generator.random(9) + 0.2
    expected = permutation_test((a, b), mean_difference, permutation_type="samples", n_resamples=10**6).pvalue
    assert swap_test(mean, with_counts(a.tolist()), with_counts(b.tolist()), seed=0) == pytest.approx(expected)


def test_the_swap_test_of_many_items_comes_near_the_exact_p_value() -> None:
    a, b = with_counts([1.0] * 30 + [0.0] * 15), with_counts([0.0] * 30 + [1.0] * 15)
    assert swap_test(mean, a, b, seed=0) == pytest.approx(exact_mcnemar(Discordance(30, 15)), abs=0.01)


def test_one_item_never_shows_a_difference() -> None:
    assert swap_test(mean, with_counts([1.0]), with_counts([0.0]), seed=0) == 1.0


def test_items_of_one_group_are_one_observation() -> None:
    a, b = with_counts([1.0] * 10), with_counts([0.0] * 10)
    assert swap_test(mean, a, b, seed=0) < 0.01
    assert swap_test(mean, a, b, seed=0, groups=["one customer"] * 10) == 1.0


# statsmodels collects garbage in every call, which takes long beside many loaded modules.
@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_equals_that_of_statsmodels(p_values: list[float]) -> None:
    rejected, adjusted, *_ = multipletests(p_values, alpha=0.05, method="holm")
    steps = holm(p_values)
    assert [step.adjusted_p_value for step in steps] == pytest.approx(adjusted.tolist())
    assert [step.adjusted_p_value <= 0.05 for step in steps] == rejected.tolist()


def test_each_interval_has_the_level_at_which_its_test_was_decided() -> None:
    first, second, third = holm([0.001, 0.04, 0.03])
    assert first.level == pytest.approx(1 - 0.05 / 3)
    assert second.level == third.level == pytest.approx(1 - 0.05 / 2)


def test_a_single_test_is_decided_at_95_per_cent() -> None:
    assert holm([0.2])[0].level == pytest.approx(0.95)
    assert holm([]) == []


def test_of_two_thousand_sets_of_four_equal_arms_at_most_five_per_cent_have_any_winner() -> None:
    generator = np.random.default_rng(0)
    won = 0
    for right in generator.random((2000, 4, 60)) < 0.6:
        p_values = [exact_mcnemar(Discordance(int((a & ~b).sum()), int((b & ~a).sum()))) for a, b in combinations(right, 2)]
        won += min(step.adjusted_p_value for step in holm(p_values)) <= 0.05
    assert won <= 100
