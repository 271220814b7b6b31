"""Calibration errors: scikit-learn's bins, the debiased estimator by hand, and what chance makes of a perfect arm."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from sonmat.statistics.calibration import calibration_of, equal_mass_bins
from sonmat.statistics.resampling import Floats


def answers(items: int, seed: int, excess: float = 0.0) -> tuple[Floats, Floats]:
    """Confidences, and answers that are right less often than those say by `excess`."""
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.4, 1.0, items)
    return confidence, (generator.random(items) < np.clip(confidence - excess, 0, 1)).astype(np.float64)


def test_bins_are_those_of_scikit_learn() -> None:
    confidence, right = answers(400, seed=1, excess=0.1)
    shares, means = calibration_curve(right, confidence, n_bins=10, strategy="quantile")
    found = calibration_of(confidence, right, seed=0)
    assert [each.right for each in found.bins] == pytest.approx(shares.tolist())
    assert [each.confidence for each in found.bins] == pytest.approx(means.tolist())
    assert found.expected == pytest.approx(float(np.abs(shares - means).mean()))


def test_equal_confidences_are_never_parted_and_small_bins_join_others() -> None:
    confidence = np.array([0.5] * 30 + [0.9] * 28 + [0.95] * 2)
    bins = equal_mass_bins(confidence)
    assert len(set(bins[:30].tolist())) == 1
    assert np.bincount(bins).min() >= 5
    assert equal_mass_bins(np.full(40, 0.7)).tolist() == [0] * 40


def test_the_error_without_bias_is_the_debiased_estimator_of_kumar_for_one_confidence() -> None:
    right = np.array([1.0] * 18 + [0.0] * 12)
    found = calibration_of(np.full(30, 0.9), right, seed=0)
    by_hand = (0.6 - 0.9) ** 2 - 0.6 * 0.4 / 29
    assert found.root_mean_square == pytest.approx(by_hand**0.5)


def test_a_perfect_arm_of_few_answers_shows_an_error_that_is_called_chance() -> None:
    expected, chance, beyond, squares = [], [], 0, []
    for seed in range(60):
        found = calibration_of(*answers(60, seed), seed=0)
        expected.append(found.expected)
        chance.append(found.chance)
        squares.append(found.root_mean_square)
        beyond += found.expected > found.chance_high
        assert found.expected_interval.low == 0 or found.expected > found.chance_high
    # The plain error is a tenth although there is none.
    assert np.mean(expected) > 0.06
    assert np.mean(expected) == pytest.approx(np.mean(chance), abs=0.02)
    assert beyond <= 7
    assert np.mean(squares) < np.mean(expected)


def test_intervals_hold_the_true_error_of_an_overconfident_arm() -> None:
    held, held_square, told = 0, 0, 0
    for seed in range(60):
        found = calibration_of(*answers(200, seed, excess=0.15), seed=seed)
        held += found.expected_interval.holds(0.15)
        held_square += found.root_mean_square_interval.holds(0.15)
        told += found.expected > found.chance_high
    assert told >= 54
    assert held >= 52
    assert held_square >= 52


def test_answers_in_groups_make_wider_intervals() -> None:
    generator = np.random.default_rng(3)
    confidence = np.repeat(generator.uniform(0.5, 1.0, 20), 10)
    right = np.repeat((generator.random(20) < 0.6).astype(np.float64), 10)
    alone = calibration_of(confidence, right, seed=0)
    grouped = calibration_of(confidence, right, seed=0, groups=[str(place // 10) for place in range(200)])
    assert grouped.root_mean_square_interval.width > alone.root_mean_square_interval.width
    assert grouped.root_mean_square < alone.root_mean_square


def test_answers_that_are_certain_and_right_have_no_error() -> None:
    found = calibration_of(np.ones(40), np.ones(40), seed=0)
    assert (found.expected, found.root_mean_square) == (0, 0)
    assert found.expected_interval.holds(0)
