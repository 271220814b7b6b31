"""The learning curve of the tuned arm: what is trained, when, what is said of it, and that nothing is done twice."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import Paused, WorkerFailed
from sonmat.core.proof import Prediction, Proof
from sonmat.core.protocols import Question
from sonmat.core.text import verbatim
from sonmat.core.values import Event, Fits, Fitted, Fold
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import read_header
from sonmat.runs.fit_keys import candidate_key, part_key
from sonmat.runs.parts import TrainingPart, candidate_of, is_part, part_file, read_part
from sonmat.runs.seal import seal_of
from sonmat.steps.prove import answer_candidate, prove
from sonmat.steps.prove.curve import wanted_curve
from sonmat.steps.prove.setting import setting_of
from tests.report.made_run import no_gain_run

TUNED = "lora-smollm2-135m"
ARMS = ("majority", "zero-shot-smollm2-135m", TUNED)
PARTS = [f"{TUNED}~{number}-of-1-{share}" for share in (8, 4, 2) for number in (1, 2)]


@dataclass
class Learner:
    """Right on this share of the items, the same ones first."""

    right: float
    order: list[str]
    targets: dict[str, Any]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        knows = self.order[: round(self.right * len(self.order))]
        for question in questions:
            target = self.targets[question.row]
            output = target if question.row in knows else {"label": "another"}
            yield Prediction(row=question.row, output=output, seconds=0.01)


@dataclass
class World:
    folder: RunFolder
    right: Callable[[int], float]
    jobs: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    job_fails: Callable[[str], None] = lambda job: None

    def run_job(self, folder: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
        self.jobs.append(job)
        self.job_fails(job)
        kind, _, name = job.partition("/")
        if kind == "answer":
            answer_candidate(folder, name, folder.event_log("answer"), lambda: False)
            return
        candidate = next(each for each in folder.plan().candidates if each.id == candidate_of(name))
        (folder.candidate_folder(name) / "model").mkdir(parents=True)
        fitted = Fitted(candidate=name, seconds=1, peak_bytes=1)
        write_value(folder.candidate_folder(name) / "fitted.json", fitted, candidate_key(folder, candidate, name))

    def prove(self, **changes: object) -> Proof:
        recipe = self.folder.recipe().model_copy(update={"probes": (), **changes})
        write_value(self.folder.file("recipe.json"), recipe)
        log = self.folder.event_log("prove", (self.events.append,))
        return prove(self.folder, self.run_job, log, log.tell, "inputs")

    def trained(self) -> list[str]:
        return [job.removeprefix("fit/") for job in self.jobs if job.startswith("fit/")]

    def rows_of(self, name: str) -> int:
        part = read_part(self.folder, name)
        return len(self.folder.split().train) if part is None else len(part.train)


@pytest.fixture(scope="session")
def unanswered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the fit step leaves, to be copied."""
    folder = no_gain_run(tmp_path_factory.mktemp("unanswered") / "run", rows=400)
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
    made = World(folder, lambda rows: 1 - 4 * rows**-0.5)
    test = set(folder.split().test)
    targets = {example.id: example.target for example in folder.kept_examples() if example.id in test}

    class Asked:
        """Which model is asked, told by its folder."""

        def __init__(self, path: Path) -> None:
            self.name = path.parent.name

    def load(saved: Asked) -> Learner:
        rows = made.rows_of(saved.name) if candidate_of(saved.name) == TUNED else 1
        return Learner(made.right(rows), sorted(targets), targets)

    monkeypatch.setattr("sonmat.steps.prove.asking.open_saved", lambda path, *_, **__: Asked(path))
    monkeypatch.setattr("sonmat.steps.prove.asking.load_predictor", load)
    return made


def test_where_more_rows_help_the_proof_says_what_twice_as_many_would_bring(world: World) -> None:
    proof = world.prove(curve=True)
    curve = proof.curve
    assert curve is not None
    assert world.trained() == PARTS
    rows = len(world.folder.split().train)
    assert [point.rows for point in curve.points] == pytest.approx(
        [rows / 8, rows / 8, rows / 4, rows / 4, rows / 2, rows / 2, rows], abs=2
    )
    assert curve.points[-1].score == next(arm for arm in proof.arms if arm.candidate == TUNED).headline
    assert curve.says == "helps"
    assert curve.gain is not None
    assert curve.low is not None
    assert curve.low > 0
    assert curve.fitted[-1].rows == 2 * rows
    assert curve.fitted[-1].value > curve.points[-1].score.value
    assert proof.verdict.details[-1] == curve.sentence
    assert curve.sentence.en.startswith("What more data would bring: twice the")
    assert "데이터를 더하면" in curve.sentence.ko


def test_where_more_rows_do_not_help_that_is_said(world: World) -> None:
    world.right = lambda rows: 0.9
    curve = world.prove(curve=True).curve
    assert curve is not None
    assert curve.says == "hardly"
    assert "would hardly help" in curve.sentence.en
    assert "거의 나아지지 않습니다" in curve.sentence.ko


def test_where_trainings_scatter_it_cannot_be_told(world: World) -> None:
    # In the order in which models are loaded: two without training, then the parts.
    right = iter([0.5, 0.75, 0.60, 0.75, 0.80, 0.62, 0.82, 0.64])
    world.right = lambda rows: 0.75 if rows == len(world.folder.split().train) else next(right)
    curve = world.prove(curve=True).curve
    assert curve is not None
    assert curve.says == "open"
    assert "cannot be told" in curve.sentence.en


def test_parts_are_nested_and_trainings_differ_in_rows_and_seed(world: World) -> None:
    world.prove(curve=True)
    parts = {name: read_part(world.folder, name) for name in PARTS}
    for number in (1, 2):
        eighth, quarter, half = (parts[f"{TUNED}~{number}-of-1-{share}"] for share in (8, 4, 2))
        assert eighth is not None
        assert quarter is not None
        assert half is not None
        assert set(eighth.train) < set(quarter.train) < set(half.train) < set(world.folder.split().train)
        assert eighth.seed == half.seed
    first, second = parts[PARTS[0]], parts[PARTS[1]]
    assert first is not None
    assert second is not None
    assert first.seed != second.seed
    assert set(first.train) != set(second.train)


def test_a_model_of_a_part_is_gone_when_it_has_answered_and_nothing_is_done_twice(world: World) -> None:
    first = world.prove(curve=True)
    assert not any((world.folder.candidate_folder(name) / "model").exists() for name in PARTS)
    world.jobs.clear()
    assert world.prove(curve=True) == first
    assert world.jobs == []


def test_another_seed_trains_anew_and_keeps_what_was_there(world: World) -> None:
    world.prove(curve=True)
    world.jobs.clear()
    proof = world.prove(curve=True, seed=99)
    assert not proof.unmeasured
    assert world.trained() == PARTS
    assert list(world.folder.file("history").rglob(f"{PARTS[0]}/rows.json"))


def test_ctrl_c_leaves_a_proof_without_the_curve_and_the_next_run_goes_on(world: World) -> None:
    def pause(job: str) -> None:
        if job == f"answer/{PARTS[2]}":
            raise Paused(verbatim("paused"))

    world.job_fails = pause
    with pytest.raises(Paused):
        world.prove(curve=True)
    header = read_header(world.folder.file("proof.json"))
    assert header is not None
    assert header.inputs == "unfinished inputs"
    assert world.folder.proof().curve is None
    world.job_fails = lambda job: None
    world.jobs.clear()
    assert world.prove(curve=True).curve is not None
    # The model of the third was trained and had not answered.
    assert world.jobs[0] == f"answer/{PARTS[2]}"
    assert world.trained() == PARTS[3:]


def test_a_training_that_fails_is_told_and_takes_nothing_else_down(world: World) -> None:
    def fail(job: str) -> None:
        if job == f"fit/{PARTS[1]}":
            raise WorkerFailed(verbatim("the disk is full"))

    world.job_fails = fail
    proof = world.prove(curve=True)
    assert proof.curve is None
    assert proof.arms
    assert [(each.probe, each.arm) for each in proof.unmeasured] == [("curve", TUNED)]
    assert "the disk is full" in proof.verdict.details[-1].en
    header = read_header(world.folder.file("proof.json"))
    assert header is not None
    assert header.inputs == "unfinished inputs"


def test_without_the_users_word_it_is_measured_only_within_the_minutes_left(world: World) -> None:
    assert world.prove(minutes=60.0).curve is not None
    announced = [event for event in world.events if event.kind == "curve"]
    assert len(announced) == 1
    assert announced[0].data["seconds"] > 6 * 24
    shutil.rmtree(world.folder.file("candidates") / PARTS[0])
    world.jobs.clear()
    assert world.prove(minutes=0.2).curve is None
    assert world.jobs == []


def test_few_rows_are_left_alone_unless_the_user_asks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.steps.prove.curve.FEWEST_ROWS", 10_000)
    assert world.prove(minutes=1000.0).curve is None
    assert world.prove(minutes=1.0, curve=True).curve is not None


def test_no_means_no(world: World) -> None:
    assert world.prove(minutes=1000.0, curve=False).curve is None
    assert world.trained() == []


def test_a_cross_validation_refuses_and_says_why_if_it_was_asked_for(world: World) -> None:
    proof = world.prove(curve=False)
    split = world.folder.split()
    whole = (*split.train, *split.test)
    fold = Fold(train=split.train, validation=split.validation, test=split.test)
    write_value(world.folder.file("split.json"), split.model_copy(update={"folds": (fold,), "train": whole}), "split")
    write_value(world.folder.file("recipe.json"), world.folder.recipe().model_copy(update={"curve": True}))
    refusal = wanted_curve(world.folder, setting_of(world.folder), proof)
    assert "cross-validation" in str(refusal)


def test_a_part_is_trained_again_where_errors_cost_something_else_now(world: World) -> None:
    candidate = next(each for each in world.folder.plan().candidates if each.id == TUNED)
    part = TrainingPart(candidate=TUNED, number=1, halvings=3, train=("a", "b"), seed=1)
    keys = set()
    for cost in ({}, {"refund": 20.0}, {"refund": 5.0}):
        recipe = world.folder.recipe().model_copy(update={"cost": cost})
        write_value(world.folder.file("recipe.json"), recipe)
        keys.add(part_key(world.folder, candidate, part))
    # How a model decides is chosen by what errors cost, and kept with it.
    assert len(keys) == 3


def test_names_of_parts_are_told_from_names_of_candidates(world: World) -> None:
    assert is_part(PARTS[0])
    assert candidate_of(PARTS[0]) == TUNED
    assert not is_part("full-my~model")
    assert candidate_of("full-my~model@3") == "full-my~model@3"
    world.prove(curve=True)
    part = read_part(world.folder, PARTS[0])
    assert part is not None
    assert part.name == PARTS[0]
    candidate = next(each for each in world.folder.plan().candidates if each.id == TUNED)
    header = read_header(part_file(world.folder, PARTS[0]))
    assert header is not None
    assert header.inputs == part_key(world.folder, candidate, part)
