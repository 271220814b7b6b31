"""Which rows have nearly the same text, for the checks of near-duplicates and of leakage: rows in, pairs of positions out.

A system message is left out, because it is often the same for all rows and longer than what a person asks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.clusters import Copies
from sonmat.checking.minhash import Pairs, TextSets, similar_pairs, similarities
from sonmat.checking.repeats import Keys
from sonmat.checking.shingles import ShingleSets, shingle_sets
from sonmat.core.protocols import Kind, Rows
from sonmat.core.values import Json
from sonmat.reading.rows import has_classes, texts_of

SAME_TEXT = 0.8
"""Jaccard similarity of letter groups from which on two texts are nearly the same: one word of about twenty may differ."""


class AlikeTexts:
    """A growing column of texts of inputs, and of targets where these are free texts."""

    def __init__(self, kind: Kind) -> None:
        self.inputs, self.targets = Keys(), Keys()
        self._input_sets = TextSets()
        self._target_sets = None if has_classes(kind) else TextSets()

    def see(self, rows: Rows) -> None:
        self.inputs.extend(rows.input_keys)
        self.targets.extend(rows.target_keys)
        self._input_sets.extend(_input_shingles(rows))
        if self._target_sets is not None:
            self._target_sets.extend(shingle_sets(rows.targets))

    def copies(self) -> Copies:
        return Copies(self.inputs.values(), self.targets.values())

    def pairs(self, positions: NDArray[np.int64]) -> Pairs:
        """Pairs among `positions` whose inputs are nearly but not quite the same."""
        keys = self.inputs.values()
        found = similar_pairs(self._input_sets.read(), positions, SAME_TEXT)
        return found.where(keys[found.first] != keys[found.second])

    def agree(self, pairs: Pairs) -> NDArray[np.bool_]:
        """Whether the targets of each pair are the same, or nearly so where they are free texts."""
        keys = self.targets.values()
        same: NDArray[np.bool_] = keys[pairs.first] == keys[pairs.second]
        if self._target_sets is None or not len(same):
            return same
        return same | (similarities(self._target_sets.read(), pairs.first, pairs.second) >= SAME_TEXT)


def _input_shingles(rows: Rows) -> ShingleSets:
    if rows.examples and "messages" in rows.examples[0].input:
        return shingle_sets([_asked(example.input) for example in rows.examples])
    return shingle_sets(rows.inputs)


def _asked(input: Json) -> str:
    messages = input.get("messages", [])
    spoken = [message for message in messages if message.get("role") != "system"]
    return "\n".join(texts_of({**input, "messages": spoken}))
