"""Reads a run directory and says what its report will say.

In: a `RunFolder` whose proof is written. Out: a `Report`. It depends on the run directory and the plug-ins' titles alone, not
on the clock or the machine; what a run does not hold is left out, and paths of the machine are replaced.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from sonmat.core.decision import Costs
from sonmat.core.proof import Arm, Comparison, Prediction, Proof
from sonmat.core.recipe import Recipe
from sonmat.core.values import Candidate, Event, Example, ModelFacts, Plan, Split
from sonmat.models.deciding import costs_of_run
from sonmat.probing.preference import preference_measures, preferences
from sonmat.runs import RunFolder
from sonmat.runs.files import read_header
from sonmat.steps.report import answers, items
from sonmat.steps.report.card_facts import card_facts
from sonmat.steps.report.contents import (
    ArmLine,
    BaseModelLine,
    CandidateLine,
    Contrast,
    Curve,
    DataReport,
    Environment,
    Mistakes,
    RefusedLine,
    Report,
    Setting,
    SliceLine,
    best_of,
    reference_of,
    told_arm,
)
from sonmat.steps.report.curves import learning_curve
from sonmat.steps.report.data import data_summary
from sonmat.steps.report.paths import without_paths
from sonmat.steps.report.proven import proven
from sonmat.steps.report.vocabulary import kind_title, measure_named, method_title, task_title


def collect(folder: RunFolder) -> Report:
    """Everything that the report of `folder` says.

    Raises:
        RunError: a file that every finished run holds is missing, damaged or too new.
    """
    recipe, plan, split, proof = folder.recipe(), folder.plan(), folder.split(), folder.proof()
    # Votes come behind a proof, and a proof stays what it is.
    voted = preference_measures(preferences(folder))
    proof = proof.model_copy(update={"measures": (*proof.measures, *voted)})
    tested = set(split.test)
    examples = {example.id: example for example in kept_examples(folder) if example.id in tested}
    test = [examples[id] for id in split.test]
    given = {arm.candidate: _answers(folder, arm.candidate) for arm in proof.arms}
    chosen, reference = proof.verdict.use, _reference(proof)
    kind = answers.kind_of_answers(test)
    metrics = tuple(dict.fromkeys(score.metric for arm in proof.arms for score in arm.scores))
    compared = _contrast(proof, test, given, metrics)
    mistakes = _mistakes(chosen, test, given[chosen], metrics, compared)
    headline = measure_named(proof.headline)
    lines = tuple(_arm_line(folder, arm, proof, reference) for arm in proof.arms)
    slices = _slices(proof, test, given, reference, costs_of_run(folder))
    report = Report(
        name=folder.path.resolve().name,
        data=_data_names(recipe),
        task=plan.task,
        task_title=task_title(plan.task),
        modality=kind,
        headline=headline,
        measures=tuple(measure_named(name) for name in metrics),
        items=proof.items,
        smallest_detectable=proof.smallest_detectable,
        verdict=proof.verdict,
        proven=proven(
            folder,
            proof,
            plan.candidates,
            test,
            given,
            told_arm(lines, headline).arm.candidate,
            reference,
            {line.arm.candidate: line.against for line in lines},
            headline.higher_is_better,
        ),
        arms=lines,
        failed=proof.failed,
        classes=next(arm.per_class for arm in proof.arms if arm.candidate == chosen),
        confusion=answers.confusion(chosen, test, given[chosen]) if kind == "label" else None,
        slices=answers.largest_slices(slices),
        slices_in_all=len(slices),
        curves=_curves(folder, plan),
        more_data=proof.curve,
        mistakes=mistakes,
        contrast=compared,
        side_by_side=items.side_by_side(
            test,
            given,
            kind,
            metrics,
            items.Told(chosen, reference, compared, mistakes, proof.measures, proof.guards),
            recipe.seed,
        ),
        card=card_facts(folder, proof),
        data_summary=data_summary(folder, kept_examples(folder), split),
        minutes=recipe.minutes,
        candidates=tuple(_candidate_line(folder, candidate, proof) for candidate in plan.candidates),
        refused=tuple(
            RefusedLine(method=no.method, method_title=method_title(no.method), base=no.base, reason=no.reason)
            for no in plan.refused
        ),
        environment=_environment(folder, recipe, plan, split),
    )
    known = {str(folder.path.resolve()): folder.path.resolve().name}
    known |= {candidate.base.path: candidate.base.name for candidate in plan.candidates if candidate.base}
    return without_paths(report, known)


def collect_data(folder: RunFolder) -> DataReport:
    """Everything that the report of a run says that has been audited only.

    Raises:
        RunError: a file that every audited run holds is missing, damaged or too new.
    """
    source, header = folder.source(), read_header(folder.file("audit.json"))
    split = folder.split() if folder.exists("split") else None
    report = DataReport(
        name=folder.path.resolve().name,
        data=_data_names(folder.recipe()),
        task=source.task,
        task_title=kind_title(source.task),
        data_summary=data_summary(folder, kept_examples(folder), split),
        made_by=header.made_by if header else "",
        date=_begun_on(folder),
    )
    return without_paths(report, {str(folder.path.resolve()): folder.path.resolve().name})


def kept_examples(folder: RunFolder) -> Iterator[Example]:
    """The rows that the audit left; all of them where no ledger tells."""
    return folder.kept_examples() if folder.file("ledger.jsonl").exists() else folder.examples()


def _data_names(recipe: Recipe) -> str:
    """Where it lies on somebody's machine is nothing for a page that is passed on."""
    return ", ".join(Path(each).name for each in recipe.data)


def _begun_on(folder: RunFolder) -> str:
    first: Event | None = next(folder.events(), None)
    return datetime.fromtimestamp(first.at, UTC).date().isoformat() if first else ""


def _answers(folder: RunFolder, candidate: str) -> dict[str, Prediction]:
    if not folder.predictions_file(candidate).exists():
        return {}
    return {prediction.row: prediction for prediction in folder.predictions(candidate)}


def _reference(proof: Proof) -> str | None:
    found = reference_of(proof.arms, measure_named(proof.headline))
    return found.candidate if found else None


def _arm_line(folder: RunFolder, arm: Arm, proof: Proof, reference: str | None) -> ArmLine:
    return ArmLine(
        arm=arm,
        method_title=method_title(arm.method),
        chosen=arm.candidate == proof.verdict.use,
        reference=arm.candidate == reference,
        against=_comparison(proof, arm.candidate, reference) if reference else None,
        collapsed=_collapsed(folder, arm.candidate),
    )


def _collapsed(folder: RunFolder, candidate: str) -> bool:
    return folder.predictions_file(candidate).with_suffix(".json").exists() and folder.measured(candidate).collapsed


def _comparison(proof: Proof, a: str, b: str) -> Comparison | None:
    """The comparison of the headline metric, turned round if it was made the other way."""
    for comparison in proof.comparisons:
        if comparison.metric != proof.headline:
            continue
        if (comparison.a, comparison.b) == (a, b):
            return comparison
        if (comparison.a, comparison.b) == (b, a):
            return _turned(comparison)
    return None


def _turned(comparison: Comparison) -> Comparison:
    turned = {"a": "b", "b": "a", "neither": "neither"}
    return comparison.model_copy(
        update={
            "a": comparison.b,
            "b": comparison.a,
            "difference": -comparison.difference,
            "low": -comparison.high,
            "high": -comparison.low,
            "a_only_right": comparison.b_only_right,
            "b_only_right": comparison.a_only_right,
            "better": turned[comparison.better],
        }
    )


def _contrast(
    proof: Proof, test: Sequence[Example], given: Mapping[str, Mapping[str, Prediction]], metrics: Sequence[str]
) -> Contrast | None:
    """The chosen arm against the reference; where they are the same, the best tuned arm against it."""
    reference = _reference(proof)
    shown = proof.verdict.use
    if shown == reference:
        tuned = [arm for arm in proof.arms if arm.role == "tuned"]
        if not tuned:
            return None
        shown = best_of(tuned, measure_named(proof.headline)).candidate
    if reference is None or shown == reference:
        return None
    return answers.contrast(shown, reference, test, given[shown], given[reference], metrics)


def _mistakes(
    chosen: str,
    test: Sequence[Example],
    given: Mapping[str, Prediction],
    metrics: Sequence[str],
    compared: Contrast | None,
) -> Mistakes | None:
    if answers.kind_of_answers(test) == "label":
        return answers.confident_mistakes(chosen, test, given)
    # The comparison shows written answers at their worst already.
    return answers.lowest_answers(chosen, test, given, metrics) if compared is None else None


def _slices(
    proof: Proof,
    test: Sequence[Example],
    given: Mapping[str, Mapping[str, Prediction]],
    reference: str | None,
    costs: Costs | None,
) -> tuple[SliceLine, ...]:
    columns = tuple(dict.fromkeys(column for example in test for column in example.slices))
    other = given[reference] if reference and reference != proof.verdict.use else None
    return answers.slices(columns, proof.headline, test, given[proof.verdict.use], other, costs)


def _curves(folder: RunFolder, plan: Plan) -> tuple[Curve, ...]:
    curves = []
    for candidate in plan.candidates:
        fitted = folder.fitted(candidate.id) if _is_fitted(folder, candidate.id) else None
        curve = learning_curve(candidate.id, folder.candidate_events(candidate.id), fitted)
        if curve is not None:
            curves.append(curve)
    return tuple(curves)


def _is_fitted(folder: RunFolder, candidate: str) -> bool:
    return (folder.candidate_folder(candidate) / "fitted.json").exists()


def _candidate_line(folder: RunFolder, candidate: Candidate, proof: Proof) -> CandidateLine:
    return CandidateLine(
        id=candidate.id,
        method=candidate.method,
        method_title=method_title(candidate.method),
        role=candidate.role,
        base=_base_line(candidate.base) if candidate.base else None,
        elsewhere=candidate.elsewhere,
        reason=candidate.reason,
        estimate=candidate.estimate,
        fitted=folder.fitted(candidate.id) if _is_fitted(folder, candidate.id) else None,
        failed=proof.failed.get(candidate.id),
        settings=tuple(
            Setting(
                name=name,
                value=value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
                origin=candidate.origins.get(name, "default"),
            )
            for name, value in candidate.settings.items()
        ),
    )


def _base_line(base: ModelFacts) -> BaseModelLine:
    # A folder or file of this machine is named by its last part only.
    public = base.origin.startswith(("wheel:", "hub:"))
    return BaseModelLine(
        name=base.name,
        origin=base.origin if public else Path(base.origin).name,
        checksum=base.checksum,
        parameters=base.parameters,
        licence=base.licence,
        languages=base.languages,
    )


def _environment(folder: RunFolder, recipe: Recipe, plan: Plan, split: Split) -> Environment:
    header = read_header(folder.file("proof.json"))
    versions = [event.data.get("versions") for event in folder.events() if event.kind == "environment"]
    told = versions[-1] if versions and isinstance(versions[-1], dict) else {}
    return Environment(
        made_by=header.made_by if header else "",
        versions={str(name): str(version) for name, version in told.items()},
        device=plan.device,
        seed=recipe.seed,
        seal=split.seal,
        date=_begun_on(folder),
    )
