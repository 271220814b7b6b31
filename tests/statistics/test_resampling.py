"""Resamples are the same for every arm, keep groups together, and stay small in memory."""

from __future__ import annotations

import numpy as np
import pytest

from sonmat.statistics import resample_weights
from sonmat.statistics.resampling import Floats, cluster_of_items, resampled_values, swapped_differences


def mean(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


def with_counts(values: list[float]) -> Floats:
    return np.array([[value, 1.0] for value in values])


def test_the_same_seed_gives_the_same_weights_and_another_seed_others() -> None:
    first, again, other = (np.concatenate(list(resample_weights(30, 50, seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_resample_draws_as_many_items_as_there_are() -> None:
    weights = np.concatenate(list(resample_weights(17, 200, 0)))
    assert weights.shape == (200, 17)
    assert (weights.sum(axis=1) == 17).all()
    assert weights.mean() == pytest.approx(1.0)


def test_items_of_a_group_are_drawn_together_and_items_without_one_alone() -> None:
    weights = np.concatenate(list(resample_weights(5, 300, 0, ["x", None, "x", "y", None])))
    assert (weights[:, 0] == weights[:, 2]).all()
    assert (weights[:, 1] != weights[:, 4]).any()
    assert cluster_of_items(5, ["x", None, "x", "y", None]).tolist() == [0, 1, 0, 2, 3]


def test_a_wrong_number_of_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="2 groups for 3 items"):
        list(resample_weights(3, 10, 0, ["x", "y"]))


def test_many_items_come_in_chunks_that_stay_below_eight_mebibytes() -> None:
    chunks = list(resample_weights(200_000, 11, 0))
    assert len(chunks) > 1
    assert sum(len(chunk) for chunk in chunks) == 11
    assert max(chunk.nbytes for chunk in chunks) <= 8 * 2**20


def test_arms_are_measured_on_the_same_draws() -> None:
    generator = np.random.default_rng(0)
    arm = with_counts(generator.random(40).tolist())
    better = arm + np.array([0.25, 0.0])
    of_arm, of_better = resampled_values(mean, [arm, better], seed=3, resamples=500)
    assert np.allclose(of_better - of_arm, 0.25)


def test_all_swaps_of_few_items_are_counted_and_equal_items_left_alone() -> None:
    a, b = with_counts([1, 1, 0, 1]), with_counts([0, 1, 1, 0])
    differences, complete = swapped_differences(mean, a, b, seed=0)
    assert complete
    assert sorted(differences * 4) == [-3, -1, -1, -1, 1, 1, 1, 3]


def test_a_group_is_swapped_as_a_whole() -> None:
    a, b = with_counts([1, 1, 1, 1]), with_counts([0, 0, 0, 0])
    differences, complete = swapped_differences(mean, a, b, seed=0, groups=["x", "x", "y", "y"])
    assert complete
    assert sorted(differences) == [-1, 0, 0, 1]
