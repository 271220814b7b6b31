"""Which of many fingerprints differ in few bits.

In: fingerprints, a row of 64-bit words each. Out: pairs of places. Few prints are compared each with each; of many, those that
agree in some of 32 random choices of 14 bits: prints that differ in a tenth of their bits are then found 999 times of 1,000.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.buckets import first_of, pairs_in_buckets, second_of

_FEW = 4096
_BANDS, _BITS_A_BAND = 32, 14


def near_prints(prints: NDArray[np.uint64], most_bits: int) -> NDArray[np.uint64]:
    """Pairs that differ in at most `most_bits`, as `first << 32 | second`, first < second, rising."""
    candidates = _all_pairs(len(prints)) if len(prints) <= _FEW else _candidates(prints)
    found = [codes[_distances(prints, codes) <= most_bits] for codes in candidates]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.uint64)


def _distances(prints: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.int64]:
    differing = np.bitwise_count(prints[first_of(codes)] ^ prints[second_of(codes)])
    return np.asarray(differing.sum(axis=1), np.int64)


def _all_pairs(count: int) -> Iterator[NDArray[np.uint64]]:
    for first in range(count - 1):
        yield np.uint64(first << 32) | np.arange(first + 1, count, dtype=np.uint64)


def _candidates(prints: NDArray[np.uint64]) -> Iterator[NDArray[np.uint64]]:
    chance = np.random.default_rng(0)
    chosen = [chance.choice(prints.shape[1] * 64, _BITS_A_BAND, replace=False) for _ in range(_BANDS)]
    for band in range(_BANDS):
        yield from pairs_in_buckets(_bits(prints, chosen[band]), _bits(prints, chosen[(band + 1) % _BANDS]))


def _bits(prints: NDArray[np.uint64], chosen: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The chosen bits of every print as one number."""
    key = np.zeros(len(prints), np.uint32)
    for bit in chosen.tolist():
        key = (key << np.uint32(1)) | ((prints[:, bit // 64] >> np.uint64(bit % 64)) & np.uint64(1)).astype(np.uint32)
    return key
