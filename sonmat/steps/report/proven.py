"""Collects what a proof holds besides scores and answers: guards, probes, forgetting, calibration, latency, and what trainings
told.

In: a run's folder, its proof, and what the report says already. Out: `Proven`. It measures nothing and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sonmat.core.proof import Arm, Comparison, Guard, Measure, Prediction, Proof
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example
from sonmat.runs import RunFolder
from sonmat.steps.report.evidence import Rows
from sonmat.steps.report.plane import plane_of
from sonmat.steps.report.probe_lines import probe_sections
from sonmat.steps.report.probed import ArmAtGlance, GuardLine, Latency, Proven
from sonmat.steps.report.reliability import is_of_bin, reliabilities
from sonmat.steps.report.training_told import training_told
from sonmat.steps.report.vocabulary import probe_title

COSTS: Final = ("per_1000", "seconds_per_1000")
"""Measures of the probe `cost` that say what answers cost, the best first."""
QUANTILES: Final = ("p50", "p95", "p99")
"""Measures of the probe `speed` that the plot of latency shows."""


def proven(
    folder: RunFolder,
    proof: Proof,
    candidates: Sequence[Candidate],
    test: Sequence[Example],
    given: Mapping[str, Mapping[str, Prediction]],
    first_arm: str,
    reference: str | None,
    against: Mapping[str, Comparison | None],
    higher_is_better: bool,
) -> Proven:
    """What there is besides scores.

    Args:
        candidates: those of the plan, some of which may have no arm.
        first_arm: the arm that the report is about.
        reference: the arm that others are measured against; `against` has the comparisons with it.
    """
    with_arm = [candidate for candidate in candidates if candidate.id in given]
    rows = Rows(folder, with_arm, {example.id: example for example in test}, given)
    arms = [arm.candidate for arm in proof.arms]
    bins = {id(measure) for measure in proof.measures if is_of_bin(measure)}
    lines = [_guard_line(guard, proof.measures) for guard in proof.guards]
    told = [training_told(each.id, folder.candidate_events(each.id)) for each in candidates]
    return Proven(
        arms=tuple(_at_glance(arm, proof) for arm in proof.arms),
        broken=tuple(line for line in lines if not line.guard.kept),
        kept=tuple(line for line in lines if line.guard.kept),
        unmeasured=proof.unmeasured,
        unmeasured_titles={each.probe: probe_title(each.probe) for each in proof.unmeasured},
        remarks=_remarks(proof),
        bases={arm: base for arm, base in rows.bases.items() if base},
        sections=probe_sections(proof, first_arm, rows, bins),
        plane=plane_of(proof, against, reference, higher_is_better),
        reliabilities=reliabilities(proof.measures, arms, test, given),
        latencies=_latencies(proof),
        trainings=tuple(each for each in told if each is not None),
    )


def _guard_line(guard: Guard, measures: Sequence[Measure]) -> GuardLine:
    own = [each for each in measures if each.arm == guard.arm and f"{each.probe}.{each.name}" == guard.measure]
    whole = [each for each in own if not each.slice]
    found = next(iter(whole), None) or next((each for each in own if each.value == guard.value), None)
    title = found.title if found is not None else _title_elsewhere(guard, measures)
    return GuardLine(guard=guard, title=title, measure=found)


def _title_elsewhere(guard: Guard, measures: Sequence[Measure]) -> Text | None:
    """What the measure is called where another arm has it; the probe's name for a guard on all of a probe."""
    named = next((each.title for each in measures if f"{each.probe}.{each.name}" == guard.measure), None)
    return named or probe_title(guard.measure.partition(".")[0])


def _at_glance(arm: Arm, proof: Proof) -> ArmAtGlance:
    guards = [guard for guard in proof.guards if guard.arm == arm.candidate]
    costs = {each.name: each for each in proof.measures if each.probe == "cost" and each.arm == arm.candidate}
    return ArmAtGlance(
        arm=arm.candidate,
        guards_kept=sum(guard.kept for guard in guards),
        guards=len(guards),
        cost=next((costs[name] for name in COSTS if name in costs), None),
    )


def _remarks(proof: Proof) -> tuple[Text, ...]:
    """Without what the tables of broken guards and of what is unknown say, and without what would change the verdict."""
    told = [guard.reason.en for guard in proof.guards if not guard.kept]
    told += [each.reason.en for each in proof.unmeasured if each.failed]
    if proof.verdict.would_change is not None:
        told.append(proof.verdict.would_change.en)
    return tuple(detail for detail in proof.verdict.details if not any(detail.en.endswith(each) for each in told))


def _latencies(proof: Proof) -> tuple[Latency, ...]:
    found = []
    for arm in proof.arms:
        own = {each.name: each for each in proof.measures if each.probe == "speed" and each.arm == arm.candidate}
        quantiles = tuple(own[name] for name in QUANTILES if name in own)
        if len(quantiles) > 1:
            found.append(Latency(arm=arm.candidate, quantiles=quantiles))
    return tuple(found)
