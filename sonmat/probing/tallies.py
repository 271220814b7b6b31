"""From an outcome of every item to measures: the mean, its interval, and how it changed against the untuned base.

In: outcomes of one arm and of its base on the same items. Out: `Measure`s. All that are made in one call are one family: Holm's
correction keeps the chance of calling any change real that is none at 5 %. Shares have Wilson's interval and Bonett and Price's for
the change, other means the bootstrap's (`statistics.intervals`); grouped items are drawn together. It knows no probe.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from sonmat.core.proof import Change, Measure, Unit
from sonmat.core.text import Text
from sonmat.statistics import (
    RESAMPLES,
    Discordance,
    HolmStep,
    Sample,
    difference_interval,
    exact_mcnemar,
    holm,
    paired_samples,
    swap_test,
    value_interval,
)
from sonmat.statistics.resampling import Floats
from sonmat.statistics.shares import share

ROWS_SHOWN: Final = 20
"""Items that a measure names."""
_ERROR: Final = 0.05


@dataclass(frozen=True)
class Tally:
    """One thing that was looked at in every item."""

    name: str
    title: Text
    outcomes: Mapping[str, float]
    """By item: 1 where it was so and 0 where not, or any number to take the mean of. Items without an outcome are left out."""
    base: Mapping[str, float] | None = None
    """The untuned base's outcomes; those of other items are not looked at."""
    higher_is_better: bool | None = False
    share: bool = True
    """Whether outcomes are 0 or 1."""
    bounded: bool = False
    """Whether outcomes that are not 0 or 1 lie between them; then no interval is a point."""
    unit: Unit = "share"
    groups: Mapping[str, str | None] = field(default_factory=dict)
    """What items belong together; one that is not in here stands alone."""
    rows: tuple[str, ...] | None = None
    """Items to show, worst first; the worst outcomes if left out, by `higher_is_better`."""
    slice: Mapping[str, str] = field(default_factory=dict)
    note: Text | None = None


@dataclass(frozen=True)
class _Paired:
    """An arm and its base on the items that both have."""

    own: Sample
    base: Sample
    p_value: float


def measures_of(tallies: Sequence[Tally], *, probe: str, arm: str, seed: int) -> list[Measure]:
    """One measure a tally with any outcome, in their order."""
    counted = [tally for tally in tallies if tally.outcomes]
    pairs = {place: pair for place, tally in enumerate(counted) if (pair := _paired(tally, seed)) is not None}
    steps = dict(zip(pairs, holm([pair.p_value for pair in pairs.values()], _ERROR), strict=True))
    return [
        _measure(tally, probe, arm, seed, _change(tally, pairs[place], steps[place]) if place in pairs else None)
        for place, tally in enumerate(counted)
    ]


def value_of_means(sums: Floats) -> Floats:
    """The mean of sums of (outcome, 1)."""
    return share(sums[..., 0], sums[..., 1])


def _measure(tally: Tally, probe: str, arm: str, seed: int, change: Change | None) -> Measure:
    column, groups = _column(tally.outcomes, tally.outcomes), [tally.groups.get(row) for row in tally.outcomes]
    # Wilson's interval needs no resamples.
    resamples = 1 if tally.share and _independent(groups) else RESAMPLES
    sample = paired_samples(value_of_means, {arm: column}, seed, groups, resamples)[arm]
    interval = value_interval(sample, share=tally.share or tally.bounded, right_or_wrong=tally.share)
    return Measure(
        probe=probe,
        name=tally.name,
        title=tally.title,
        arm=arm,
        value=sample.value,
        low=interval.low,
        high=interval.high,
        items=len(tally.outcomes),
        unit=tally.unit,
        higher_is_better=tally.higher_is_better,
        slice=dict(tally.slice),
        change=change,
        rows=(_worst(tally) if tally.rows is None else tally.rows)[:ROWS_SHOWN],
        note=tally.note,
    )


def _paired(tally: Tally, seed: int) -> _Paired | None:
    both = [row for row in tally.outcomes if tally.base is not None and row in tally.base]
    if not both or tally.base is None:
        return None
    own, base = _column(tally.outcomes, both), _column(tally.base, both)
    groups = [tally.groups.get(row) for row in both]
    independent = tally.share and _independent(groups)
    samples = paired_samples(value_of_means, {"own": own, "base": base}, seed, groups, 1 if independent else RESAMPLES)
    if independent:
        ahead = own[:, 0] - base[:, 0]
        p_value = exact_mcnemar(Discordance(int((ahead > 0).sum()), int((ahead < 0).sum())))
    else:
        p_value = swap_test(value_of_means, own, base, seed=seed, groups=groups)
    return _Paired(samples["own"], samples["base"], p_value)


def _change(tally: Tally, pair: _Paired, step: HolmStep) -> Change:
    interval = difference_interval(
        pair.own, pair.base, share=tally.share or tally.bounded, right_or_wrong=tally.share, level=step.level
    )
    beyond = step.adjusted_p_value <= _ERROR and not interval.holds(0.0)
    # Where the exact test cannot tell the two apart, the interval says so, too.
    shown = interval if beyond else interval.including(0.0)
    return Change(difference=pair.own.value - pair.base.value, low=shown.low, high=shown.high, beyond_noise=beyond)


def _worst(tally: Tally) -> tuple[str, ...]:
    """Items that speak against the arm; where neither is better, those that have the thing."""
    sign = 1 if tally.higher_is_better else -1
    ranked = sorted(tally.outcomes, key=lambda row: sign * tally.outcomes[row])
    if not tally.share:
        return tuple(ranked)
    return tuple(row for row in ranked if tally.outcomes[row] != (1 if tally.higher_is_better else 0))


def _column(outcomes: Mapping[str, float], rows: Sequence[str] | Mapping[str, float]) -> Floats:
    return np.array([(outcomes[row], 1.0) for row in rows], dtype=np.float64).reshape(-1, 2)


def _independent(groups: Sequence[str | None]) -> bool:
    named = [group for group in groups if group is not None]
    return len(set(named)) == len(named)
