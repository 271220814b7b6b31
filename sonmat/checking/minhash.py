"""Which texts are nearly the same, among millions: MinHash finds candidates, the sets of letter groups themselves decide.

In: sets of letter groups, text after text. Out: pairs of texts whose sets have a Jaccard similarity of at least a threshold
(Broder 1997; banding as in Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4).

The sets lie in a file without a name; in memory is a key of four bytes a band and text. Of a text with more than
`MOST_GROUPS` groups, those with the smallest hashes are kept: they are a fair sample, and the similarity of two such texts is
estimated from them with a standard error of at most 0.025. Groups that a tenth of all texts have (an instruction put before
every question) say nothing about which texts are alike and are left out; the price is that texts made to one pattern are not
seen as alike where the pattern makes up a tenth of the data.
"""

from __future__ import annotations

import tempfile
import weakref
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.buckets import first_of, pairs_in_buckets, second_of
from sonmat.checking.shingles import ShingleSets

MOST_GROUPS = 256
BANDS, VALUES_A_BAND = 12, 4
"""Two texts at similarity s meet with probability 1 - (1 - s^4)^12: 0.998 at 0.8, 0.54 at 0.5, 0.09 at 0.3."""
_COMMON_SHARE, _COMMON_LEAST = 0.1, 100
"""Groups in more texts than both of these are boilerplate."""
_TABLE_BITS = 22
_TEXTS_AT_ONCE = 1 << 15
_PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Pairs:
    """Pairs of places that are alike, `first` < `second`, each once, in rising order."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    similarity: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_]) -> Pairs:
        return Pairs(self.first[chosen], self.second[chosen], self.similarity[chosen])


class TextSets:
    """A growing column of sets, one a text."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the column
        weakref.finalize(self, self._file.close)
        self._sizes = array("H")
        self._cut = bytearray()

    def __len__(self) -> int:
        return len(self._sizes)

    def extend(self, sets: ShingleSets) -> None:
        starts = np.concatenate(([0], sets.ends[:-1])).astype(np.int64)
        sizes = sets.ends - starts
        kept = np.minimum(sizes, MOST_GROUPS)
        hashes = sets.hashes
        if (kept < sizes).any():
            place = np.arange(len(hashes)) - np.repeat(starts, sizes)
            hashes = hashes[place < MOST_GROUPS]
        self._file.write(hashes.tobytes())
        self._sizes.frombytes(kept.astype(np.uint16).tobytes())
        self._cut += (sizes > MOST_GROUPS).tobytes()

    def read(self) -> StoredSets:
        """Every set, as they lie in the file."""
        self._file.flush()
        sizes = np.array(self._sizes, np.int64)
        total = int(sizes.sum())
        hashes = np.memmap(self._file, np.uint32, "r", shape=(total,)) if total else np.empty(0, np.uint32)
        return StoredSets(hashes, np.cumsum(sizes) - sizes, sizes, np.frombuffer(bytes(self._cut), np.bool_))


@dataclass(frozen=True)
class StoredSets:
    hashes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    cut: NDArray[np.bool_]
    """Whether only the smallest hashes of the text are there."""

    def of(self, texts: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """The groups of these texts one behind the other, and for each the place of its text in `texts`."""
        sizes = self.sizes[texts]
        owners = np.repeat(np.arange(len(texts)), sizes)
        begin = np.cumsum(sizes) - sizes
        return self.hashes[self.starts[texts][owners] + np.arange(len(owners)) - begin[owners]], owners


def similar_pairs(sets: StoredSets, texts: NDArray[np.int64], threshold: float) -> Pairs:
    """Pairs of the places `texts` (rising, no two the same text) that are at least `threshold` alike, 0 to 1."""
    common = _common_groups(sets, texts)
    keys, filled = _band_keys(sets, texts, common)
    texts = texts[filled]
    known, similarity = np.empty(0, np.uint64), np.empty(0)
    for band in range(BANDS):
        found = [(known, similarity)]
        for candidates in pairs_in_buckets(keys[band], keys[(band + 1) % BANDS]):
            new = candidates[~_among(known, candidates)]
            judged = _judged(sets, texts[first_of(new)], texts[second_of(new)], threshold, common)
            found.append((new[judged >= threshold], judged[judged >= threshold]))
        known, places = np.unique(np.concatenate([codes for codes, _ in found]), return_index=True)
        similarity = np.concatenate([values for _, values in found])[places]
    return Pairs(texts[first_of(known)], texts[second_of(known)], similarity)


def _among(known: NDArray[np.uint64], codes: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each code is in `known`, which is sorted."""
    if not len(known):
        return np.zeros(len(codes), np.bool_)
    return np.asarray(known[np.minimum(np.searchsorted(known, codes), len(known) - 1)] == codes)


def similarities(sets: StoredSets, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
    """The Jaccard similarity of texts at the same place of `first` and `second`, 0 to 1; 1 for two empty ones."""
    parts = [
        _judged(sets, first[start : start + _PAIRS_AT_ONCE], second[start : start + _PAIRS_AT_ONCE], 0.0, None)
        for start in range(0, len(first), _PAIRS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def _common_groups(sets: StoredSets, texts: NDArray[np.int64]) -> NDArray[np.bool_] | None:
    """By the upper bits of a hash, whether its group is in so many texts that it says nothing; None if there is no such group."""
    limit = max(_COMMON_LEAST, _COMMON_SHARE * len(texts))
    if len(texts) <= limit:
        return None
    counts = np.zeros(1 << _TABLE_BITS, np.int32)
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        hashes, _ = sets.of(texts[start : start + _TEXTS_AT_ONCE])
        places, times = np.unique(hashes >> np.uint32(32 - _TABLE_BITS), return_counts=True)
        counts[places] += times
    common = counts > limit
    return common if common.any() else None


def _band_keys(
    sets: StoredSets, texts: NDArray[np.int64], common: NDArray[np.bool_] | None
) -> tuple[NDArray[np.uint32], NDArray[np.bool_]]:
    """A key of each band for each text that has groups, shape (bands, texts), and which texts have."""
    factors = np.random.default_rng(0).integers(0, 2**32, (BANDS, VALUES_A_BAND, 2), np.uint32) | np.uint32(1)
    filled = sets.sizes[texts] > 0
    keys = np.zeros((BANDS, int(filled.sum())), np.uint32)
    done = 0
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        chosen = texts[start : start + _TEXTS_AT_ONCE]
        hashes, owners = _telling(*sets.of(chosen), common)
        if not len(hashes):
            continue
        begins = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
        for band in range(BANDS):
            key = np.zeros(len(begins), np.uint32)
            for factor, change in factors[band]:
                key = (key ^ np.minimum.reduceat((hashes ^ change) * factor, begins)) * np.uint32(0x9E3779B1)
                key ^= key >> np.uint32(15)
            keys[band, done : done + len(begins)] = key
        done += len(begins)
    return keys, filled


def _telling(
    hashes: NDArray[np.uint32], owners: NDArray[np.int64], common: NDArray[np.bool_] | None
) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Groups that are not common; all groups of a text that has no others."""
    if common is None:
        return hashes, owners
    telling = ~common[hashes >> np.uint32(32 - _TABLE_BITS)]
    if telling.all():
        return hashes, owners
    has_telling = np.zeros(int(owners[-1]) + 1, np.bool_)
    has_telling[owners[telling]] = True
    kept = telling | ~has_telling[owners]
    return hashes[kept], owners[kept]


def _judged(
    sets: StoredSets,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    threshold: float,
    common: NDArray[np.bool_] | None,
) -> NDArray[np.float64]:
    """The similarity of each pair; 0 where the sizes alone rule the threshold out."""
    similarity = np.zeros(len(first))
    smaller, larger = np.minimum(sets.sizes[first], sets.sizes[second]), np.maximum(sets.sizes[first], sets.sizes[second])
    possible = np.ones(len(first), np.bool_) if common is not None else (smaller >= threshold * larger)
    possible |= sets.cut[first] | sets.cut[second]
    if possible.any():
        similarity[possible] = _jaccard(sets, first[possible], second[possible], common)
    return similarity


def _jaccard(
    sets: StoredSets, first: NDArray[np.int64], second: NDArray[np.int64], common: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Shared groups by all groups of each pair, over the hashes that both texts would have kept."""
    limits = np.minimum(_limits(sets, first), _limits(sets, second))
    sides = []
    for texts in (first, second):
        hashes, owners = sets.of(texts)
        if len(hashes):
            hashes, owners = _telling(hashes, owners, common)
        within = hashes <= limits[owners]
        sides.append((owners[within].astype(np.uint64) << np.uint64(32)) | hashes[within])
    keys = np.sort(np.concatenate(sides))
    shared = np.bincount((keys[:-1][keys[1:] == keys[:-1]] >> np.uint64(32)).astype(np.int64), minlength=len(first))
    total = np.bincount((keys >> np.uint64(32)).astype(np.int64), minlength=len(first)) - shared
    return np.where(total > 0, shared / np.maximum(total, 1), 1.0)


def _limits(sets: StoredSets, texts: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The largest hash that a text's set is complete up to."""
    limits = np.full(len(texts), 0xFFFFFFFF, np.uint32)
    cut = sets.cut[texts]
    limits[cut] = sets.hashes[sets.starts[texts[cut]] + sets.sizes[texts[cut]] - 1]
    return limits
