"""The job of answering: one candidate answers the sealed test rows, and what that costs is measured.

In: a candidate's models and the split. Out: `predictions/<id>.jsonl`, row by row, and `<id>.json`, written last. In a
cross-validation each row is answered by the models of the folds that did not see it, once in every repetition (an untuned base has
seen none, and is asked once); what one answer
costs, and the golden answers that a release must repeat, are those of the model of all rows.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence

from sonmat.core.errors import Paused, RunError
from sonmat.core.protocols import Emit, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Device, Example, Measured, Prediction, Split
from sonmat.inference.device import detect_device, peak_memory
from sonmat.models.saved import load_predictor, open_saved
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.folds import answers_key, fold_name, folds_of, has_answered
from sonmat.statistics.collapse import collapsed

ASKED_ALONE = 8
"""Questions that are asked one at a time, for the seconds per answer and as golden answers of the model."""


def answer_candidate(folder: RunFolder, candidate_id: str, emit: Emit, should_pause: Callable[[], bool]) -> None:
    """The job "answer/CANDIDATE": answer the test set here and now.

    Raises:
        Paused: asked to; the candidate will answer from the beginning, or from the fold that was in hand.
        ModelError, DataError: the model or a row cannot be used.
        RunError: the model of a fold is not there.
    """
    candidate = next(entry for entry in folder.plan().candidates if entry.id == candidate_id)
    split = folder.split()
    test = rows_of(folder, split.test)
    # An arm without a model must not be charged the memory of importing PyTorch.
    device = detect_device() if candidate.base else Device()
    predictor = _loaded(folder, candidate_id, device, emit)
    golden = list(_alone(predictor, test[:ASKED_ALONE], should_pause))
    start = time.perf_counter()
    if folds_of(candidate, split):
        del predictor
        predictions = _out_of_fold(folder, candidate_id, split, test, device, emit, should_pause)
    else:
        # What learns nothing from the rows says the same in every repetition.
        predictions = list(_all(predictor, test, emit, should_pause)) * split.repeats
    key = answers_key(folder, candidate_id)
    write_rows(folder.predictions_file(candidate_id), Prediction, predictions, key)
    target = {example.id: example.target for example in test}
    measured = Measured(
        candidate=candidate_id,
        seconds_per_answer=statistics.median(prediction.seconds for prediction in golden),
        seconds=time.perf_counter() - start,
        peak_bytes=peak_memory(),
        collapsed=collapsed(
            [target[prediction.row] for prediction in predictions], [prediction.output for prediction in predictions]
        ),
        golden=tuple(golden),
    )
    write_value(folder.predictions_file(candidate_id).with_suffix(".json"), measured, key)


def rows_of(folder: RunFolder, ids: Sequence[str]) -> list[Example]:
    """The rows with these ids, in their order."""
    wanted = set(ids)
    examples = {example.id: example for example in folder.kept_examples() if example.id in wanted}
    return [examples[id] for id in ids]


def _loaded(folder: RunFolder, name: str, device: Device, emit: Emit) -> Predictor:
    model_folder = folder.candidate_folder(name) / "model"
    return load_predictor(open_saved(model_folder, device, emit, media_root=str(folder.path)))


def _out_of_fold(
    folder: RunFolder,
    candidate_id: str,
    split: Split,
    test: Sequence[Example],
    device: Device,
    emit: Emit,
    should_pause: Callable[[], bool],
) -> list[Prediction]:
    """Every fold's answers to its own test rows, one fold after the other; the model of a fold is let go when it has answered."""
    by_id = {example.id: example for example in test}
    predictions: list[Prediction] = []
    for number, fold in enumerate(split.folds, start=1):
        name = fold_name(candidate_id, number)
        if not has_answered(folder, name):
            if not (folder.candidate_folder(name) / "model").exists():
                raise _no_model(name)
            predictor = _loaded(folder, name, device, emit)
            answers = list(_all(predictor, [by_id[id] for id in fold.test], emit, should_pause))
            del predictor
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
            ko="실행 폴더의 fit.json을 지우고 다시 실행하면 이 묶음을 다시 학습합니다.",
        ),
    )


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
