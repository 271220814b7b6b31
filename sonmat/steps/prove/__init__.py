"""Prove: every fitted candidate answers the same sealed test set, and the judge says what was worth it.

In: the split, the candidates' models. Out: `predictions/<id>.jsonl` row by row with what they cost, and `proof.json`, written
last. Each candidate answers in a process of its own, so that its memory is its own. The seal is checked before anything is
asked: a test set that changed after the split proves nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from sonmat import plugins
from sonmat.core.errors import Paused, SonmatError
from sonmat.core.protocols import Emit, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Event, Example, Measured, Prediction, Proof
from sonmat.inference.device import detect_device, peak_memory
from sonmat.models.saved import load_predictor, open_saved
from sonmat.runs import RunFolder, sha256_of, write_rows, write_value
from sonmat.runs.files import read_header
from sonmat.runs.folder import UNFINISHED
from sonmat.runs.seal import check_seal
from sonmat.statistics.collapse import collapsed
from sonmat.steps.prove.judge import Evidence, judge

ASKED_ALONE = 8
"""Questions that are asked one at a time, for the seconds per answer and as golden answers of the model."""

RunJob = Callable[[RunFolder, str, Callable[[Event], None]], None]


def prove(folder: RunFolder, run_job: RunJob, emit: Emit, tell: Callable[[Event], None], inputs: str) -> Proof:
    """Write and return the proof.

    Raises:
        RunError: the test rows are not those that were sealed.
        Paused: Ctrl-C.
    """
    plan, fits, split = folder.plan(), folder.fits(), folder.split()
    examples = list(folder.kept_examples())
    check_seal(examples, split)
    by_id = {example.id: example for example in examples}
    test = [by_id[id] for id in split.test]
    failed = dict(fits.failed)
    evidence: list[Evidence] = []
    for number, candidate in enumerate(plan.candidates, start=1):
        if candidate.id in failed:
            continue
        key = _answers_key(folder, candidate)
        header = read_header(folder.predictions_file(candidate.id).with_suffix(".json"))
        if header is None or header.inputs != key:
            emit("arm", None, candidate=candidate.id, number=number, of=len(plan.candidates), rows=len(test))
            try:
                run_job(folder, f"answer/{candidate.id}", tell)
            except Paused:
                raise
            except SonmatError as error:
                failed[candidate.id] = error.whole
                emit("arm_failed", error.whole, candidate=candidate.id)
                continue
        evidence.append(_evidence(folder, candidate))
    task = plugins.find("tasks", plan.task)
    proof = judge(
        evidence,
        test,
        [plugins.find("metrics", name) for name in task.metrics],
        labels=plan.spec.labels,
        seed=folder.recipe().seed,
        seal=split.seal,
        failed=failed,
        titles={candidate.id: _title(candidate) for candidate in plan.candidates},
    )
    proof = _with_collapses(
        proof, [folder.measured(each.candidate.id) for each in evidence if each.candidate.role != "floor"]
    )
    write_value(folder.file("proof.json"), proof, f"{UNFINISHED}{inputs}" if failed else inputs)
    emit("verdict", proof.verdict.sentence, use=proof.verdict.use, fine_tune=proof.verdict.fine_tune)
    return proof


def _with_collapses(proof: Proof, measured: Sequence[Measured]) -> Proof:
    """The proof with a sentence for every model that says nearly the same to everything."""
    details = tuple(
        Text(
            en=f"{each.candidate} gives nearly the same answer to everything (collapsed).",
            ko=f"{each.candidate}은(는) 거의 모든 문항에 같은 답을 합니다(붕괴).",
        )
        for each in measured
        if each.collapsed
    )
    verdict = proof.verdict.model_copy(update={"details": (*proof.verdict.details, *details)})
    return proof.model_copy(update={"verdict": verdict})


def answer_candidate(folder: RunFolder, candidate_id: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "answer/CANDIDATE": answer the test set here and now.

    Raises:
        Paused: asked to; the candidate will answer from the beginning.
        ModelError, DataError: the model or a row cannot be used.
    """
    candidate = next(entry for entry in folder.plan().candidates if entry.id == candidate_id)
    examples = {example.id: example for example in folder.kept_examples()}
    test = [examples[id] for id in folder.split().test]
    model_folder = folder.candidate_folder(candidate_id) / "model"
    # An arm without a model must not be charged the memory of importing PyTorch.
    device = detect_device() if candidate.base else Device()
    predictor = load_predictor(open_saved(model_folder, device, emit, media_root=str(folder.path)))
    golden = list(_alone(predictor, test[:ASKED_ALONE], should_pause))
    start = time.perf_counter()
    predictions = list(_all(predictor, test, emit, should_pause))
    key = _answers_key(folder, candidate)
    write_rows(folder.predictions_file(candidate_id), Prediction, predictions, key)
    order = {prediction.row: prediction for prediction in predictions}
    measured = Measured(
        candidate=candidate_id,
        seconds_per_answer=statistics.median(prediction.seconds for prediction in golden),
        seconds=time.perf_counter() - start,
        peak_bytes=peak_memory(),
        collapsed=collapsed([example.target for example in test], [order[example.id].output for example in test]),
        golden=tuple(golden),
    )
    write_value(folder.predictions_file(candidate_id).with_suffix(".json"), measured, key)


def _alone(predictor: Predictor, examples: Sequence[Example], should_pause: Callable[[], bool]) -> Iterator[Prediction]:
    """Answers to questions asked one at a time, with the wall seconds that each took; the first one only warms up."""
    for number, example in enumerate([examples[0], *examples]):
        _stop_if_asked(should_pause)
        start = time.perf_counter()
        (prediction,) = predictor.answer([Question(example.id, example.input)])
        seconds = time.perf_counter() - start
        if number > 0:
            yield prediction.model_copy(update={"seconds": seconds})


def _all(
    predictor: Predictor, examples: Sequence[Example], emit: Emit, should_pause: Callable[[], bool]
) -> Iterator[Prediction]:
    start = answered = last = time.perf_counter()
    questions = [Question(example.id, example.input, example.target) for example in examples]
    for done, prediction in enumerate(predictor.answer(questions)):
        _stop_if_asked(should_pause)
        now = time.perf_counter()
        # Answers come in batches: only a wait shows that the batch before was whole, and how long it took.
        if done and now - answered > 0.05 and now - last > 1:
            left = (answered - start) / done * (len(examples) - done) - (now - answered)
            emit("progress", done=done, total=len(examples), seconds_left=round(max(left, 0.0), 1))
            last = now
        answered = now
        yield prediction
    emit("progress", done=len(examples), total=len(examples), seconds_left=0.0)


def _stop_if_asked(should_pause: Callable[[], bool]) -> None:
    if should_pause():
        raise Paused(Text(en="Paused while answering the test set.", ko="시험 문항에 답하는 중에 멈췄습니다."))


def _answers_key(folder: RunFolder, candidate: Candidate) -> str:
    """Fingerprint of what the answers depend on: the fitted model and the sealed rows."""
    header = read_header(folder.candidate_folder(candidate.id) / "fitted.json")
    return sha256_of(header.inputs if header else "", folder.split().seal)


def _evidence(folder: RunFolder, candidate: Candidate) -> Evidence:
    measured, fitted = folder.measured(candidate.id), folder.fitted(candidate.id)
    return Evidence(
        candidate=candidate,
        predictions=list(folder.predictions(candidate.id)),
        seconds_per_answer=measured.seconds_per_answer,
        peak_bytes=measured.peak_bytes,
        fit_seconds=fitted.seconds if candidate.role == "tuned" else 0.0,
    )


def _title(candidate: Candidate) -> Text:
    title = plugins.find("methods", candidate.method).title
    return Text(en=f"{title.en} ({candidate.id})", ko=f"{title.ko}({candidate.id})")
