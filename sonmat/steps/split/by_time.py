"""Deals units out by time: the earliest rows to learn from, the latest to test with.

In: `Units` and the time of every row. Out: the part of every unit, and how many rows did not follow the clock. Rows of one
instant are never divided. Rows that must stay together go where the earliest of them belongs, so that nothing that is tested
has a twin of its own past in another part; rows without a time are learnt from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sonmat.steps.split.deal import PartNumbers
from sonmat.steps.split.units import Units


class TooFewInstants(Exception):
    """There are fewer different times than parts."""

    def __init__(self, instants: int) -> None:
        super().__init__(instants)
        self.instants = instants


@dataclass(frozen=True)
class TimedParts:
    parts: PartNumbers
    borders: tuple[str, ...]
    """The first instant of every part but the first."""
    drawn_back: int
    """Rows that lie in an earlier part than their own time says, because rows that they belong to are there."""
    undated: int


def deal_by_time(
    units: Units, times: Sequence[str | None], shares: dict[str, float], pool: NDArray[np.int64]
) -> TimedParts:
    """The part of every unit of `pool`, as its number in the order of `shares`, earliest first.

    Raises:
        TooFewInstants: not every part gets an instant.
    """
    instants = sorted({time for time in times if time is not None})
    number = {time: place for place, time in enumerate(instants)}
    never = len(instants)
    when = np.array([never if time is None else number[time] for time in times], dtype=np.int64)
    first = np.minimum.reduceat(when[units.rows], units.starts) if len(units) else np.empty(0, np.int64)
    dated = pool[first[pool] < never]
    rows_at = np.bincount(first[dated], weights=units.sizes[dated], minlength=never)
    begins = _begins(rows_at, list(shares.values()))
    parts = np.full(len(units), -1, dtype=np.int8)
    parts[pool] = 0
    parts[dated] = np.searchsorted(begins, first[dated], side="right").astype(np.int8)
    by_clock = np.where(when < never, np.searchsorted(begins, when, side="right"), 0)
    given = parts[units.of_row]
    return TimedParts(
        parts=parts,
        borders=tuple(instants[begin] for begin in begins),
        drawn_back=int(((given >= 0) & (by_clock > given)).sum()),
        undated=int(((given >= 0) & (when == never)).sum()),
    )


def _begins(rows_at: NDArray[Any], shares: Sequence[float]) -> list[int]:
    """The instants at which every part but the first begins, each as near to its share as whole instants allow."""
    used = np.flatnonzero(rows_at)
    if len(used) < len(shares):
        raise TooFewInstants(len(used))
    before = np.cumsum(rows_at[used]) - rows_at[used]
    begins: list[int] = []
    place = 0
    for part, wanted in enumerate(np.cumsum(shares)[:-1] * rows_at.sum(), start=1):
        lowest, highest = place + 1, len(used) - (len(shares) - part)
        place = lowest + int(np.abs(before[lowest : highest + 1] - wanted).argmin())
        begins.append(int(used[place]))
    return begins
