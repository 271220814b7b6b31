"""The null test: two identical arms are declared equal, and equivalence is not claimed of arms that differ by the margin."""

from __future__ import annotations

import pytest

from benchmarks.null_arms import simulated_margin, simulated_null


@pytest.mark.parametrize("items", [30, 100])
def test_two_identical_arms_are_declared_equal_in_at_least_95_per_cent_of_runs(items: int) -> None:
    """A small one; `benchmarks/null_arms.py` has the figures of the documents."""
    found = simulated_null(items, 0.7, simulations=40, seed=3)
    assert found.share_equal >= 0.95
    # Of equals the one that need not be trained is chosen.
    assert found.tuned_chosen <= 2


def test_identical_arms_are_called_equivalent_with_enough_items_and_different_ones_hardly_ever() -> None:
    assert simulated_null(1500, 0.985, simulations=6, seed=4, metrics=("accuracy",)).equivalent >= 5
    assert simulated_null(60, 0.7, simulations=10, seed=4, metrics=("accuracy",)).equivalent == 0
    assert simulated_margin(1500, 0.985, simulations=6, seed=5) <= 1
