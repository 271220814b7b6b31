"""Which rows share a key, as pairs to look at more closely: never more than 32 a row, however many share its key.

In: a key for each row. Out: pairs of places in portions. Whether the rows of a pair are really alike is decided elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_CROWD = 32
"""A bucket with more rows is not compared each with each, but each with its neighbours and with the first ones."""
_NEIGHBOURS = 4
_PAIRS_AT_ONCE = 1 << 16


def pairs_in_buckets(keys: NDArray[np.uint32], other_keys: NDArray[np.uint32]) -> Iterator[NDArray[np.uint64]]:
    """Pairs of places with equal keys as `first << 32 | second`, first < second, each once a portion.

    `other_keys` puts those side by side in a crowd that share a second key as well.
    """
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    begins = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(order) else np.empty(0, np.int64)
    sizes = np.diff(np.append(begins, len(order)))
    small = (sizes > 1) & (sizes <= _CROWD)
    ends = np.repeat(np.where(small, begins + sizes, 0), sizes)
    places = np.flatnonzero(ends)
    ends = ends[places]
    for offset in range(1, _CROWD):
        within = places + offset < ends
        places, ends = places[within], ends[within]
        if not len(places):
            break
        yield from _portions([(order[places], order[places + offset])])
    waiting: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for begin, size in zip(begins[sizes > _CROWD], sizes[sizes > _CROWD], strict=True):
        waiting += _in_crowd(order[begin : begin + size], other_keys)
        if sum(len(first) for first, _ in waiting) > _PAIRS_AT_ONCE:
            yield from _portions(waiting)
            waiting = []
    yield from _portions(waiting)


def _in_crowd(
    crowd: NDArray[np.int64], other_keys: NDArray[np.uint32]
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Each with those beside it and with the first ones."""
    beside = crowd[np.argsort(other_keys[crowd], kind="stable")]
    neighbours = [(beside[:-offset], beside[offset:]) for offset in range(1, _NEIGHBOURS + 1)]
    firsts = crowd[:_NEIGHBOURS]
    return [*neighbours, (np.repeat(firsts, len(crowd)), np.tile(crowd, len(firsts)))]


def first_of(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (codes >> np.uint64(32)).astype(np.int64)


def second_of(codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    return (codes & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _portions(pairs: list[tuple[NDArray[np.int64], NDArray[np.int64]]]) -> Iterator[NDArray[np.uint64]]:
    if not pairs:
        return
    first, second = (np.concatenate(side) for side in zip(*pairs, strict=True))
    low, high = np.minimum(first, second), np.maximum(first, second)
    codes = (low.astype(np.uint64) << np.uint64(32)) | high.astype(np.uint64)
    codes = np.unique(codes[low != high])
    for start in range(0, len(codes), _PAIRS_AT_ONCE):
        yield codes[start : start + _PAIRS_AT_ONCE]
