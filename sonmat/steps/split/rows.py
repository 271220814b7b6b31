"""What the split needs to know of every row, a few dozen bytes each, so that a million rows fit into little memory.

In: examples, one at a time. Out: a `RowTable` of columns. It keeps no text: of what a row says only hashes stay.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.values import Example, Json, Part
from sonmat.reading.rows import labels_of
from sonmat.reading.sameness import same_hash
from sonmat.runs.seal import DIGEST_BYTES, row_digest

Ints = NDArray[np.int64]

_MOST_BINS: Final = 10
_FEWEST_IN_BIN: Final = 10
"""Rows that a range of numbers should hold, so that each part of the split gets some of them."""


@dataclass
class RowTable:
    """Columns over all rows, in the order of the data. Equal strings are one object."""

    ids: list[str] = field(default_factory=list)
    input_keys: array[int] = field(default_factory=lambda: array("Q"))
    groups: list[str | None] = field(default_factory=list)
    labels: list[tuple[str, ...]] = field(default_factory=list)
    several_labels: bool = False
    """Whether targets are sets of labels, any number a row."""
    numbers: array[float] = field(default_factory=lambda: array("d"))
    """The target where it is one number, NaN elsewhere."""
    times: list[str | None] = field(default_factory=list)
    given: list[Part | None] = field(default_factory=list)
    digests: bytearray = field(default_factory=bytearray)
    """`row_digest` of every row, one after the other."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def has_given_parts(self) -> bool:
        return any(part is not None for part in self.given)

    @property
    def has_times(self) -> bool:
        return any(time is not None for time in self.times)

    def digest(self, row: int) -> bytes:
        return bytes(self.digests[row * DIGEST_BYTES : (row + 1) * DIGEST_BYTES])


def read_table(examples: Iterable[Example]) -> RowTable:
    """The columns of `examples`, which are let go one by one."""
    table = RowTable()
    groups: dict[str | None, str | None] = {}
    labels: dict[tuple[str, ...], tuple[str, ...]] = {}
    for example in examples:
        table.ids.append(example.id)
        table.input_keys.append(same_hash(example.input))
        table.groups.append(groups.setdefault(example.group, example.group))
        found = labels_of(example)
        table.labels.append(labels.setdefault(found, found))
        table.several_labels = table.several_labels or "labels" in example.target
        table.numbers.append(_number(example.target))
        table.times.append(groups.setdefault(example.time, example.time))
        table.given.append(example.part)
        table.digests += row_digest(example)
    return table


def strata_of(table: RowTable) -> list[str]:
    """What each row is spread over the parts by: its label, the range that its number lies in, or '' for neither.

    Numbers are cut at quantiles into ranges of equally many rows, ten at most.
    """
    numbers = np.frombuffer(table.numbers, dtype=np.float64) if len(table) else np.empty(0)
    known = np.isfinite(numbers)
    bins = min(_MOST_BINS, int(known.sum()) // _FEWEST_IN_BIN)
    if bins < 2:
        return [labels[0] if labels else "" for labels in table.labels]
    edges = np.unique(np.quantile(numbers[known], np.arange(1, bins) / bins))
    places = np.searchsorted(edges, numbers, side="right")
    names = [f"range {place + 1:02d}" for place in range(len(edges) + 1)]
    return [names[place] if is_known else "" for place, is_known in zip(places.tolist(), known.tolist(), strict=True)]


def _number(target: Json) -> float:
    """The number that the whole target is; NaN where it is something else."""
    if len(target) != 1:
        return float("nan")
    (value,) = target.values()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else float("nan")
