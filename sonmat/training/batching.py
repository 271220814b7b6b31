"""Which rows each optimiser step sees, and how a step is cut into forward passes.

The order depends on (seed, epoch) and the rows' lengths alone, so that a resumed or a multi-process run sees what one
process would have seen. Rows of like length share a step, which keeps padding small; the cut of a step into forward passes
changes nothing but memory and speed, because losses are summed and divided once.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

WINDOW_STEPS = 16
"""Rows are sorted by length inside windows of this many steps: wide enough for little padding, narrow enough to stay random."""


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
