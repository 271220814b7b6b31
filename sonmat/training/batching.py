"""Which rows each optimiser step sees, and how a step is cut into forward passes.

The order depends on (seed, epoch) and the rows' lengths and weights alone, so that a resumed or a multi-process run sees what one
process would have seen. Rows of like length share a step where they are padded to one another. Where they can be packed, a step's
rows are any, so that steps weigh alike: a step of long rows moves the weights no further than one of short rows. The cut of a step
into forward passes changes nothing but memory and speed, because losses are summed and divided once.
"""

from __future__ import annotations

import hashlib
import math
import random
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Protocol

WINDOW_STEPS = 16
"""Rows are sorted by length inside windows of this many steps: wide enough for little padding, narrow enough to stay random."""


@dataclass(frozen=True)
class StepRows:
    """The rows of one optimiser step and where it stands."""

    epoch: int
    rows: tuple[int, ...]


class OrderOfRows(Protocol):
    """Which rows each step of an epoch sees; a pure function, the same in every process and after every resume."""

    def __call__(self, lengths: Sequence[int], batch_size: int, epoch: int, seed: int) -> list[StepRows]: ...


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


def mixed_steps_of_epoch(lengths: Sequence[int], batch_size: int, epoch: int, seed: int) -> list[StepRows]:
    """Every row once, in steps of `batch_size` rows of any length, in random order: for rows that can be packed."""
    order = list(range(len(lengths)))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return [StepRows(epoch, tuple(order[at : at + batch_size])) for at in range(0, len(order), batch_size)]


def draws_of_epoch(weights: Sequence[float], epoch: int, seed: int) -> list[int]:
    """The rows of an epoch, each floor(weight + u) times, u being uniform by (seed, epoch, row): on average `weight`."""
    chance = random.Random(f"{seed}/{epoch}/weights")
    # Written so that rounding never makes two of a weight of 1.
    times = (math.floor(weight) + (chance.random() < weight % 1) for weight in weights)
    return [row for row, count in enumerate(times) for _ in range(count)]


class Epochs:
    """Which rows each step of a whole training sees. An epoch of weighted rows may have more steps than another.

    Args:
        weights: of the rows, in their order; every row once an epoch if left out.
    """

    def __init__(
        self,
        lengths: Sequence[int],
        batch_size: int,
        epochs: int,
        seed: int,
        order: OrderOfRows,
        weights: Sequence[float] | None = None,
    ) -> None:
        self._lengths, self._batch_size, self._seed, self._order = lengths, batch_size, seed, order
        # Where all rows count once there is nothing to draw.
        self._weights = weights if weights is not None and any(weight != 1 for weight in weights) else None
        sizes = [self._rows_in(epoch) for epoch in range(epochs)]
        self._begins = list(accumulate((math.ceil(size / batch_size) for size in sizes), initial=0))
        self._first = self._steps_in(0)
        self._epoch, self._steps = 0, self._first

    @property
    def total_steps(self) -> int:
        return self._begins[-1]

    @property
    def count(self) -> int:
        return len(self._begins) - 1

    @cached_property
    def fingerprint(self) -> str:
        """Of how many steps there are, and of which rows those of the first epoch see."""
        found = hashlib.sha256(array("q", self._begins).tobytes())
        for step in self._first:
            found.update(array("q", (len(step.rows), *step.rows)).tobytes())
        return found.hexdigest()[:32]

    def first_epoch(self) -> list[StepRows]:
        """The steps of an epoch, to judge by what a training will do."""
        return self._first

    def step_rows(self, step: int) -> StepRows:
        epoch = self._epoch_of(step)
        if self._epoch != epoch:
            self._epoch, self._steps = epoch, self._steps_in(epoch)
        return self._steps[step - self._begins[epoch]]

    def ends_with(self, step: int) -> bool:
        """Whether an epoch is over when `step` steps are done."""
        return step > 0 and step in self._begins

    def done_after(self, step: int) -> float:
        """How many epochs `step` steps are, e.g. 1.5."""
        if step >= self.total_steps:
            return float(self.count)
        epoch = self._epoch_of(step)
        begin, end = self._begins[epoch : epoch + 2]
        return epoch + (step - begin) / (end - begin)

    def _epoch_of(self, step: int) -> int:
        return bisect_right(self._begins, step) - 1

    def _rows_in(self, epoch: int) -> int:
        return len(self._lengths) if self._weights is None else len(draws_of_epoch(self._weights, epoch, self._seed))

    def _steps_in(self, epoch: int) -> list[StepRows]:
        if self._weights is None:
            return self._order(self._lengths, self._batch_size, epoch, self._seed)
        draws = draws_of_epoch(self._weights, epoch, self._seed)
        steps = self._order([self._lengths[row] for row in draws], self._batch_size, epoch, self._seed)
        return [StepRows(epoch, tuple(draws[place] for place in step.rows)) for step in steps]


def forward_passes(
    rows: Sequence[int], lengths: Sequence[int], most_tokens: int, at_least: int = 1, packed: bool = False
) -> list[list[int]]:
    """A step's rows in passes of at most `most_tokens` padded tokens, longest first; `at_least` so many passes if possible.

    They are as few as can be, and of like size: a small rest would take nearly as long as a whole pass.

    Args:
        packed: the rows of a pass take no padding, so that their own tokens count.
    """
    ordered = sorted(rows, key=lambda index: -lengths[index])
    passes = _passes(ordered, lengths, most_tokens, packed)
    # The least limit that needs no more passes.
    low, high = 0, most_tokens
    while high - low > 1:
        middle = (low + high) // 2
        smaller = _passes(ordered, lengths, middle, packed)
        if len(smaller) == len(passes):
            passes, high = smaller, middle
        else:
            low = middle
    while len(passes) < min(at_least, len(ordered)):
        longest = max(passes, key=len)
        half = len(longest) // 2
        passes.append(longest[half:])
        del longest[half:]
    return passes


def _passes(ordered: Sequence[int], lengths: Sequence[int], most_tokens: int, packed: bool) -> list[list[int]]:
    passes: list[list[int]] = []
    tokens = 0
    for index in ordered:
        tokens += lengths[index] if packed or not passes else lengths[passes[-1][0]]
        if passes and tokens <= most_tokens:
            passes[-1].append(index)
        else:
            passes.append([index])
            tokens = lengths[index]
    return passes


def mixed_seed(*numbers: int) -> int:
    """One seed from several numbers; unlike `hash`, the same in every process and version."""
    mixed = 0
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % (2**63 - 1)
    return mixed
