"""What probes measured, arranged to be read: by probe, by measure, arm beside arm, and by slice.

In: a proof, and what finds the rows behind a figure. Out: `ProbeSection`s. No probe is known by name but for the order in
which they stand, so a new one appears without a change here. Measures that are drawn as plots of their own are told to be
left out by whoever draws them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from sonmat.core.proof import Measure, Proof
from sonmat.core.text import Text
from sonmat.steps.report.evidence import Rows
from sonmat.steps.report.probed import ArmFigure, Changes, MeasureLine, ProbeSection, SliceSet
from sonmat.steps.report.vocabulary import probe_title

FIRST: Final = (
    "judge",
    "blind",
    "forgetting",
    "safety",
    "leakage",
    "fairness",
    "counterfactual",
    "stability",
    "calibration",
)
"""Probes that are told first, in this order; the others follow as the proof has them."""
LAST: Final = ("speed", "cost")
MOST_SETS: Final = 12
"""Plots of slices in a section."""
MOST_SLICES: Final = 24
"""Slices in a plot."""


def probe_sections(proof: Proof, first_arm: str, rows: Rows, drawn: Collection[int]) -> tuple[ProbeSection, ...]:
    """One section a probe.

    Args:
        first_arm: whose rows are quoted first.
        drawn: `id`s of measures that are drawn elsewhere.
    """
    probes = dict.fromkeys(measure.probe for measure in proof.measures)
    order = sorted(probes, key=_rank)
    arms = [arm.candidate for arm in proof.arms]
    return tuple(_section(probe, proof, arms, first_arm, rows, drawn) for probe in order)


def _rank(probe: str) -> int:
    if probe in LAST:
        return len(FIRST) + 1 + LAST.index(probe)
    return FIRST.index(probe) if probe in FIRST else len(FIRST)


def _section(
    probe: str, proof: Proof, arms: Sequence[str], first_arm: str, rows: Rows, drawn: Collection[int]
) -> ProbeSection:
    own = [measure for measure in proof.measures if measure.probe == probe]
    left = [measure for measure in own if id(measure) not in drawn]
    whole = _grouped([measure for measure in left if not measure.slice], lambda measure: (measure.name,))
    titles = {group[0].name: _common_title(group, first_arm) for group in whole}
    sets = _slice_sets([measure for measure in left if measure.slice], arms, first_arm, titles)
    names = {group[0].name for group in whole}
    alone = [each for each in sets if each.name not in names]
    shown = set(map(id, (*alone, *(each for each in sets if each.name in names))[:MOST_SETS]))
    return ProbeSection(
        probe=probe,
        title=probe_title(probe),
        changes=tuple(_changes(arm, own) for arm in arms if any(each.arm == arm and each.change for each in own)),
        lines=tuple(
            _line(
                group,
                arms,
                first_arm,
                rows,
                tuple(each for each in sets if each.name == group[0].name and id(each) in shown),
            )
            for group in whole
        ),
        slices=tuple(each for each in alone if id(each) in shown),
        slices_in_all=len(sets),
        guards=tuple(guard for guard in proof.guards if guard.measure.partition(".")[0] == probe),
    )


def _line(
    group: Sequence[Measure], arms: Sequence[str], first_arm: str, rows: Rows, slices: tuple[SliceSet, ...]
) -> MeasureLine:
    ordered = sorted(group, key=lambda measure: arms.index(measure.arm) if measure.arm in arms else len(arms))
    asked_first = sorted(ordered, key=lambda measure: measure.arm != first_arm)
    shown = {id(measure): rows.behind(measure) for measure in asked_first}
    notes = [measure.note for measure in ordered]
    return MeasureLine(
        name=group[0].name,
        title=_common_title(group, first_arm),
        unit=group[0].unit,
        higher_is_better=group[0].higher_is_better,
        figures=tuple(ArmFigure(measure=measure, shown=shown[id(measure)]) for measure in ordered),
        slices=slices,
        note=notes[0] if all(note == notes[0] for note in notes) else None,
    )


def _common_title(group: Sequence[Measure], first_arm: str) -> Text:
    """That of the arm that matters most; others that are called otherwise say so beside their figure."""
    return next((measure.title for measure in group if measure.arm == first_arm), group[0].title)


def _slice_sets(
    measures: Sequence[Measure], arms: Sequence[str], first_arm: str, titles: Mapping[str, Text]
) -> list[SliceSet]:
    """Args: titles: of measures of all items, because that of one slice may name the slice."""
    groups = _grouped(measures, lambda measure: (measure.name, *measure.slice))
    return [_slice_set(group, arms, first_arm, titles.get(group[0].name, group[0].title)) for group in groups]


def _slice_set(group: Sequence[Measure], arms: Sequence[str], first_arm: str, title: Text) -> SliceSet:
    slices = _grouped(group, lambda measure: tuple(measure.slice.values()))
    sign = {True: 1.0, False: -1.0, None: 0.0}[group[0].higher_is_better]
    judged_by = first_arm if any(measure.arm == first_arm for measure in group) else group[0].arm
    # Sorting is stable: where neither way is better, slices stay as they were measured.
    slices.sort(key=lambda own: min((sign * each.value for each in own if each.arm == judged_by), default=math.inf))
    kept = [
        sorted(own, key=lambda measure: arms.index(measure.arm) if measure.arm in arms else len(arms))
        for own in slices[:MOST_SLICES]
    ]
    return SliceSet(
        name=group[0].name,
        title=title,
        columns=tuple(group[0].slice),
        unit=group[0].unit,
        higher_is_better=group[0].higher_is_better,
        figures=tuple(measure for own in kept for measure in own),
        slices=len(slices),
    )


def _changes(arm: str, measures: Sequence[Measure]) -> Changes:
    changed = [(measure, measure.change) for measure in measures if measure.arm == arm and measure.change is not None]
    beyond = [(measure.higher_is_better, change.difference > 0) for measure, change in changed if change.beyond_noise]
    better = sum(wanted is not None and wanted is raised for wanted, raised in beyond)
    worse = sum(wanted is not None and wanted is not raised for wanted, raised in beyond)
    return Changes(
        arm=arm, better=better, worse=worse, other=len(beyond) - better - worse, within=len(changed) - len(beyond)
    )


def _grouped(measures: Iterable[Measure], key: Callable[[Measure], tuple[str, ...]]) -> list[list[Measure]]:
    """Measures of one key together, in the order in which each key came first."""
    groups: dict[tuple[str, ...], list[Measure]] = {}
    for measure in measures:
        groups.setdefault(key(measure), []).append(measure)
    return list(groups.values())
