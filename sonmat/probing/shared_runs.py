"""Longest pieces of text that answers share with training targets, letter for letter.

In: texts to look in, then texts to look up. Out: for each the longest run that both have, without the parts that it may have from
elsewhere (its own question, its reference). Every 8th group of 12 letters of the training targets is kept as a hash, so that any
run of 19 letters is hit; a hit is then followed letter by letter, so that the length is exact. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.reading.sameness import evened

SHORTEST_FOUND: Final = 19
"""Letters of a run that is certainly seen."""
KNOWN_PIECE: Final = 40.0
"""Letters (16 in Korean) of a piece of the question or reference that is not counted as learnt."""
_GROUP: Final = 12
_STRIDE: Final = 8
_MOST_PLACES: Final = 64
"""Places of one group that are followed. A group with more is a phrase that everybody uses; a longer run through it has rarer "
"ones."""
_BASE: Final = np.uint64(0x9E3779B97F4A7C15)
_DENSE_FROM: Final = 0x1100
"""Of Hangul, Han and kana a letter says about as much as two and a half of others."""
_DENSE_WEIGHT: Final = 2.5


@dataclass(frozen=True)
class Run:
    """A piece of text, and where in the training targets it stands."""

    start: int
    end: int
    target: int
    """Place of the target among those indexed."""
    weight: float
    """Its length in letters of Latin script; a Hangul, Han or kana letter counts for two and a half."""


class SharedRuns:
    """Training targets, ready to be compared with."""

    def __init__(self, targets: Sequence[str]) -> None:
        self._targets = [evened(target) for target in targets]
        hashes: list[NDArray[np.uint64]] = []
        places: list[NDArray[np.int64]] = []
        for number, target in enumerate(self._targets):
            of_target = _hashes(target)[::_STRIDE]
            hashes.append(of_target)
            starts = np.arange(len(of_target), dtype=np.int64) * _STRIDE
            places.append((np.int64(number) << np.int64(32)) | starts)
        joined = np.concatenate(hashes) if hashes else np.empty(0, np.uint64)
        order = np.argsort(joined, kind="stable")
        self._hashes = joined[order]
        self._places = np.concatenate(places)[order] if places else np.empty(0, np.int64)

    def longest(self, text: str, known: Sequence[str] = ()) -> Run | None:
        """The weightiest run that `text` shares with one target, not counting pieces that it shares with `known`.

        Of a run, only the longest stretch is taken without a piece of `KNOWN_PIECE` letters of `known`; a few words that both happen
        to have do not cut it in two.
        """
        text = evened(text)
        hashes = _hashes(text)
        hidden = (
            _pieces_of(text, np.isin(hashes, np.concatenate([_hashes(evened(each)) for each in known]))) if known else None
        )
        best: Run | None = None
        for start, end, target in self._runs(text, hashes):
            for first, last in _uncovered(start, end, hidden):
                weight = _weight(text[first:last])
                if best is None or weight > best.weight:
                    best = Run(first, last, target, weight)
        return best

    def _runs(self, text: str, hashes: NDArray[np.uint64]) -> Iterator[tuple[int, int, int]]:
        """Start and end in `text`, and the target; runs of one target on one diagonal once."""
        lows, highs = np.searchsorted(self._hashes, hashes), np.searchsorted(self._hashes, hashes, side="right")
        followed: dict[tuple[int, int], int] = {}
        for at in np.flatnonzero(highs > lows).tolist():
            for place in self._places[lows[at] : min(highs[at], lows[at] + _MOST_PLACES)].tolist():
                target, there = place >> 32, place & 0xFFFFFFFF
                diagonal = (target, there - at)
                if followed.get(diagonal, -1) > at:
                    continue
                start, end = _extended(text, at, self._targets[target], there)
                followed[diagonal] = end
                if end - start >= _GROUP:
                    yield start, end, target


def _extended(text: str, at: int, target: str, there: int) -> tuple[int, int]:
    """The whole run around equal places; nothing where the hashes are equal and the letters are not."""
    start, back = at, there
    while start > 0 and back > 0 and text[start - 1] == target[back - 1]:
        start, back = start - 1, back - 1
    end, forth = at, there
    while end < len(text) and forth < len(target) and text[end] == target[forth]:
        end, forth = end + 1, forth + 1
    return (start, end) if end > at else (at, at)


def _uncovered(start: int, end: int, hidden: NDArray[np.bool_] | None) -> Iterator[tuple[int, int]]:
    """Stretches of the run without a group that `known` has."""
    if hidden is None:
        yield start, end
        return
    first: int | None = None
    last_group = end - _GROUP
    for at in range(start, last_group + 2):
        free = at <= last_group and not hidden[at]
        if free and first is None:
            first = at
        elif not free and first is not None:
            yield first, at - 1 + _GROUP
            first = None


def _pieces_of(text: str, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of groups that are known, those in long rows of known ones."""
    kept = np.zeros_like(known)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    for first, last in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if _weight(text[first : last - 1 + _GROUP]) >= KNOWN_PIECE:
            kept[first:last] = True
    return kept


def _weight(piece: str) -> float:
    dense = sum(ord(letter) >= _DENSE_FROM for letter in piece)
    return len(piece) + (_DENSE_WEIGHT - 1) * dense


def _hashes(text: str) -> NDArray[np.uint64]:
    """A 64-bit hash of the group of letters that begins at each place; a text shorter than a group has none."""
    letters = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    count = len(letters) - _GROUP + 1
    if count <= 0:
        return np.empty(0, np.uint64)
    hashes = np.zeros(count, np.uint64)
    for place in range(_GROUP):
        hashes = hashes * _BASE + letters[place : place + count] + np.uint64(1)
    return hashes ^ (hashes >> np.uint64(29))
