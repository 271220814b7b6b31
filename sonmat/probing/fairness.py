"""How far slices lie apart: the worst of them, the widest gap between two, and which differ from the rest beyond noise.

In: outcomes of rows, and rows by slice. Out: figures with intervals that allow for having looked at all slices. The worst of many
slices is low by chance alone, and a gap is never negative; so

- the worst: intervals of all k slices at the level 1 − 0.05/k (Bonferroni) hold together, hence the true worst lies between the
  smallest of their lower and the smallest of their upper ends;
- the gap: the same over all pairs, each by the method of variance estimates recovery (Newcombe 1998, Statistics in Medicine 17:873,
  method 10; Zou and Donner 2008, Statistics in Medicine 27:1693) from the intervals of both;
- differs from the rest: Fisher's exact test of right and wrong; of other scores, or where rows belong together, a permutation test
  (Phipson and Smyth 2010) that moves what belongs together as one. Holm's correction is the caller's.

It knows no probe and makes no words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.probing.tallies import value_of_means
from sonmat.statistics import RESAMPLES, Interval, paired_samples, value_interval, wilson_interval
from sonmat.statistics.resampling import Floats

ERROR: Final = 0.05
_CELLS: Final = 1 << 20
_SAME: Final = 1e-12


@dataclass(frozen=True)
class Outcomes:
    """What came of every row, between 0 and 1."""

    of_row: Mapping[str, float]
    right_or_wrong: bool
    """Whether each is 0 or 1."""
    groups: Mapping[str, str | None]
    """What rows belong together."""

    def independent(self, rows: Sequence[str]) -> bool:
        named = [group for row in rows if (group := self.groups.get(row)) is not None]
        return len(set(named)) == len(named)


@dataclass(frozen=True)
class Estimate:
    """A share or mean of one slice."""

    value: float
    interval: Callable[[float], Interval]
    """At a confidence level."""


@dataclass(frozen=True)
class Spread:
    """The widest gap between two slices."""

    value: float
    low: float
    high: float
    family: int
    """Of several families of estimates, the one that has it."""
    best: int
    worst: int
    """Places within the family."""


def mean_of(outcomes: Outcomes, rows: Sequence[str], seed: int) -> Estimate:
    """The mean of a slice, which has a row at least."""
    column = np.array([(outcomes.of_row[row], 1.0) for row in rows], dtype=np.float64)
    groups = [outcomes.groups.get(row) for row in rows]
    quick = outcomes.right_or_wrong and outcomes.independent(rows)
    sample = paired_samples(value_of_means, {"": column}, seed, groups, 1 if quick else RESAMPLES)[""]

    def interval(level: float) -> Interval:
        return value_interval(sample, share=True, right_or_wrong=outcomes.right_or_wrong, level=level)

    return Estimate(sample.value, interval)


def rate_of(hits: Sequence[bool], groups: Sequence[str | None]) -> Estimate:
    """A rate with Wilson's interval; rows that belong together count as one row, which is too wide rather than too narrow."""
    value = sum(hits) / len(hits)
    units = len({group for group in groups if group is not None}) + sum(group is None for group in groups)
    return Estimate(value, lambda level: wilson_interval(value * units, units, level).including(value))


def worst_interval(estimates: Sequence[Estimate]) -> Interval:
    """Of the lowest of the true values, whichever slice has it."""
    intervals = [each.interval(1 - ERROR / len(estimates)) for each in estimates]
    return Interval(min(each.low for each in intervals), min(each.high for each in intervals))


def widest_gap(families: Sequence[Sequence[Estimate]]) -> Spread | None:
    """The widest gap between two slices in any family; None where no family has two."""
    pairs = sum(len(family) * (len(family) - 1) // 2 for family in families)
    if not pairs:
        return None
    gaps = [_gap(place, family, 1 - ERROR / pairs) for place, family in enumerate(families) if len(family) > 1]
    widest = max(gaps, key=lambda gap: gap.value)
    return Spread(
        value=widest.value,
        low=max(gap.low for gap in gaps),
        high=max(gap.high for gap in gaps),
        family=widest.family,
        best=widest.best,
        worst=widest.worst,
    )


def _gap(place: int, family: Sequence[Estimate], level: float) -> Spread:
    intervals = [each.interval(level) for each in family]
    values = np.array([each.value for each in family])
    below = (values - np.array([each.low for each in intervals])) ** 2
    above = (np.array([each.high for each in intervals]) - values) ** 2
    apart = values[:, None] - values[None, :]
    pairs = ~np.eye(len(family), dtype=bool)
    low = (apart - np.sqrt(below[:, None] + above[None, :]))[pairs].max()
    high = (apart + np.sqrt(above[:, None] + below[None, :]))[pairs].max()
    # Of equals the first and the last, so that no slice is told to differ from itself.
    best, worst = int(values.argmax()), len(values) - 1 - int(values[::-1].argmin())
    return Spread(float(values[best] - values[worst]), max(0.0, float(low)), min(1.0, float(high)), place, best, worst)


def p_values_against_the_rest(parts: Sequence[Sequence[str]], outcomes: Outcomes, seed: int) -> list[float]:
    """For each part the two-sided p-value of its mean against that of all other parts together, not adjusted."""
    rows = [row for part in parts for row in part]
    if len(parts) < 2 or len({outcomes.of_row[row] for row in rows}) < 2:
        return [1.0] * len(parts)
    if outcomes.right_or_wrong and outcomes.independent(rows):
        return _fisher(parts, outcomes)
    return _permuted(parts, outcomes, seed)


def _fisher(parts: Sequence[Sequence[str]], outcomes: Outcomes) -> list[float]:
    from scipy.stats import fisher_exact

    right = [sum(outcomes.of_row[row] for row in part) for part in parts]
    wrong = [len(part) - count for part, count in zip(parts, right, strict=True)]
    tables = [[[a, b], [sum(right) - a, sum(wrong) - b]] for a, b in zip(right, wrong, strict=True)]
    return [float(fisher_exact(np.array(table, dtype=np.int64)).pvalue) for table in tables]


def _permuted(parts: Sequence[Sequence[str]], outcomes: Outcomes, seed: int) -> list[float]:
    """Permutes which units, rows of one group in one part, are in which part."""
    sums: list[float] = []
    sizes: list[int] = []
    starts: list[int] = []
    for part in parts:
        units: dict[object, list[float]] = {}
        for row in part:
            group = outcomes.groups.get(row)
            units.setdefault(("row", row) if group is None else group, []).append(outcomes.of_row[row])
        starts.append(len(sums))
        sums += [sum(unit) for unit in units.values()]
        sizes += [len(unit) for unit in units.values()]
    amounts, counts = np.array(sums), np.array(sizes, dtype=np.float64)
    observed = _apart(amounts[None, :], counts[None, :], starts)[0]
    at_least = np.zeros(len(parts))
    for order in _orders(len(sums), seed):
        at_least += (_apart(amounts[order], counts[order], starts) >= observed - _SAME).sum(axis=0)
    return [float(count) for count in (at_least + 1) / (RESAMPLES + 1)]


def _apart(amounts: Floats, counts: Floats, starts: Sequence[int]) -> Floats:
    """How far the mean of each part is from that of the rest, shape (permutations, parts)."""
    amount, count = np.add.reduceat(amounts, starts, axis=1), np.add.reduceat(counts, starts, axis=1)
    rest, others = amount.sum(axis=1, keepdims=True) - amount, count.sum(axis=1, keepdims=True) - count
    apart: Floats = np.abs(amount / count - rest / others)
    return apart


def _orders(units: int, seed: int) -> Iterator[NDArray[np.int64]]:
    generator = np.random.default_rng(seed)
    size = max(1, _CELLS // units)
    for start in range(0, RESAMPLES, size):
        rows = min(size, RESAMPLES - start)
        yield generator.permuted(np.tile(np.arange(units), (rows, 1)), axis=1)
