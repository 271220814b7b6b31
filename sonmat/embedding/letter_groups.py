"""Texts as vectors without any model: which groups of letters they are made of (TF-IDF), condensed by a truncated SVD.

In: texts. Out: one vector of length 1 each, of up to 128 dimensions. Groups lie within words: 1 to 3 signs of Korean, Chinese
or Japanese, so that a stem counts whatever ending follows it; 2 to 5 letters of other scripts, beginnings and ends of words
marked. Groups are hashed into 2¹⁷ places, so that memory does not grow with the vocabulary. The same texts give the same
vectors. It knows nothing of meaning: two words for one thing are two things here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from sonmat.embedding.directions import condensed

LETTERS_IN_ALL = 4_000_000
"""Of all texts together; where they have more, each gives its first letters only, never fewer than `FEWEST_LETTERS`."""
FEWEST_LETTERS = 200
MOST_LETTERS = 2_000
"""Of one text: the topic is clear by then, and a book among short messages would cost as much as all of them."""
_LETTERS_AT_ONCE = 400_000
_PLACE_BITS = 17
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_WORD = re.compile(r"[^\W_]+")
_SPACE = ord(" ")
_NOT_A_LETTER = ord("\n")
_DENSE_SIZES = (1, 2, 3)
_LETTER_SIZES = (2, 3, 4, 5)


def letter_group_features(texts: Sequence[str]) -> NDArray[np.float32]:
    """One vector of length 1 for each text, float32 of shape (rows, dimensions)."""
    counts = group_counts(texts)
    # A group that occurs in one text only says nothing of how it relates to the others.
    shared = np.bincount(counts.indices, minlength=counts.shape[1])
    counts = counts[:, np.flatnonzero(shared > 1)]
    in_rows = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = np.log((1 + len(texts)) / (1 + in_rows)) + 1
    # Twice the same group is hardly more than once: 1 + ln(count), as in Salton and Buckley (1988).
    counts.data = ((1 + np.log(counts.data)) * rarity[counts.indices]).astype(np.float32)
    lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(axis=1)).ravel())
    scale = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return condensed(sparse.diags_array(scale.astype(np.float32)) @ counts)


def group_counts(texts: Sequence[str]) -> sparse.csr_array:
    """How often each group of letters occurs in each text, float32 of shape (rows, 2¹⁷)."""
    most = int(np.clip(LETTERS_IN_ALL // max(len(texts), 1), FEWEST_LETTERS, MOST_LETTERS))
    pieces = [_counted(batch) for batch in _batches(texts, most)]
    if not pieces:
        return sparse.csr_array(np.zeros((0, 1 << _PLACE_BITS), dtype=np.float32))
    return cast("sparse.csr_array", sparse.vstack(pieces, format="csr"))


def _batches(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    batch: list[str] = []
    letters = 0
    for text in texts:
        prepared = _prepared(text[:most])
        batch.append(prepared)
        letters += len(prepared)
        if letters > _LETTERS_AT_ONCE:
            yield batch
            batch, letters = [], 0
    if batch:
        yield batch


def _prepared(text: str) -> str:
    """The words in lower case, one space before, between and behind them."""
    return f" {' '.join(_WORD.findall(unicodedata.normalize('NFC', text.lower())))} "


def _counted(texts: list[str]) -> sparse.csr_array:
    # Lone surrogates, which broken files leave, pass as they are.
    joined = (chr(_NOT_A_LETTER).join(texts)).encode("utf-32-le", "surrogatepass")
    signs = np.frombuffer(joined, dtype=np.uint32)
    row_of = np.cumsum(signs == _NOT_A_LETTER)
    between = np.concatenate(([0], np.cumsum((signs == _SPACE) | (signs == _NOT_A_LETTER))))
    dense = np.concatenate(([0], np.cumsum(_is_dense(signs))))
    rows, places = [], []
    for size in sorted({*_DENSE_SIZES, *_LETTER_SIZES}):
        hashes = _hashes(signs, size)
        if not len(hashes):
            continue
        starts = np.arange(len(hashes))
        gaps = between[size:] - between[:-size]
        inner_gaps = between[starts + size - 1] - between[starts + 1] if size > 1 else gaps
        with_dense = dense[size:] > dense[:-size]
        wanted = np.zeros(len(hashes), dtype=bool)
        if size in _DENSE_SIZES:
            wanted |= with_dense & (gaps == 0)
        if size in _LETTER_SIZES:
            # A space at one end marks the beginning or end of a word; at both, there is a word of its own.
            wanted |= ~with_dense & (inner_gaps == 0) & (gaps < size) & (row_of[size - 1 :] == row_of[: len(hashes)])
        rows.append(row_of[: len(hashes)][wanted])
        places.append(hashes[wanted])
    row, place = np.concatenate(rows), np.concatenate(places).astype(np.int64)
    ones = np.ones(len(row), dtype=np.float32)
    counts = sparse.coo_array((ones, (row, place)), shape=(len(texts), 1 << _PLACE_BITS)).tocsr()
    counts.sum_duplicates()
    return counts


def _hashes(signs: NDArray[np.uint32], size: int) -> NDArray[np.uint64]:
    """The place of the group of `size` signs that begins at each sign."""
    count = len(signs) - size + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    with np.errstate(over="ignore"):
        mixed = np.full(count, size, dtype=np.uint64)
        for offset in range(size):
            mixed = (mixed + signs[offset : offset + count]) * _MULTIPLIER
            mixed ^= mixed >> np.uint64(29)
    return mixed >> np.uint64(64 - _PLACE_BITS)


def _is_dense(signs: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Signs of which one says as much as several letters: Hangul, Han, kana."""
    spans = ((0x1100, 0x11FF), (0x3040, 0x30FF), (0x3130, 0x318F), (0x3400, 0x9FFF), (0xAC00, 0xD7FF), (0xF900, 0xFAFF))
    found = (signs >= 0x20000) & (signs <= 0x3FFFF)
    for first, last in spans:
        found |= (signs >= first) & (signs <= last)
    return found
