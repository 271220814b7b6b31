"""Prove: every fitted candidate answers the same sealed test set, and the judge says what was worth it.

In: the split, the candidates' models. Out: `predictions/<id>.jsonl` row by row with what they cost, what the probes observed, and
`proof.json`, written last. Each candidate answers in a process of its own, so that its memory is its own. The seal is checked before
anything is asked: a test set that changed after the split proves nothing. In a cross-validation every row is answered by models that
did not see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sonmat import plugins
from sonmat.core.decision import COST_METRIC
from sonmat.core.errors import Paused, SonmatError
from sonmat.core.probing import Setting
from sonmat.core.proof import Measured, Proof, Unmeasured
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Event
from sonmat.models.deciding import costs_of_run, decision_of
from sonmat.runs import RunFolder, write_value
from sonmat.runs.fit_keys import was_chosen_by_other_costs
from sonmat.runs.folder import UNFINISHED
from sonmat.runs.observations import forget_failures
from sonmat.runs.seal import check_seal
from sonmat.statistics.cross_validation import Turns
from sonmat.steps.prove.answer import answer_candidate, is_answered
from sonmat.steps.prove.curve import announced, measure_curve, wanted_curve
from sonmat.steps.prove.guards import check_wishes, guards_of
from sonmat.steps.prove.judge import Evidence, judge
from sonmat.steps.prove.leaving import say_what_is_unused
from sonmat.steps.prove.measures import measure_arms
from sonmat.steps.prove.observing import fail, waiting_probes
from sonmat.steps.prove.setting import setting_of

__all__ = ["answer_candidate", "check_wishes", "prove"]

RunJob = Callable[[RunFolder, str, Callable[[Event], None]], None]


def prove(folder: RunFolder, run_job: RunJob, emit: Emit, tell: Callable[[Event], None], inputs: str) -> Proof:
    """Write and return the proof.

    Raises:
        RunError: the test rows are not those that were sealed.
        SettingError: a probe of the recipe does not exist, or a guard is on something that nobody measured.
        Paused: Ctrl-C.
    """
    plan, fits, split = folder.plan(), folder.fits(), folder.split()
    check_seal(folder.kept_examples(), split)
    setting, costs = setting_of(folder), costs_of_run(folder)
    say_what_is_unused(setting, plan.candidates, emit)
    failed = dict(fits.failed)
    evidence: list[Evidence] = []
    for number, candidate in enumerate(plan.candidates, start=1):
        if candidate.id in failed:
            continue
        forget_failures(folder, candidate.id)
        if not is_answered(folder, candidate.id) or waiting_probes(folder, setting, candidate):
            rows = len(setting.test) * split.repeats
            emit("arm", None, candidate=candidate.id, number=number, of=len(plan.candidates), rows=rows)
            try:
                _ask(folder, setting, candidate, lambda job: run_job(folder, job, tell), emit)
            except Paused:
                raise
            except SonmatError as error:
                failed[candidate.id] = error.whole
                emit("arm_failed", error.whole, candidate=candidate.id)
                continue
        evidence.append(_evidence(folder, candidate))
    entered = [each.candidate for each in evidence]
    panel = measure_arms(folder, setting, entered, {each.candidate.id: each.predictions for each in evidence})
    proof = judge(
        evidence,
        setting.test,
        [plugins.find("metrics", name) for name in (*([COST_METRIC] if costs else []), *setting.task.metrics)],
        labels=plan.spec.labels,
        seed=setting.seed,
        seal=split.seal,
        failed=failed,
        titles={candidate.id: _title(candidate) for candidate in plan.candidates},
        turns=Turns(len(split.folds) // split.repeats, split.repeats) if split.folds else None,
        panel=panel,
        guards=guards_of(setting.recipe.guards, entered, panel),
        costs=costs,
    )
    proof = _with_remarks(
        proof, [folder.measured(each.candidate.id) for each in evidence if each.candidate.role != "floor"]
    )
    proof = _with_curve(folder, setting, proof, lambda job: run_job(folder, job, tell), emit, inputs)
    whole = not failed and not any(each.failed for each in proof.unmeasured)
    write_value(folder.file("proof.json"), proof, inputs if whole else f"{UNFINISHED}{inputs}")
    emit("verdict", proof.verdict.sentence, use=proof.verdict.use, fine_tune=proof.verdict.fine_tune)
    return proof


def _with_curve(
    folder: RunFolder, setting: Setting, proof: Proof, run_job: Callable[[str], None], emit: Emit, inputs: str
) -> Proof:
    """The proof with the learning curve of its tuned arm, where one is wanted; that it could not be had is told like a probe's fault.

    Raises:
        Paused: Ctrl-C; the proof stands without the curve, and the next run goes on with it.
    """
    wish = wanted_curve(folder, setting, proof)
    if wish is None:
        return proof
    if isinstance(wish, Text):
        emit("curve_refused", Text(en=f"No learning curve: {wish.en}", ko=f"학습 곡선을 재지 않습니다: {wish.ko}"))
        return proof
    arm = wish.candidate.id
    write_value(folder.file("proof.json"), proof, f"{UNFINISHED}{inputs}")
    if wish.left:
        emit("curve", announced(wish, len(setting.train)), candidate=arm, seconds=wish.seconds)
    try:
        curve = measure_curve(folder, setting, proof, wish, run_job, emit)
    except Paused:
        raise
    except SonmatError as error:
        emit("curve_failed", error.whole, candidate=arm)
        failure = Unmeasured(probe="curve", arm=arm, reason=error.whole)
        told = Text(
            en=f"Unknown: what more data would bring could not be measured. {error.whole.en}",
            ko=f"알 수 없는 것: 데이터를 더하면 나아질지 재지 못했습니다. {error.whole.ko}",
        )
        return _with_detail(proof, told).model_copy(update={"unmeasured": (*proof.unmeasured, failure)})
    return _with_detail(proof, curve.sentence).model_copy(update={"curve": curve})


def _with_detail(proof: Proof, detail: Text) -> Proof:
    verdict = proof.verdict.model_copy(update={"details": (*proof.verdict.details, detail)})
    return proof.model_copy(update={"verdict": verdict})


def _ask(folder: RunFolder, setting: Setting, candidate: Candidate, run_job: Callable[[str], None], emit: Emit) -> None:
    """Have the candidate answer the test set, and the probes look at it; a probe that takes the process down is left out.

    Raises:
        SonmatError: it has no answers.
    """
    while True:
        try:
            run_job(f"answer/{candidate.id}")
        except Paused:
            raise
        except SonmatError as error:
            waiting = waiting_probes(folder, setting, candidate) if is_answered(folder, candidate.id) else []
            if not waiting:
                raise
            fail(folder, candidate, waiting[0], error.whole, emit)
            if waiting[1:]:
                continue
        return


def _with_remarks(proof: Proof, measured: Sequence[Measured]) -> Proof:
    """The proof with a sentence for every model that says nearly the same to everything, and what else must be known of answers."""
    told = tuple(
        Text(en=f"{each.candidate}: {remark.en}", ko=f"{each.candidate}: {remark.ko}")
        for each in measured
        for remark in each.remarks
    )
    details = told + tuple(
        Text(
            en=f"{each.candidate} gives nearly the same answer to everything (collapsed).",
            ko=f"{each.candidate}은(는) 거의 모든 문항에 같은 답을 합니다(붕괴).",
        )
        for each in measured
        if each.collapsed
    )
    verdict = proof.verdict.model_copy(update={"details": (*proof.verdict.details, *details)})
    return proof.model_copy(update={"verdict": verdict})


def _evidence(folder: RunFolder, candidate: Candidate) -> Evidence:
    measured, fitted = folder.measured(candidate.id), folder.fitted(candidate.id)
    decision = decision_of(folder, candidate.id)
    budget = _both(fitted.budget, decision.budget if decision else None)
    if fitted.selection and was_chosen_by_other_costs(folder, candidate):
        budget = _both(budget, _of_other_costs())
    return Evidence(
        candidate=candidate,
        predictions=list(folder.predictions(candidate.id)),
        seconds_per_answer=measured.seconds_per_answer,
        peak_bytes=measured.peak_bytes,
        fit_seconds=fitted.seconds if candidate.role == "tuned" or fitted.trained_parameters else 0.0,
        budget=budget,
    )


def _of_other_costs() -> Text:
    return Text(
        en="Its checkpoint or settings were chosen with other costs of errors, or none; a new run chooses them by the present ones.",
        ko="체크포인트나 설정은 다른 오류 비용으로(또는 비용 없이) 골랐습니다. 실행을 새로 만들면 지금 비용으로 고릅니다.",
    )


def _both(one: Text | None, other: Text | None) -> Text | None:
    if one is None or other is None:
        return one or other
    first = Text(en=f"{one.en.rstrip('.')}.", ko=f"{one.ko.rstrip('.')}.")
    return Text(en=f"{first.en} {other.en}", ko=f"{first.ko} {other.ko}")


def _title(candidate: Candidate) -> Text:
    title = plugins.find("methods", candidate.method).title
    return Text(en=f"{title.en} ({candidate.id})", ko=f"{title.ko}({candidate.id})")
