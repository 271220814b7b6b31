"""Rows that stand for all of them in checks too slow for millions, with one vector each.

In: every row, batch by batch. Out: up to `MOST_ROWS` of them, drawn by chance but the same for the same seed and rows, and their
features, computed when first asked for.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Kind
from sonmat.core.text import Text
from sonmat.core.values import Example

MOST_ROWS = 20_000


class DrawnSample:
    """The `Sample` of one look at the data."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self._kind = kind
        self._chance = random.Random(seed)
        self._drawn: list[tuple[int, Example]] = []
        self._seen = 0

    def see(self, examples: Sequence[Example]) -> None:
        for example in examples:
            place = self._seen if self._seen < MOST_ROWS else self._chance.randrange(self._seen + 1)
            if place == len(self._drawn):
                self._drawn.append((self._seen, example))
            elif place < MOST_ROWS:
                self._drawn[place] = (self._seen, example)
            self._seen += 1

    @cached_property
    def examples(self) -> Sequence[Example]:
        return [example for _, example in sorted(self._drawn, key=lambda entry: entry[0])]

    @cached_property
    def features(self) -> NDArray[np.float32]:
        raise NotImplementedError

    @property
    def features_from(self) -> Text:
        raise NotImplementedError
