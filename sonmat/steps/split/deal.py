"""Deals units out to parts so that parts have the asked sizes and each class is spread over them in proportion.

In: `Units`, the shares of the parts, and what to spread by. Out: the part of every unit. Rows with one label (or the range of a
number) are dealt class by class; rows with several labels by iterative stratification. The same units and shares give the same
parts.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.steps.split.units import Units, most_of_each

PartNumbers = NDArray[np.int8]
"""The part of every unit, shape (units,); -1 for one that takes no part."""

TRAIN: Final = "train"
VALIDATION: Final = "validation"
TEST: Final = "test"


class TooFewUnits(Exception):
    """`units` sets of rows are too few to fill every part."""

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.units = units


@dataclass(frozen=True)
class Traits:
    """What rows are spread by: the stratum of each row, or all labels of each row where they may have several."""

    strata: Sequence[str]
    labels: Sequence[tuple[str, ...]] | None = None


def deal(units: Units, shares: dict[str, float], traits: Traits, chosen: NDArray[np.int64] | None = None) -> PartNumbers:
    """The part of every unit, as its number in the order of `shares`.

    Args:
        shares: of the rows, together 1, by the name of the part; 'test' and 'validation' get something of each class where
            they can.
        chosen: units to deal out; all if left out.
    Raises:
        TooFewUnits: a part would be empty.
    """
    pool = np.arange(len(units)) if chosen is None else chosen
    parts = np.full(len(units), -1, dtype=np.int8)
    if traits.labels is None:
        kinds, names = most_of_each(units, traits.strata)
        _by_class(units, pool, kinds, names, shares, parts)
    else:
        _by_several_labels(units, pool, traits.labels, shares, parts)
        kinds = np.zeros(len(units), dtype=np.int64)
    _fill_empty_parts(units, pool, kinds, shares, parts)
    return parts


def _by_class(
    units: Units,
    pool: NDArray[np.int64],
    kinds: NDArray[np.int64],
    names: Sequence[str],
    shares: dict[str, float],
    parts: PartNumbers,
) -> None:
    """Each unit to the part that lacks most rows of its class; large units first, because they are hardest to place."""
    total = int(units.sizes[pool].sum())
    lacking_all = [share * total for share in shares.values()]
    rows_of_class = np.bincount(kinds[pool], weights=units.sizes[pool], minlength=len(names)).astype(np.int64)
    # Rare classes first: the common ones then even out the sizes of the parts.
    for kind in sorted(set(kinds[pool].tolist()), key=lambda kind: (rows_of_class[kind], names[kind])):
        stratum = pool[kinds[pool] == kind]
        lacking = [share * int(rows_of_class[kind]) for share in shares.values()]
        stratum = stratum[np.argsort(-units.sizes[stratum], kind="stable")]
        for unit, size in zip(stratum.tolist(), units.sizes[stratum].tolist(), strict=True):
            part = _most_lacking(lacking, lacking_all)
            parts[unit] = part
            lacking[part] -= size
            lacking_all[part] -= size
        _spread(units, stratum, list(shares), parts)


def _most_lacking(lacking: Sequence[float], lacking_all: Sequence[float]) -> int:
    best, best_worth = 0, (round(lacking[0], 6), lacking_all[0])
    for part in range(1, len(lacking)):
        worth = (round(lacking[part], 6), lacking_all[part])
        if worth > best_worth:
            best, best_worth = part, worth
    return best


def _spread(units: Units, stratum: NDArray[np.int64], names: Sequence[str], parts: PartNumbers) -> None:
    """Give a class of few large units one to test with, and one to validate with where training keeps half of its rows: what
    is never tested is not proven, whatever the proportions."""
    if TRAIN not in names:
        return

    def held(name: str) -> NDArray[np.int64]:
        return stratum[parts[stratum] == names.index(name)] if name in names else np.empty(0, np.int64)

    if TEST in names and not len(held(TEST)):
        giver = VALIDATION if len(held(VALIDATION)) else TRAIN
        _move_smallest(units, held(giver), names, giver, TEST, parts)
    if VALIDATION not in names or len(held(VALIDATION)):
        return
    trained = units.sizes[held(TRAIN)]
    smallest = int(trained.min()) if len(trained) else 0
    if int(trained.sum()) - smallest >= int(units.sizes[stratum].sum()) / 2:
        _move_smallest(units, held(TRAIN), names, TRAIN, VALIDATION, parts)


def _move_smallest(
    units: Units, held: NDArray[np.int64], names: Sequence[str], giver: str, taker: str, parts: PartNumbers
) -> None:
    """Move a unit, unless it is the last one that can be learnt from."""
    if giver == TRAIN and len(held) < 2:
        return
    smallest = min(held.tolist(), key=lambda unit: (int(units.sizes[unit]), unit))
    parts[smallest] = names.index(taker)


def _by_several_labels(
    units: Units,
    pool: NDArray[np.int64],
    labels: Sequence[tuple[str, ...]],
    shares: dict[str, float],
    parts: PartNumbers,
) -> None:
    """Iterative stratification (Sechidis, Tsoumakas and Vlahavas 2011, ECML PKDD, 145), of units instead of rows.

    The label with the fewest rows left is dealt out next; each unit with it goes to the part that lacks most rows of that
    label, then most rows at all, then to the part that is named last, so that rare labels are tested before they are chosen by.
    """
    counts = {unit: _label_counts(units, unit, labels) for unit in pool.tolist()}
    with_label: dict[str, list[int]] = {}
    left: Counter[str] = Counter()
    for unit, found in counts.items():
        for label, rows in found:
            left[label] += rows
            with_label.setdefault(label, []).append(unit)
    sizes = units.sizes.tolist()
    lacking_all = [share * int(units.sizes[pool].sum()) for share in shares.values()]
    lacking = {label: [share * rows for share in shares.values()] for label, rows in left.items()}

    def give(unit: int, lacked: Sequence[float]) -> None:
        part = max(range(len(shares)), key=lambda part: (round(lacked[part], 6), round(lacking_all[part], 6), part))
        parts[unit] = part
        lacking_all[part] -= sizes[unit]
        for label, rows in counts[unit]:
            lacking[label][part] -= rows
            left[label] -= rows

    waiting = [(rows, label) for label, rows in left.items()]
    heapq.heapify(waiting)
    while waiting:
        rows, label = heapq.heappop(waiting)
        if left[label] != rows:
            heapq.heappush(waiting, (left[label], label))
            continue
        for unit in sorted((unit for unit in with_label[label] if parts[unit] < 0), key=lambda unit: (-sizes[unit], unit)):
            give(unit, lacking[label])
    for unit in sorted((unit for unit in counts if parts[unit] < 0), key=lambda unit: (-sizes[unit], unit)):
        give(unit, lacking_all)


def _label_counts(units: Units, unit: int, labels: Sequence[tuple[str, ...]]) -> tuple[tuple[str, int], ...]:
    if units.sizes[unit] == 1:
        return _once_each(labels[units.rows[units.starts[unit]]])
    return tuple(Counter(label for row in units.members(unit) for label in labels[row]).items())


@cache
def _once_each(labels: tuple[str, ...]) -> tuple[tuple[str, int], ...]:
    """One object for all rows with these labels: there may be millions."""
    return tuple(Counter(labels).items())


def _fill_empty_parts(
    units: Units, pool: NDArray[np.int64], kinds: NDArray[np.int64], shares: dict[str, float], parts: PartNumbers
) -> None:
    for part, name in enumerate(shares):
        if name == TRAIN or (parts[pool] == part).any():
            continue
        units_of_part = np.bincount(parts[pool], minlength=len(shares))
        units_of_class = np.bincount(kinds[pool], minlength=int(kinds.max(initial=0)) + 1)
        # The only unit of a class stays where it can be learnt.
        spare = pool[(units_of_part[parts[pool]] > 1) & (units_of_class[kinds[pool]] > 1)]
        if not len(spare):
            raise TooFewUnits(len(pool))
        parts[min(spare.tolist(), key=lambda unit: (int(units.sizes[unit]), unit))] = part
