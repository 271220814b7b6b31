"""Which rows each optimiser step sees, and how a step is cut into forward passes.

The order depends on (seed, epoch) and the rows' lengths alone, so that a resumed or a multi-process run sees what one
process would have seen. Rows of like length share a step, which keeps padding small; the cut of a step into forward passes
changes nothing but memory and speed, because losses are summed and divided once.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sonmat.core.protocols import Row

ROWS_KEPT_BYTES = 1 << 30
WINDOW_STEPS = 16
"""Rows are sorted by length inside windows of this many steps: wide enough for little padding, narrow enough to stay random."""

Item = TypeVar("Item")


class Rows(Generic[Item]):
    """Encoded rows by position. Small ones are kept, large ones (images) are encoded anew each time they are needed."""

    def __init__(self, items: Sequence[Item], encode: Callable[[Item], Row]) -> None:
        self.items = items
        self.encode = encode
        self.kept: dict[int, Row] = {}
        self.lengths: list[int] = []
        room = ROWS_KEPT_BYTES
        for index, item in enumerate(items):
            row = encode(item)
            self.lengths.append(row.length)
            room -= _bytes(row)
            if room > 0:
                self.kept[index] = row

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Row:
        return self.kept[index] if index in self.kept else self.encode(self.items[index])


@dataclass(frozen=True)
class StepRows:
    """The rows of one optimiser step and where it stands."""

    epoch: int
    rows: tuple[int, ...]


def steps_of_epoch(lengths: Sequence[int], batch_size: int, epoch: int, seed: int) -> list[StepRows]:
    """Every row once, in steps of `batch_size` rows of like length, in random order."""
    chance = random.Random(f"{seed}/{epoch}")
    order = list(range(len(lengths)))
    chance.shuffle(order)
    window = batch_size * WINDOW_STEPS
    steps: list[StepRows] = []
    for start in range(0, len(order), window):
        by_length = sorted(order[start : start + window], key=lambda index: lengths[index])
        steps.extend(StepRows(epoch, tuple(by_length[at : at + batch_size])) for at in range(0, len(by_length), batch_size))
    chance.shuffle(steps)
    return steps


def forward_passes(rows: Sequence[int], lengths: Sequence[int], most_tokens: int, at_least: int = 1) -> list[list[int]]:
    """A step's rows in passes of at most `most_tokens` padded tokens, longest first; `at_least` so many passes if possible."""
    ordered = sorted(rows, key=lambda index: -lengths[index])
    passes: list[list[int]] = []
    for index in ordered:
        if passes and lengths[passes[-1][0]] * (len(passes[-1]) + 1) <= most_tokens:
            passes[-1].append(index)
        else:
            passes.append([index])
    while len(passes) < min(at_least, len(ordered)):
        longest = max(passes, key=len)
        half = len(longest) // 2
        passes.append(longest[half:])
        del longest[half:]
    return passes


def _bytes(row: Row) -> int:
    return sum(int(getattr(value, "nbytes", 0)) or 8 * len(value) if _sized(value) else 8 for value in row.arrays.values())


def _sized(value: object) -> bool:
    return isinstance(value, Sequence) or bool(getattr(value, "shape", ()))
