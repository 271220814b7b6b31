"""The time left is told from the first answer on: while questions are asked alone, before the first batch has come, and of probes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from sonmat import plugins
from sonmat.conformance.probe import made_candidate
from sonmat.core.probing import Setting, Work
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.core.values import Candidate, Event, Json
from sonmat.steps.prove import answer_candidate, asking
from tests.prove_probes.conftest import ARMS, Counting, World


@dataclass
class Batches:
    """Answers a batch as a whole, each question in `seconds` of a clock that nothing else moves."""

    seconds: float
    now: float = 0.0

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        self.now += self.seconds * len(questions)
        for question in questions:
            yield Prediction(row=question.row, output={"label": "refund"}, seconds=self.seconds, tokens=1)


@dataclass
class AllAtOnce(Counting):
    """A probe that asks ten questions in one go, or likelihoods alone."""

    write: bool = True

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        asked = [Question(str(number), setting.test[0].input, write=self.write) for number in range(10)]
        yield from ({"row": answer.row, "label": "refund"} for answer in predictor.answer(asked))


def progress(world: World, seconds: float, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Event, float]]:
    """What is told of the first arm, with the clock's time, where an answer takes so long."""
    predictor = Batches(seconds)
    monkeypatch.setattr("sonmat.steps.prove.asking.load_predictor", lambda _: predictor)
    clock = SimpleNamespace(perf_counter=lambda: predictor.now)
    for room in ("asking", "answer", "observing"):
        monkeypatch.setattr(f"sonmat.steps.prove.{room}.time", clock)
    told: list[tuple[Event, float]] = []
    log = world.folder.event_log("answer", (lambda event: told.append((event, predictor.now)),))
    answer_candidate(world.folder, ARMS[2], log, lambda: False)
    return [(event, at) for event, at in told if event.kind == "progress"]


def test_the_time_left_is_told_while_questions_are_asked_alone_and_before_the_first_batch_has_come(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = len(world.folder.split().test)
    told = progress(world, 1.0, monkeypatch)
    first, at = told[0]
    assert (at, first.data["done"], first.data["total"], first.data["seconds_left"]) == (1.0, 0, 8, 8.0 + rows)
    assert [event.data["seconds_left"] for event, _ in told[:8]] == sorted(
        (event.data["seconds_left"] for event, _ in told[:8]), reverse=True
    )
    batch = next(event for event, at in told if at == 9.0 and event.data["total"] == rows)
    assert (batch.data["done"], batch.data["seconds_left"]) == (0, rows)


def test_a_quick_model_is_told_nothing_of(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert all(event.data["done"] == event.data["total"] for event, _ in progress(world, 0.001, monkeypatch))


@pytest.mark.parametrize(("write", "left"), [(True, [10.0]), (False, [])])
def test_a_probe_is_foretold_by_what_an_answer_took_and_likelihoods_are_not(
    write: bool, left: list[float], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.probes = [AllAtOnce(write=write)]
    told = [event for event, _ in progress(world, 1.0, monkeypatch) if event.data["total"] == 10]
    assert [event.data["seconds_left"] for event in told if event.data["done"] == 0] == left


def test_answers_beside_others_take_a_share_of_one_alone() -> None:
    chat, labels = plugins.find("tasks", "chat"), plugins.find("tasks", "text-classification")
    tuned = made_candidate("tuned")
    there = tuned.model_copy(update={"elsewhere": True, "settings": {"at_once": 4}})
    shares = [asking.share_beside_others(*each) for each in ((labels, tuned), (chat, tuned), (chat, there))]
    assert shares == [1.0, 0.3, 0.25]


def test_a_probe_that_cannot_foretell_is_told_and_loses_nothing_but_itself(world: World) -> None:
    class Lost(Counting):
        def work(self, setting: Setting, candidate: Candidate) -> Work:
            raise ValueError("cannot say")

    probes: list[Any] = [Lost(name="lost"), Counting(name="whole")]
    world.probes = probes
    proof = world.prove()
    assert {each.probe for each in proof.unmeasured} == {"lost"}
    assert [each.probe for each in proof.measures] == ["whole"] * 3
