"""The job of answering: one candidate answers the sealed test rows, and what that costs is measured; then probes look at it.

In: a candidate's models and the split. Out: `predictions/<id>.jsonl`, row by row, `<id>.json`, written after it, and
`<id>.<probe>.jsonl` of each probe. In a cross-validation each row is answered by the models of the folds that did not see it, once in
every repetition (what learns nothing has seen none, and is asked once); what one answer costs, the golden answers that a release
must repeat, and what probes observe, are those of the model of all rows. What is done and still true is not done again.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from sonmat import plugins
from sonmat.core.errors import RunError
from sonmat.core.proof import Measured, Prediction
from sonmat.core.protocols import Emit, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Example, Split
from sonmat.inference.device import detect_device, peak_memory
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.files import read_header
from sonmat.runs.folds import answers_key, fold_name, folds_of, has_answered
from sonmat.runs.parts import candidate_of, is_part
from sonmat.statistics.collapse import collapsed
from sonmat.steps.prove.asking import (
    TOLD_FROM,
    OnDemand,
    OnlyTestSet,
    Watched,
    model_bytes,
    share_beside_others,
    stop_if_asked,
)
from sonmat.steps.prove.leaving import remarks_of, say_what_leaves
from sonmat.steps.prove.observing import observe
from sonmat.steps.prove.setting import rows_of, setting_of

ASKED_ALONE = 8
"""Questions that are asked one at a time, for the seconds per answer and as golden answers of the model."""
_ALONE = Text(en="a few questions, one at a time", ko="몇 문항을 하나씩 묻는 중")


def answer_candidate(folder: RunFolder, candidate_id: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "answer/CANDIDATE": answer the test set and the probes here and now; the test set alone for a part of the rows.

    Raises:
        Paused: asked to; the candidate will answer from the beginning, or from the fold or the probe that was in hand.
        ModelError, DataError: the model or a row cannot be used.
        RunError: the model of a fold is not there.
    """
    candidate = next(entry for entry in folder.plan().candidates if entry.id == candidate_of(candidate_id))
    # An arm without a model must not be charged the memory of importing PyTorch.
    device = detect_device() if candidate.base else Device()
    model = OnDemand(folder, candidate_id, device, emit)
    if is_part(candidate_id):
        _answer_for_a_curve(folder, candidate, candidate_id, model, emit, should_pause)
        return
    if not is_answered(folder, candidate_id):
        _answer_test_set(folder, candidate, model, device, emit, should_pause)
    if folder.recipe().probes != ():
        seen = OnlyTestSet(model) if candidate.elsewhere else model
        observe(folder, setting_of(folder), candidate, seen, emit, should_pause)


def is_answered(folder: RunFolder, candidate_id: str) -> bool:
    """Whether all answers of the candidate's present model are there, with what they cost."""
    header = read_header(folder.predictions_file(candidate_id).with_suffix(".json"))
    return header is not None and header.inputs == answers_key(folder, candidate_id)


def _answer_test_set(
    folder: RunFolder,
    candidate: Candidate,
    model: OnDemand,
    device: Device,
    emit: Emit,
    should_pause: Callable[[], bool],
) -> None:
    split = folder.split()
    test = rows_of(folder, split.test)
    say_what_leaves(model.loaded(), [Question(example.id, example.input) for example in test], emit)
    share = _share(folder, candidate)
    in_folds = folds_of(candidate, split) > 0
    later = share * len(test) * (split.repeats if in_folds else 1)
    golden = list(
        _alone(model.loaded(), test[:ASKED_ALONE], emit, should_pause, timed=not candidate.elsewhere, later=later)
    )
    each = share * statistics.median(prediction.seconds for prediction in golden)
    load_seconds = model.load_seconds
    start = time.perf_counter()
    if in_folds:
        model.let_go()
        predictions = _out_of_fold(folder, candidate.id, split, test, device, emit, should_pause, each)
    else:
        # What learns nothing from the rows says the same in every repetition.
        predictions = list(_all(model, test, emit, should_pause, each)) * split.repeats
    key = answers_key(folder, candidate.id)
    write_rows(folder.predictions_file(candidate.id), Prediction, predictions, key)
    target = {example.id: example.target for example in test}
    measured = Measured(
        candidate=candidate.id,
        seconds_per_answer=statistics.median(prediction.seconds for prediction in golden),
        seconds=time.perf_counter() - start,
        peak_bytes=peak_memory(),
        collapsed=collapsed(
            [target[prediction.row] for prediction in predictions], [prediction.output for prediction in predictions]
        ),
        golden=tuple(golden),
        load_seconds=load_seconds,
        model_bytes=model_bytes(folder, candidate),
        remarks=remarks_of(model.loaded()) if candidate.elsewhere else (),
    )
    write_value(folder.predictions_file(candidate.id).with_suffix(".json"), measured, key)


def _answer_for_a_curve(
    folder: RunFolder, candidate: Candidate, name: str, model: OnDemand, emit: Emit, should_pause: Callable[[], bool]
) -> None:
    """The answers of a training on a part of the rows. Its model has served its purpose then."""
    each = _share(folder, candidate) * folder.measured(candidate.id).seconds_per_answer
    answers = list(_all(model, rows_of(folder, folder.split().test), emit, should_pause, each))
    write_rows(folder.predictions_file(name), Prediction, answers, answers_key(folder, name))
    shutil.rmtree(folder.candidate_folder(name) / "model")


def _share(folder: RunFolder, candidate: Candidate) -> float:
    return share_beside_others(plugins.find("tasks", folder.plan().task), candidate)


def _out_of_fold(
    folder: RunFolder,
    candidate_id: str,
    split: Split,
    test: Sequence[Example],
    device: Device,
    emit: Emit,
    should_pause: Callable[[], bool],
    seconds_each: float,
) -> list[Prediction]:
    """Every fold's answers to its own test rows, one fold after the other; the model of a fold is let go when it has answered."""
    by_id = {example.id: example for example in test}
    predictions: list[Prediction] = []
    for number, fold in enumerate(split.folds, start=1):
        name = fold_name(candidate_id, number)
        if not has_answered(folder, name):
            if not (folder.candidate_folder(name) / "model").exists():
                raise _no_model(name)
            predictor = OnDemand(folder, name, device, emit)
            answers = list(_all(predictor, [by_id[id] for id in fold.test], emit, should_pause, seconds_each))
            predictor.let_go()
            write_rows(folder.predictions_file(name), Prediction, answers, answers_key(folder, name))
        # Eleven copies of a model would fill the disk.
        shutil.rmtree(folder.candidate_folder(name) / "model", ignore_errors=True)
        predictions += folder.predictions(name)
    return predictions


def _no_model(name: str) -> RunError:
    return RunError(
        Text(
            en=f"The model {name} has been removed after it had answered, and its answers are gone.",
            ko=f"{name} 모델은 답을 마치고 지워졌는데 그 답이 남아 있지 않습니다.",
        ),
        Text(
            en="Delete fit.json in the run directory and run again: this fold will be trained once more.",
            ko="실행 폴더의 fit.json을 지우고 다시 실행하면 이 폴드를 다시 학습합니다.",
        ),
    )


def _alone(
    predictor: Predictor,
    examples: Sequence[Example],
    emit: Emit,
    should_pause: Callable[[], bool],
    timed: bool,
    later: float,
) -> Iterator[Prediction]:
    """Answers to questions asked one at a time, with the wall seconds that each took; the first one only warms up.

    Args:
        timed: here; else the prediction says itself how long its request took, which may have been in an earlier process.
        later: to how many of these all the answers that follow are thought to come, for the time left.
    """
    began = last = time.perf_counter()
    for number, example in enumerate([examples[0], *examples]):
        stop_if_asked(should_pause)
        start = time.perf_counter()
        (prediction,) = predictor.answer([Question(example.id, example.input)])
        now = time.perf_counter()
        seconds = now - start
        left = (now - began) / (number + 1) * (len(examples) - number + later)
        if left > TOLD_FROM and (number == 0 or now - last > 1):
            emit("progress", _ALONE, done=number, total=len(examples), seconds_left=round(left, 1))
            last = now
        if number > 0:
            yield prediction.model_copy(update={"seconds": seconds}) if timed else prediction


def _all(
    predictor: Predictor,
    examples: Sequence[Example],
    emit: Emit,
    should_pause: Callable[[], bool],
    seconds_each: float,
) -> Iterator[Prediction]:
    questions = [Question(example.id, example.input, example.target) for example in examples]
    yield from Watched(predictor, emit, should_pause, seconds_each=seconds_each).answer(questions)
    emit("progress", done=len(examples), total=len(examples), seconds_left=0.0)
