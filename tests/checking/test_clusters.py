"""What stays together in the split, and what goes if near-duplicates are dropped."""

from __future__ import annotations

import numpy as np

from sonmat.checking.clusters import Copies, clusters_of, to_drop
from sonmat.checking.minhash import Pairs


def test_a_short_chain_stays_whole() -> None:
    assert clusters_of(_pairs((0, 1), (1, 2), (5, 7)), rows=10).members == [[0, 1, 2], [5, 7]]


def test_a_chain_longer_than_a_fiftieth_of_the_rows_is_cut_to_what_is_like_its_first_row() -> None:
    chain = [(place, place + 1) for place in range(99)]
    found = clusters_of(_pairs(*chain), rows=100)
    assert found.cut == 1
    assert {len(cluster) for cluster in found.members} == {2}
    assert sorted(place for cluster in found.members for place in cluster) == list(range(100))
    whole = clusters_of(_pairs(*chain), rows=5000)
    assert whole.cut == 0
    assert whole.members == [list(range(100))]


def test_many_copies_of_one_row_stay_together_however_many_they_are() -> None:
    star = [(0, place) for place in range(1, 60)]
    assert clusters_of(_pairs(*star), rows=100).members == [list(range(60))]


def test_no_pairs_have_no_clusters() -> None:
    assert clusters_of(_pairs(), rows=100).members == []


def test_dropping_does_not_follow_chains() -> None:
    pairs = _pairs((0, 1), (1, 2), (2, 3))
    assert to_drop(pairs, np.array([True, True, True])) == {1, 3}


def test_what_stays_after_dropping_is_not_alike() -> None:
    chance = np.random.default_rng(0)
    edges = {(int(min(a, b)), int(max(a, b))) for a, b in chance.integers(0, 60, (150, 2)) if a != b}
    pairs = _pairs(*sorted(edges))
    dropped = to_drop(pairs, np.ones(len(edges), np.bool_))
    assert dropped
    assert all(first in dropped or second in dropped for first, second in edges)


def test_rows_whose_targets_differ_are_not_dropped() -> None:
    assert to_drop(_pairs((0, 1), (0, 2)), np.array([False, True])) == {2}


def test_copies_stand_for_one_another() -> None:
    inputs, targets = np.array([7, 8, 7, 7, 8], np.uint64), np.array([1, 1, 1, 2, 1], np.uint64)
    copies = Copies(inputs, targets)
    assert copies.firsts.tolist() == [0, 1, 3]
    assert [copies.of(first) for first in (0, 1, 3)] == [[0, 2], [1, 4], [3]]
    assert Copies(inputs[:0], targets[:0]).firsts.tolist() == []


def _pairs(*pairs: tuple[int, int]) -> Pairs:
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return Pairs(both[:, 0], both[:, 1], np.ones(len(both)))
