"""Resamples of test items, the same for every arm, and what a metric gives on them.

In: per-item statistics of one or more arms on the same items, and the metric's function from sums to a value. Out: the
metric on bootstrap resamples, on all-but-one samples, and on samples in which the two arms of a pair are swapped at random.
Items that belong together (a customer, a patient) are drawn together. It knows nothing of tasks and of what an item is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ValueOfSums = Callable[[Floats], Floats]
"""From sums of statistics, shape (..., k), to the metric, shape (...): `Metric.value`."""
Groups = Sequence[str | None]
"""For every item the group it belongs to; None stands for a group of its own."""

RESAMPLES: Final = 10_000
"""Enough that an end point at the 99.9 % level, which many comparisons need, rests on several resamples."""
_CELLS: Final = 1 << 20
"""Weights held in memory at once (8 MiB of float64)."""


def resample_weights(items: int, resamples: int, seed: int, groups: Groups | None = None) -> Iterator[Floats]:
    """How often each item is drawn, in chunks of shape (some resamples, items), `resamples` rows in all.

    The same arguments give the same weights, which is what pairs the arms: every arm is measured on the same draws.
    With `groups`, whole groups are drawn with replacement (cluster bootstrap), so that a row sums to about `items`.
    """
    cluster = cluster_of_items(items, groups)
    clusters = number_of_clusters(cluster)
    generator = np.random.default_rng(seed)
    for rows in _chunks(resamples, items):
        drawn = generator.integers(clusters, size=(rows, clusters)) + np.arange(rows)[:, None] * clusters
        counts = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters)
        yield counts[:, cluster].astype(np.float64)


def resampled_values(
    value: ValueOfSums,
    arms: Sequence[Floats],
    seed: int,
    groups: Groups | None = None,
    resamples: int = RESAMPLES,
) -> Floats:
    """The metric of every arm on every bootstrap resample, shape (arms, resamples).

    Args:
        arms: statistics of each arm, shape (items, k), rows in the same order of items.
    """
    with undefined_allowed():
        chunks = [
            np.stack([value(weights @ statistics) for statistics in arms])
            for weights in resample_weights(len(arms[0]), resamples, seed, groups)
        ]
    return np.concatenate(chunks, axis=1)


def swapped_differences(
    value: ValueOfSums,
    a: Floats,
    b: Floats,
    seed: int,
    groups: Groups | None = None,
    resamples: int = RESAMPLES,
) -> tuple[Floats, bool]:
    """Differences a − b after swapping the arms of randomly chosen clusters, and whether all possible swaps are there.

    Where the arms are equally good, the observed difference is one of these. The statistics of both arms must have the
    same columns. Clusters on which the arms agree are left alone, since swapping them changes nothing.
    """
    cluster = cluster_of_items(len(a), groups)
    changes = np.zeros((number_of_clusters(cluster), a.shape[1]))
    np.add.at(changes, cluster, b - a)
    changes = changes[np.abs(changes).sum(axis=1) > 0]
    clusters = len(changes)
    complete = clusters < 63 and 2**clusters <= resamples
    total_a, total_b = a.sum(axis=0), b.sum(axis=0)
    differences = []
    for swaps in _all_swaps(clusters) if complete else _random_swaps(clusters, resamples, seed):
        moved = swaps @ changes
        with undefined_allowed():
            differences.append(value(total_a + moved) - value(total_b - moved))
    return np.concatenate(differences), complete


def cluster_of_items(items: int, groups: Groups | None) -> NDArray[np.intp]:
    """The number of the cluster that each item belongs to, counted from 0."""
    if groups is None:
        return np.arange(items)
    if len(groups) != items:
        raise ValueError(f"{len(groups)} groups for {items} items")
    numbers: dict[object, int] = {}
    keys: list[object] = [("item", place) if group is None else group for place, group in enumerate(groups)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], dtype=np.intp)


def number_of_clusters(cluster: NDArray[np.intp]) -> int:
    return int(cluster.max()) + 1 if len(cluster) else 0


def undefined_allowed() -> np.errstate:
    """A sample may be such that the metric has no value: NaN then, without NumPy's warning."""
    return np.errstate(invalid="ignore", divide="ignore")


def _chunks(resamples: int, width: int) -> Iterator[int]:
    size = max(1, _CELLS // max(1, width))
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _all_swaps(clusters: int) -> Iterator[Floats]:
    masks = np.arange(2**clusters)[:, None] >> np.arange(clusters)
    yield (masks & 1).astype(np.float64)


def _random_swaps(clusters: int, resamples: int, seed: int) -> Iterator[Floats]:
    generator = np.random.default_rng(seed)
    for rows in _chunks(resamples, clusters):
        bits = np.unpackbits(np.frombuffer(generator.bytes(rows * clusters // 8 + 1), dtype=np.uint8))
        yield bits[: rows * clusters].reshape(rows, clusters).astype(np.float64)
