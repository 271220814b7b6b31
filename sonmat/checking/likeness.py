"""Which rows have nearly the same input, whatever inputs are: the one place that knows how texts, pictures and sounds are compared.

In: rows. Out: pairs of them, and the `Watch` of the checks that report them. A system message is left out of a text, because it
is often the same for all rows and longer than what a person asks.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.buckets import first_of, second_of
from sonmat.checking.clusters import Copies, near_duplicates_finding
from sonmat.checking.minhash import Pairs, TextSets, similar_pairs, similarities
from sonmat.checking.picture_hash import COLOURS, LEAST_CORRELATION, alike_pictures, picture_print
from sonmat.checking.repeats import Keys
from sonmat.checking.shingles import shingle_sets
from sonmat.checking.sound_print import BITS, MOST_BITS, alike_sounds, sound_print
from sonmat.core.protocols import Kind
from sonmat.core.values import Finding, Json
from sonmat.core.watching import Rows, Surroundings
from sonmat.reading.rows import has_classes, texts_of

SAME_TEXT = 0.8
"""Jaccard similarity of letter groups from which on two texts are nearly the same: one word of about twenty may differ."""


class Likeness(Protocol):
    """A growing column of what is needed to compare inputs; a row's place is the number of rows before it."""

    threshold: float
    """Similarity of the pairs that are found, up to 1."""

    def see(self, rows: Rows, chosen: Sequence[int]) -> None:
        """Add the chosen rows of a batch."""

    def pairs(self, places: NDArray[np.int64]) -> Pairs:
        """Pairs among `places` (rising) that are nearly or quite the same."""


def likeness_of(kind: Kind) -> Likeness:
    """What compares the inputs of this kind."""
    if kind.modality == "image":
        return _Pictures()
    return _Sounds() if kind.modality == "audio" else _Texts()


class NearDuplicates:
    """The `Watch` of the checks of near-duplicates."""

    def __init__(self, check: str, data: Surroundings) -> None:
        self._check, self._data = check, data
        self._likeness = likeness_of(data.kind)
        self._inputs, self._targets = Keys(), Keys()
        self._target_sets = None if has_classes(data.kind) else TextSets()

    def see(self, rows: Rows) -> None:
        self._inputs.extend(rows.input_keys)
        self._targets.extend(rows.target_keys)
        self._likeness.see(rows, range(len(rows.examples)))
        if self._target_sets is not None:
            self._target_sets.extend(shingle_sets(rows.targets))

    def findings(self) -> Iterator[Finding]:
        keys = self._inputs.values()
        copies = Copies(keys, self._targets.values())
        pairs = self._likeness.pairs(copies.firsts)
        # The same input with another target is no repetition but a contradiction, or another answer.
        pairs = pairs.where(keys[pairs.first] != keys[pairs.second])
        finding = near_duplicates_finding(
            self._check, self._data, pairs, self._agree(pairs), copies, self._likeness.threshold
        )
        if finding is not None:
            yield finding

    def _agree(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether the targets of each pair are the same, or nearly so where they are free texts."""
        keys = self._targets.values()
        same: NDArray[np.bool_] = keys[pairs.first] == keys[pairs.second]
        if self._target_sets is None or not len(same):
            return same
        return same | (similarities(self._target_sets.read(), pairs.first, pairs.second) >= SAME_TEXT)


class _Texts:
    threshold = SAME_TEXT

    def __init__(self) -> None:
        self._sets = TextSets()

    def see(self, rows: Rows, chosen: Sequence[int]) -> None:
        if rows.examples and "messages" in rows.examples[0].input:
            texts = [_asked(rows.examples[at].input) for at in chosen]
        else:
            texts = [rows.inputs[at] for at in chosen]
        self._sets.extend(shingle_sets(texts))

    def pairs(self, places: NDArray[np.int64]) -> Pairs:
        return similar_pairs(self._sets.read(), places, self.threshold)


def _asked(input: Json) -> str:
    spoken = [message for message in input.get("messages", []) if message.get("role") != "system"]
    return "\n".join(texts_of({**input, "messages": spoken}))


class _Pictures:
    threshold = LEAST_CORRELATION

    def __init__(self) -> None:
        self._bits, self._colours, self._there = bytearray(), bytearray(), bytearray()

    def see(self, rows: Rows, chosen: Sequence[int]) -> None:
        for at in chosen:
            found = picture_print(Path(rows.examples[at].input["image"]))
            self._there.append(found is not None)
            if found is not None:
                self._bits += found.bits.tobytes()
                self._colours += found.colours.tobytes()

    def pairs(self, places: NDArray[np.int64]) -> Pairs:
        there = np.frombuffer(bytes(self._there), np.bool_)
        chosen, places = _with_print(there, places)
        bits = np.frombuffer(bytes(self._bits), np.uint64).reshape(-1, 2)
        colours = np.frombuffer(bytes(self._colours), np.uint8).reshape(-1, COLOURS)
        codes, similarity = alike_pictures(bits[chosen], colours[chosen])
        return Pairs(places[first_of(codes)], places[second_of(codes)], similarity)


class _Sounds:
    threshold = 1 - MOST_BITS / BITS

    def __init__(self) -> None:
        self._bits, self._seconds, self._there = bytearray(), array("d"), bytearray()

    def see(self, rows: Rows, chosen: Sequence[int]) -> None:
        for at in chosen:
            found = sound_print(Path(rows.examples[at].input["audio"]))
            self._there.append(found is not None)
            if found is not None:
                self._bits += found.bits.tobytes()
                self._seconds.append(found.seconds)

    def pairs(self, places: NDArray[np.int64]) -> Pairs:
        there = np.frombuffer(bytes(self._there), np.bool_)
        chosen, places = _with_print(there, places)
        bits = np.frombuffer(bytes(self._bits), np.uint64).reshape(-1, BITS // 64)
        codes, similarity = alike_sounds(bits[chosen], np.array(self._seconds)[chosen])
        return Pairs(places[first_of(codes)], places[second_of(codes)], similarity)


def _with_print(there: NDArray[np.bool_], places: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of the prints of those places that have one, and these places."""
    places = places[there[places]]
    return (np.cumsum(there) - 1)[places], places
