"""From rows to a `Split`: which way to divide them, and the division itself.

In: a `RowTable`, links between rows, and what the recipe wishes. Out: a `Split` that has been checked. Parts that the data gives
are kept; else rows are divided by time where they have one; else by shares, or into folds where the rows are too few for a
test set. It reads and writes no file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.errors import DataError
from sonmat.core.values import Example, Finding, Fold, Split
from sonmat.runs.seal import seal_of_digests
from sonmat.steps.split import phrases
from sonmat.steps.split.by_time import TooFewInstants, deal_by_time
from sonmat.steps.split.deal import TEST, TRAIN, VALIDATION, TooFewUnits, Traits, deal
from sonmat.steps.split.folding import Folding
from sonmat.steps.split.phrases import Notes
from sonmat.steps.split.rows import RowTable, read_table, strata_of
from sonmat.steps.split.sound import assert_sound_table
from sonmat.steps.split.units import Bond, Units, bonds_of, units_of

SHARES: Final[dict[str, float]] = {TRAIN: 0.70, VALIDATION: 0.15, TEST: 0.15}
_POOREST: Final = 0.5
"""A part with less than this of its asked rows is too poor, if links that can be given up are the reason."""
_LARGE_CLUSTER: Final = 0.05
"""Linked rows of less than this share of all cannot be the reason."""


@dataclass(frozen=True)
class Wishes:
    """What the recipe says about the split."""

    seed: int = 0
    group: str | None = None
    """Name of the column, for the description; every row carries its own value."""
    shares: dict[str, float] = field(default_factory=lambda: dict(SHARES))
    folding: Folding | None = None


@dataclass(frozen=True)
class _Division:
    """Rows of every part, by number, and how well the shares were met."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]
    folds: tuple[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], ...] = ()
    poorest: float = 1.0
    """Of all parts the least share of the asked rows that one got; 1 where nothing can be asked."""


def divide(
    examples: Iterable[Example],
    findings: Iterable[Finding] = (),
    seed: int = 0,
    group: str | None = None,
    shares: dict[str, float] | None = None,
    folding: Folding | None = None,
) -> Split:
    """The split of `examples`, see `divide_table`."""
    links = [cluster for finding in findings for cluster in finding.clusters]
    return divide_table(read_table(examples), links, Wishes(seed, group, shares or dict(SHARES), folding))


def divide_table(table: RowTable, links: Iterable[Sequence[str]], wishes: Wishes) -> Split:
    """The split of the rows of `table`, in which linked rows stay together where the parts allow it.

    Raises:
        DataError: too many rows belong together, or too few times are different, to fill all parts.
        SonmatError: the result would be unsound; a fault of Sonmat that must not go on.
    """
    tied = list(links)
    notes = Notes(group=wishes.group, several_labels=table.several_labels)
    bonds = bonds_of(table, tied)
    units = units_of(table, bonds, wishes.seed)
    first, problem = _attempt(table, bonds, units, wishes, notes)
    if first is None or first.poorest < _POOREST:
        freed = _with_clusters_released(table, units, tied, wishes, notes, needed=first is None)
        if freed is not None:
            bonds, units, first = freed
        elif first is None:
            raise problem
        else:
            # Notes of what was tried in vain are taken back.
            notes.released.clear()
            first, _ = _attempt(table, bonds, units, wishes, notes)
            assert first is not None
    result = _split(table, first, units, wishes, notes)
    assert_sound_table(result, table, bonds)
    return result


def _with_clusters_released(
    table: RowTable, units: Units, links: list[Sequence[str]], wishes: Wishes, notes: Notes, *, needed: bool
) -> tuple[list[Bond], Units, _Division] | None:
    """The division with as many large clusters torn up, largest first, as it takes for every part to get its rows.

    None if that helps nothing; where nothing could be divided before (`needed`), any division at all helps.
    """
    latest = None
    while (loose := _without_largest_cluster(table, units, links, wishes.seed)) is not None:
        links, rows = loose
        notes.released.append(rows)
        bonds = bonds_of(table, links)
        units = units_of(table, bonds, wishes.seed)
        division, _ = _attempt(table, bonds, units, wishes, notes)
        if division is not None:
            latest = bonds, units, division
            if division.poorest >= _POOREST:
                return latest
    return latest if needed else None


def _attempt(
    table: RowTable, bonds: Sequence[Bond], units: Units, wishes: Wishes, notes: Notes
) -> tuple[_Division | None, DataError]:
    """The division, or None and the error to raise if nothing can be given up for it."""
    notes.start_again()
    try:
        return _divided(table, bonds, units, wishes, notes), phrases.too_few_units(0)
    except TooFewUnits as problem:
        return None, phrases.too_few_units(problem.units)
    except TooFewInstants as problem:
        return None, phrases.too_few_instants(problem.instants)


def _divided(table: RowTable, bonds: Sequence[Bond], units: Units, wishes: Wishes, notes: Notes) -> _Division:
    notes.several_rows_a_unit = bool((units.sizes > 1).any())
    traits = Traits(strata_of(table), table.labels if table.several_labels else None)
    notes.stratified = "labels" if any(table.labels) else "numbers" if any(traits.strata) else None
    if wishes.folding is not None:
        return _folded(table, bonds, units, wishes, traits)
    given = _given_parts(table, units)
    divisible = np.flatnonzero(given == _TRAIN_OR_FREE)
    asked = _asked(table, wishes.shares, given)
    parts = np.where(given == _TRAIN_OR_FREE, 0, given).astype(np.int8)
    if len(asked) > 1:
        notes.cut = tuple(asked) if table.has_given_parts else ()
        parts[divisible] = _placed(table, units, divisible, asked, traits, notes)[divisible]
    rows_of_part = [_rows_in(units, np.flatnonzero(parts == part)) for part in range(3)]
    if table.has_given_parts:
        _put_back(table, units, given, rows_of_part, notes)
    poorest = 1.0 if table.has_given_parts or table.has_times else _poorest(rows_of_part, list(asked.values()))
    train, validation, test = rows_of_part
    return _Division(train, validation, test, poorest=poorest)


_TRAIN_OR_FREE: Final = -1
_NUMBER: Final = {TRAIN: 0, VALIDATION: 1, TEST: 2}


def _given_parts(table: RowTable, units: Units) -> NDArray[np.int64]:
    """For every unit 2 or 1 if a row of it was given to test or validation, else -1: it may be divided."""
    if not table.has_given_parts:
        return np.full(len(units), _TRAIN_OR_FREE, dtype=np.int64)
    own = np.array([_NUMBER[part] if part in (VALIDATION, TEST) else _TRAIN_OR_FREE for part in table.given])
    return np.maximum.reduceat(own[units.rows], units.starts).astype(np.int64)


def _asked(table: RowTable, shares: dict[str, float], given: NDArray[np.int64]) -> dict[str, float]:
    """Shares of the parts that are to be made of the divisible rows: training and whatever the data does not give."""
    present = {part for part in table.given if part is not None}
    if present and not (given == _TRAIN_OR_FREE).any():
        raise phrases.nothing_to_learn_from()
    kept = {part: share for part, share in shares.items() if part == TRAIN or part not in present}
    return {part: share / sum(kept.values()) for part, share in kept.items()}


def _placed(
    table: RowTable, units: Units, pool: NDArray[np.int64], shares: dict[str, float], traits: Traits, notes: Notes
) -> NDArray[np.int8]:
    """The part of every unit of `pool` as a number of train, validation, test."""
    if table.has_times:
        timed = deal_by_time(units, table.times, shares, pool)
        notes.timed = timed
        found = timed.parts
    else:
        found = deal(units, shares, traits, pool)
    numbers = np.array([_NUMBER[part] for part in shares], dtype=np.int8)
    return np.where(found >= 0, numbers[np.maximum(found, 0)], np.int8(-1)).astype(np.int8)


def _put_back(
    table: RowTable, units: Units, given: NDArray[np.int64], rows_of_part: list[NDArray[np.int64]], notes: Notes
) -> None:
    """Rows keep the part that the data gave them, also apart from rows that say the same: the audit has judged that."""
    own = np.array([-1 if part is None else _NUMBER[part] for part in table.given])
    apart = np.flatnonzero((given[units.of_row] != _TRAIN_OR_FREE) & (own >= 0) & (own != given[units.of_row]))
    for part in range(3):
        stay = np.setdiff1d(rows_of_part[part], apart, assume_unique=True)
        order = np.isin(rows_of_part[part], stay, assume_unique=True)
        rows_of_part[part] = np.concatenate([rows_of_part[part][order], apart[own[apart] == part]])
    notes.given = {part: sum(own == number) for part, number in _NUMBER.items()}
    notes.without_part = int((own < 0).sum())


def _folded(table: RowTable, bonds: Sequence[Bond], units: Units, wishes: Wishes, traits: Traits) -> _Division:
    folding = wishes.folding
    assert folding is not None
    learnt = {TRAIN: wishes.shares[TRAIN], VALIDATION: wishes.shares[VALIDATION]}
    learnt = {part: share / sum(learnt.values()) for part, share in learnt.items()}
    equal = {str(number): 1 / folding.folds for number in range(1, folding.folds + 1)}
    folds = []
    poorest = 1.0
    for repeat in range(folding.repeats):
        dealt = units_of(table, bonds, f"{wishes.seed}/folds/{repeat}")
        fold_of = deal(dealt, equal, traits)
        for fold in range(folding.folds):
            rest = np.flatnonzero(fold_of != fold)
            inner = deal(dealt, learnt, traits, rest)
            tested = _rows_in(dealt, np.flatnonzero(fold_of == fold))
            poorest = min(poorest, len(tested) * folding.folds / len(table))
            folds.append((_rows_in(dealt, np.flatnonzero(inner == 0)), _rows_in(dealt, np.flatnonzero(inner == 1)), tested))
    released = deal(units, learnt, traits)
    return _Division(
        train=_rows_in(units, np.flatnonzero(released == 0)),
        validation=_rows_in(units, np.flatnonzero(released == 1)),
        test=units.rows,
        folds=tuple(folds),
        poorest=poorest,
    )


def _rows_in(units: Units, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows of `chosen` units, in the order of the units."""
    if not len(chosen):
        return np.empty(0, dtype=np.int64)
    taken = np.zeros(len(units), dtype=bool)
    taken[chosen] = True
    return units.rows[taken[units.of_row[units.rows]]]


def _poorest(rows_of_part: Sequence[NDArray[np.int64]], shares: Sequence[float]) -> float:
    total = sum(len(rows) for rows in rows_of_part)
    return min(len(rows) / (share * total) for rows, share in zip(rows_of_part, shares, strict=True))


def _without_largest_cluster(
    table: RowTable, units: Units, links: list[Sequence[str]], seed: int
) -> tuple[list[Sequence[str]], int] | None:
    """The links without those of the largest unit that they hold together, and its rows; None if no large one is left."""
    unit_of = {id: int(units.of_row[row]) for row, id in enumerate(table.ids)} if links else {}
    linked = {unit_of[id] for cluster in links for id in cluster if id in unit_of}
    firm = units_of(table, bonds_of(table), seed)
    held = [unit for unit in linked if len(set(firm.of_row[units.members(unit)].tolist())) > 1]
    largest = max(held, key=lambda unit: (int(units.sizes[unit]), unit), default=None)
    if largest is None or units.sizes[largest] < _LARGE_CLUSTER * len(table):
        return None
    kept = [cluster for cluster in links if not any(unit_of.get(id) == largest for id in cluster)]
    return kept, int(units.sizes[largest])


def _split(table: RowTable, division: _Division, units: Units, wishes: Wishes, notes: Notes) -> Split:
    ids = table.ids

    def named(rows: NDArray[np.int64]) -> tuple[str, ...]:
        return tuple(ids[row] for row in rows.tolist())

    tested = {label for row in division.test.tolist() for label in table.labels[row]}
    notes.untested = sorted({label for labels in set(table.labels) for label in labels} - tested)
    notes.sizes = (len(division.train), len(division.validation), len(division.test))
    return Split(
        train=named(division.train),
        validation=named(division.validation),
        test=named(division.test),
        seal=seal_of_digests(table.digest(row) for row in division.test.tolist()),
        how=notes.how(wishes.folding),
        folds=tuple(
            Fold(train=named(train), validation=named(validation), test=named(test))
            for train, validation, test in division.folds
        ),
        repeats=wishes.folding.repeats if wishes.folding else 1,
    )
