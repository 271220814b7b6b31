"""Which rows must stay in one part of the split, and in which order such units are dealt out.

In: a `RowTable` and links between rows. Out: `Units`. Rows that say the same, rows of one group and rows that a finding links
hang together, also in chains. The order is random by the seed and by what the rows say, not by their places.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.steps.split.rows import Ints, RowTable

_canonical = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode
Seed = int | str


@dataclass(frozen=True)
class Units:
    """Sets of rows that stay together, numbered in the order of the seed."""

    of_row: Ints
    """The unit of every row, shape (rows,)."""
    sizes: Ints
    """Rows of every unit, shape (units,)."""
    rows: Ints
    """All rows, those of unit 0 first, in random order within a unit."""
    starts: Ints
    """Where the rows of each unit begin in `rows`."""

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self, unit: int) -> Ints:
        return self.rows[self.starts[unit] : self.starts[unit] + self.sizes[unit]]


@dataclass(frozen=True)
class Bond:
    """One reason to stay together: `rows` with equal `numbers` do. A row may stand in it several times."""

    rows: Ints
    numbers: Ints


def bonds_of(table: RowTable, links: Iterable[Sequence[str]] = ()) -> list[Bond]:
    """Rows that say the same, rows of one group, and `links` of ids that a finding gave."""
    keys = np.frombuffer(table.input_keys, dtype=np.uint64) if len(table) else np.empty(0, np.uint64)
    same_input = np.unique(keys, return_inverse=True)[1].astype(np.int64)
    groups = _numbered(table.groups)
    grouped = np.flatnonzero(groups >= 0)
    return [Bond(np.arange(len(table)), same_input), Bond(grouped, groups[grouped]), _linked(table, list(links))]


def _linked(table: RowTable, links: list[Sequence[str]]) -> Bond:
    wanted = {id for cluster in links for id in cluster}
    place = {id: row for row, id in enumerate(table.ids) if id in wanted} if wanted else {}
    pairs = [(place[id], number) for number, cluster in enumerate(links) for id in cluster if id in place]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Bond(columns[:, 0], columns[:, 1])


def units_of(table: RowTable, bonds: Iterable[Bond], seed: Seed) -> Units:
    """The units that `bonds` tie together."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = len(table)
    edges = [_edges(bond) for bond in bonds]
    ends = np.concatenate([first for first, _ in edges]), np.concatenate([second for _, second in edges])
    graph = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(rows, rows))
    count, component = connected_components(graph, directed=False)
    return _in_order(table, component.astype(np.int64), int(count), seed)


def _in_order(table: RowTable, component: Ints, count: int, seed: Seed) -> Units:
    sizes = np.bincount(component, minlength=count)
    rows = np.argsort(component, kind="stable")
    starts = np.cumsum(sizes) - sizes
    orders = np.empty(count, dtype=np.uint64)
    for unit, (start, size) in enumerate(zip(starts.tolist(), sizes.tolist(), strict=True)):
        members = rows[start : start + size]
        if size > 1:
            rows[start : start + size] = sorted(members.tolist(), key=lambda row: _digest(seed, table.ids[row]))
        orders[unit] = _prefix(_digest(seed, sorted(table.ids[row] for row in members.tolist())))
    ranking = np.argsort(orders, kind="stable")
    rank = np.empty(count, dtype=np.int64)
    rank[ranking] = np.arange(count)
    sorted_sizes = sizes[ranking]
    moved = np.repeat(starts[ranking], sorted_sizes) + _counting(sorted_sizes)
    return Units(rank[component], sorted_sizes, rows[moved], np.cumsum(sorted_sizes) - sorted_sizes)


def _counting(sizes: Ints) -> Ints:
    """0, 1, … for every unit, one unit after the other."""
    return np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _edges(bond: Bond) -> tuple[Ints, Ints]:
    """A tie of every row to the one before it with the same number."""
    order = np.argsort(bond.numbers, kind="stable")
    numbers, rows = bond.numbers[order], bond.rows[order]
    same = numbers[1:] == numbers[:-1]
    return rows[:-1][same], rows[1:][same]


def _numbered(values: Sequence[Hashable | None]) -> Ints:
    numbers: dict[Hashable, int] = {}
    return np.array([-1 if value is None else numbers.setdefault(value, len(numbers)) for value in values], dtype=np.int64)


def _digest(seed: Seed, what: str | list[str]) -> bytes:
    return hashlib.sha256(_canonical((seed, what)).encode()).digest()


def _prefix(digest: bytes) -> int:
    return int.from_bytes(digest[:8], "big")


def most_of_each(units: Units, values: Sequence[str]) -> tuple[NDArray[np.int64], list[str]]:
    """The commonest value among the rows of each unit, of equals the first in the alphabet, as numbers of the names."""
    names = sorted(set(values))
    number = {name: place for place, name in enumerate(names)}
    codes = np.array([number[value] for value in values], dtype=np.int64)
    most = codes[units.rows[units.starts]] if len(units) else np.empty(0, dtype=np.int64)
    for unit in np.flatnonzero(units.sizes > 1).tolist():
        most[unit] = int(np.bincount(codes[units.members(unit)]).argmax())
    return most, names
