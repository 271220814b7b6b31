"""A run whose models are fitted and whose test set nobody has answered, with probes and predictors made for the test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Change, Measure, Prediction
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Event, Fits, Json
from sonmat.runs import RunFolder, write_value
from sonmat.runs.seal import seal_of
from sonmat.steps.prove import answer_candidate, prove
from tests.declared import undeclared_measures
from tests.report.made_run import no_gain_run

__all__ = ["undeclared_measures"]

ARMS = ("majority", "zero-shot-smollm2-135m", "lora-smollm2-135m")


@dataclass
class Echo:
    """Answers every question with the first label, and counts."""

    asked: list[str]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in questions:
            self.asked.append(question.row)
            yield Prediction(row=question.row, output={"label": "refund"}, seconds=0.01, tokens=1)


@dataclass
class Counting:
    """A probe that asks three questions; `share` of what it saw is its measure."""

    name: str = "counting"
    title: Text = field(default_factory=lambda: Text(en="counting", ko="세기"))
    measures: tuple[str, ...] = ("seen", "unseen_*")
    fails_at: int | None = None
    unsupported: frozenset[str] = frozenset()
    observed: list[str] = field(default_factory=list)
    bases: dict[str, str | None] = field(default_factory=dict)
    row: Callable[[int], Any] = str
    breaks: bool = False

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        if candidate.id in self.unsupported:
            return No(Text(en="it cannot be counted.", ko="셀 수 없습니다."))
        return Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        self.observed.append(candidate.id)
        for number in range(3):
            if number == self.fails_at:
                raise ValueError("cannot go on")
            (answer,) = predictor.answer([Question(f"{self.name}-{number}", setting.test[0].input)])
            yield {"row": self.row(number), "label": answer.output["label"]}

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        if self.breaks:
            raise ZeroDivisionError("no figure")
        self.bases[own.candidate.id] = base.candidate.id if base else None
        harm = Change(difference=0.2, low=0.1, high=0.3, beyond_noise=True) if base else None
        return [
            Measure(
                probe=self.name, name="seen", title=self.title, arm=own.candidate.id, value=len(own.rows) / 10, items=3,
                low=0.1, high=0.6, higher_is_better=False, change=harm,
            )
        ]  # fmt: skip


@dataclass
class World:
    folder: RunFolder
    asked: list[str]
    probes: list[Any]
    events: list[Event] = field(default_factory=list)
    pause: Callable[[], bool] = lambda: False
    jobs: list[str] = field(default_factory=list)
    job_fails: Callable[[str], None] = lambda job: None

    def run_job(self, folder: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
        self.jobs.append(job)
        self.job_fails(job)
        log = folder.event_log("answer", (self.events.append,))
        answer_candidate(folder, job.partition("/")[2], log, self.pause)

    def prove(self) -> Any:
        log = self.folder.event_log("prove", (self.events.append,))
        return prove(self.folder, self.run_job, log, log.tell, "inputs")

    def failures(self) -> list[str]:
        return [str(event.message) for event in self.events if event.kind == "probe_failed"]


@pytest.fixture(scope="session")
def unanswered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fit step leaves, to be copied."""
    folder = no_gain_run(tmp_path_factory.mktemp("unanswered") / "run", rows=100)
    shutil.rmtree(folder.file("predictions"))
    folder.file("proof.json").unlink()
    write_value(folder.file("fit.json"), Fits(fitted=ARMS), "fitted")
    split = folder.split()
    tested = (example for example in folder.kept_examples() if example.id in set(split.test))
    write_value(folder.file("split.json"), split.model_copy(update={"seal": seal_of(tested)}), "split")
    return folder.path


@pytest.fixture
def world(unanswered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    folder = RunFolder(Path(shutil.copytree(unanswered, tmp_path / "run")))
    made = World(folder, [], [])
    every: Any = plugins._all
    monkeypatch.setattr(
        plugins, "_all", lambda room: {each.name: each for each in made.probes} if room == "probes" else every(room)
    )
    monkeypatch.setattr("sonmat.steps.prove.asking.open_saved", lambda *_, **__: None)
    monkeypatch.setattr("sonmat.steps.prove.asking.load_predictor", lambda _: Echo(made.asked))
    return made
