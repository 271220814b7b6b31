"""Predictors as the proof uses them: loaded when first asked, watched while they answer, stopped between two answers.

In: a candidate's model folder. Out: the `Predictor` contract, kept by wrappers around the real one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonmat.core.errors import Paused, SettingError
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Emit, Predictor, Question, Task
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device
from sonmat.inference.token_costs import ALONE_COST, WRITTEN_COST
from sonmat.models.saved import load_predictor, open_saved
from sonmat.runs import RunFolder
from sonmat.runs.folder import ENDPOINTS

TOLD_FROM: Final = 2.0
"""Seconds from which on the time left is told before anything of it has passed."""


class OnDemand:
    """A candidate's predictor that is loaded by the first question; a probe that asks nothing costs no loading."""

    def __init__(self, folder: RunFolder, name: str, device: Device, emit: Emit) -> None:
        self.load_seconds = 0.0
        self._folder = folder
        self._name = name
        self._device = device
        self._emit = emit
        self._predictor: Predictor | None = None

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        return self.loaded().answer(questions)

    def loaded(self) -> Predictor:
        if self._predictor is None:
            start = time.perf_counter()
            model_folder = self._folder.candidate_folder(self._name) / "model"
            kept = self._folder.file(ENDPOINTS)
            saved = open_saved(model_folder, self._device, self._emit, str(self._folder.path), kept)
            self._predictor = load_predictor(saved)
            self.load_seconds = time.perf_counter() - start
        return self._predictor

    def let_go(self) -> None:
        """Free the memory; the next question loads it again."""
        self._predictor = None


@dataclass(frozen=True)
class Watched:
    """A predictor that says how far it is while it answers many questions, and stops between two answers if asked to.

    `answer` raises `Paused`.
    """

    predictor: Predictor
    emit: Emit
    should_pause: Callable[[], bool]
    message: Text | None = None
    seconds_each: float = 0.0
    """What an answer beside others is thought to take, until the first have come; 0 where nobody knows."""

    def loaded(self) -> Predictor:
        """What it watches, for probes that look into a model (`inference.behind`)."""
        return self.predictor

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        start = answered = last = time.perf_counter()
        stop_if_asked(self.should_pause)
        # The first batch may take a minute, and a likelihood takes far less than an answer.
        foretold = self.seconds_each * sum(question.write for question in questions)
        if foretold > TOLD_FROM:
            self.emit("progress", self.message, done=0, total=len(questions), seconds_left=round(foretold, 1))
        for done, prediction in enumerate(self.predictor.answer(questions)):
            stop_if_asked(self.should_pause)
            now = time.perf_counter()
            # Answers come in batches: only a wait shows that the batch before was whole, and how long it took.
            if done and now - answered > 0.05 and now - last > 1:
                left = (answered - start) / done * (len(questions) - done) - (now - answered)
                self.emit("progress", self.message, done=done, total=len(questions), seconds_left=round(max(left, 0.0), 1))
                last = now
            answered = now
            yield prediction


def share_beside_others(task: Task, candidate: Candidate) -> float:
    """What an answer takes among many, as a share of what it takes alone: as the plan has it, rather more than less."""
    if candidate.elsewhere:
        return 1 / int(candidate.settings.get("at_once", 1))
    return WRITTEN_COST / ALONE_COST if task.generates else 1.0


class OnlyTestSet:
    """Stands before a model that another machine answers for: probes may ask for likelihoods, which it has not, and nothing else.

    What the user has agreed to send is the test set, whatever a probe would like to know.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        if any(question.write for question in questions):
            raise SettingError(
                Text(
                    en="It would send more than the test set to another machine, which nobody has agreed to.",
                    ko="테스트 데이터 말고도 다른 것을 외부 서버에 보내려 했지만, 동의한 적이 없어 보내지 않았습니다.",
                )
            )
        return self._predictor.answer(questions)


def stop_if_asked(should_pause: Callable[[], bool]) -> None:
    if should_pause():
        raise Paused(Text(en="Paused while answering the test set.", ko="테스트 문항에 답하는 중에 멈췄습니다."))


def model_bytes(folder: RunFolder, candidate: Candidate) -> int:
    """Bytes on the disk that the candidate's answers need: its files, the model that it asks, and its base under an adapter."""
    own = folder.candidate_folder(candidate.id) / "model"
    size = _bytes_of(own)
    if candidate.over is not None:
        asked = next(each for each in folder.plan().candidates if each.id == candidate.over)
        return size + model_bytes(folder, asked)
    if candidate.base is None or (own / "config.json").exists():
        return size
    return size + _bytes_of(Path(candidate.base.path))


def _bytes_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
