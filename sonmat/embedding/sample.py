"""Rows that stand for all of them in checks too slow for millions, with one vector each.

In: every row, batch by batch. Out: up to `MOST_ROWS` of them, drawn by chance but the same for the same seed and rows, and their
features, computed when first asked for: by a pretrained encoder where one is given, else from what the rows are made of.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Emit, Kind
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Example
from sonmat.embedding.encoder import Encoder
from sonmat.embedding.letter_groups import letter_group_features
from sonmat.embedding.pictures import picture_features
from sonmat.embedding.sounds import sound_features
from sonmat.reading.rows import ExampleRows

MOST_ROWS = 20_000


def unwatched(kind: str, message: Text | None = None, /, **data: object) -> None:
    """Progress that nobody watches."""


class DrawnSample:
    """The `Sample` of one look at the data.

    Args:
        encoder: what to compute features with; it takes texts or pictures, never sound.
        emit: told of the progress of slow features.
    """

    def __init__(self, kind: Kind, seed: int, encoder: Encoder | None = None, emit: Emit = unwatched) -> None:
        self._kind = kind
        self._chance = random.Random(seed)
        self._encoder = encoder
        self._emit = emit
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
        if self._kind.modality == "text":
            texts = ExampleRows(self.examples).inputs
            return letter_group_features(texts) if self._encoder is None else self._encoder.of_texts(texts, self._emit)
        paths = [Path(example.input[self._kind.modality]) for example in self.examples]
        if self._kind.modality == "audio":
            return sound_features(paths, self._emit)
        return (
            picture_features(paths, self._emit) if self._encoder is None else self._encoder.of_pictures(paths, self._emit)
        )

    @property
    def features_from(self) -> Text:
        if self._encoder is not None:
            return verbatim(self._encoder.name)
        return {
            "text": Text(en="counts of letter groups", ko="글자 조각의 횟수"),
            "image": Text(en="colours, layout and edges", ko="색, 배치, 윤곽"),
            "audio": Text(en="loudness of bands of pitch", ko="음높이 대역별 세기"),
        }[self._kind.modality]
