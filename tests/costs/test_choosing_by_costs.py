"""Where errors cost something, checkpoints, prompts and settings are chosen by the mean cost of what would be answered in use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonmat import plugins
from sonmat.core.decision import Costs
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, Question, SavedModel
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Estimate, Example, Fitted, Plan, Source, Spec, Split
from sonmat.inference.deciding import choose_decision, decided
from sonmat.inference.validating import judged_rows
from sonmat.methods import nearest_neighbours
from sonmat.methods.nearest_neighbours import Neighbours, Voting
from sonmat.prompting.choosing import choose_prompt
from sonmat.prompting.prompt import Prompt
from sonmat.retrieval.choosing import LookUp, choose_look_up
from sonmat.runs import RunFolder, write_value
from sonmat.runs.fit_keys import candidate_key, choosing_key, make_room, was_chosen_by_other_costs
from sonmat.steps.prove import _evidence
from sonmat.training import tuning
from tests.costs.made import LABELS, answers, log_odds
from tests.prompting.tiny_talker import label_job
from tests.training.tiny_jobs import CPU, Heard, tiny_job

MEAN_COST = plugins.find("metrics", "mean_cost")
DEAR = {"bad": 20.0}
"""Of the labels good, bad and a third one."""


def with_costs(job: FitJob, given: dict[str, Any] = DEAR) -> FitJob:
    return replace(job, selection=MEAN_COST, costs=Costs(labels=job.spec.labels, given=given))


def careless(row: Example) -> dict[str, Any]:
    """Right but for half of the dear rows: a good macro F1, and dear."""
    missed = row.target["label"] == "bad" and int(row.id.strip("rowbad")) % 2 == 0
    return {"label": "good"} if missed else dict(row.target)


def careful(row: Example) -> dict[str, Any]:
    """Never misses a dear row, and takes the others for dear more often than not: a bad macro F1, and cheap."""
    return {"label": "bad"} if row.target["label"] != "good" else dict(row.target)


def spam_job(tmp_path: Path) -> tuple[FitJob, list[Prediction]]:
    labels, odds = log_odds(300, seed=7)
    rows = [
        Example(id=str(number), input={"text": ""}, target={"label": label}, source=Source(file="", row=number))
        for number, label in enumerate(labels)
    ]
    job = replace(tiny_job("text-classification", "head-only", tmp_path), validation=rows, spec=Spec(labels=LABELS))
    return job, answers(odds)


def test_answers_are_judged_as_the_finished_model_will_decide_them(tmp_path: Path) -> None:
    plain, said = spam_job(tmp_path)
    job = with_costs(plain, {"spam": 20})
    outputs = [each.output for each in said]
    assert [each.output for each in judged_rows(plain, plain.validation, outputs)] == outputs
    decision = choose_decision(said, {row.id: row.target["label"] for row in job.validation}, LABELS, job.costs)
    assert decision is not None
    judged = judged_rows(job, job.validation, outputs)
    assert [each.output for each in judged] == [decided(each, decision).output for each in said]
    assert sum(each.output["label"] == "spam" for each in judged) > sum(each["label"] == "spam" for each in outputs)
    assert all(each.costs == job.costs for each in judged)


def test_answers_without_probabilities_are_judged_as_they_are(tmp_path: Path) -> None:
    plain, _ = spam_job(tmp_path)
    job = with_costs(plain, {"spam": 20})
    outputs = [{"label": "ham"}, {"label": "no label"}]
    assert [each.output for each in judged_rows(job, job.validation[:2], outputs)] == outputs


@pytest.mark.parametrize("costly", [False, True])
def test_the_kept_checkpoint_is_the_cheapest_where_errors_cost_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, costly: bool
) -> None:
    heard = Heard()
    job = tiny_job("text-classification", "head-only", tmp_path, heard, epochs=2, patience=9)
    job = with_costs(job) if costly else job
    looks = iter([lambda row: {"label": "odd"}, careless, careful])

    def seen(_: Any) -> tuple[list[float], list[float], list[Any]]:
        look, rows = next(looks), job.validation
        return [1.0] * len(rows), [1.0] * len(rows), [look(row) for row in rows]

    monkeypatch.setattr(tuning._Validator, "_seen", seen)
    result = plugins.find("methods", "head-only").fit(job)
    first, second, third = heard.of("validation")
    assert result.best_step == (third if costly else second)["step"]
    assert set(result.selection) == {"mean_cost" if costly else "macro_f1", "loss"}
    if costly:
        # Of twelve rows 4 are dear and 4 odd: all dear ones missed, half of them missed, all odd ones taken for dear.
        assert [each["mean_cost"] for each in (first, second, third)] == pytest.approx([84 / 12, 40 / 12, 4 / 12])


@dataclass
class Planted:
    """Stands for a loaded base that answers as the instruction of a prompt, or the way of looking up, says."""

    job: FitJob

    def predictor(self, prompt: Prompt) -> Any:
        return _Answering(self.job, {"careless": careless, "careful": careful}.get(prompt.instruction or "", lambda _: {}))


@dataclass
class _Answering:
    job: FitJob
    how: Any

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        rows = {row.id: row for row in self.job.validation}
        for question in questions:
            yield Prediction(row=question.row, output=self.how(rows[question.row]), seconds=0.0)


@pytest.mark.parametrize(("costly", "best"), [(False, "careless"), (True, "careful")])
def test_the_best_prompt_and_way_of_looking_up_are_the_cheapest(tmp_path: Path, costly: bool, best: str) -> None:
    job = label_job(tmp_path, "best-prompt")
    job = with_costs(job) if costly else job
    asking: Any = Planted(job)
    prompts = [Prompt(), Prompt(instruction="careless"), Prompt(instruction="careful")]
    tries = choose_prompt(job, prompts, 24, asking)
    assert tries.tried[0].prompt.instruction == best
    assert tries.metric == ("mean_cost" if costly else "macro_f1")
    if costly:
        dear = sum(row.target["label"] == "bad" for row in job.validation) / len(job.validation)
        plain = next(each for each in tries.tried if each.prompt == Prompt())
        assert plain.score == pytest.approx(20 * dear + 1 - dear), "what is no label costs as much as the worst error"

    def predictor_of(look_up: LookUp) -> Any:
        return _Answering(job, careless if look_up.by == "words" else careful)

    assert choose_look_up(job, ("words", "both"), 3, 24, predictor_of).best.by == ("both" if costly else "words")


def test_words_and_neighbours_are_weighed_by_the_cost_of_what_they_would_answer(tmp_path: Path) -> None:
    """The value that settings are chosen by is that of the saved model, decided and judged anew."""
    method, task = plugins.find("methods", "tf-idf"), plugins.find("tasks", "text-classification")
    chance = np.random.default_rng(0)
    rows = [
        Example(
            id=str(number),
            input={
                "text": " ".join([*chance.choice(["a", "b", "c", "d"], 4), "free" if chance.random() < 0.6 else "hello"])
            },
            target={"label": "spam" if chance.random() < 0.3 else "ham"},
            source=Source(file="", row=number),
        )
        for number in range(80)
    ]
    plain = tiny_job("text-classification", "majority", tmp_path)
    job = with_costs(
        replace(
            plain, spec=Spec(labels=LABELS), settings=method.Settings(), train=rows[:40], validation=rows[40:], base=None
        ),
        {"spam": 5},
    )
    result = method.fit(job)
    loaded = method.load(SavedModel(job.folder, "tf-idf", task, job.spec, None, None, job.settings, CPU))
    said = list(loaded.answer([Question(row.id, row.input) for row in job.validation]))
    assert dict(result.selection) == pytest.approx({"mean_cost": cost_of(job, said)})

    known = Neighbours(np.eye(2, dtype=np.float32), np.array([0, 1]), LABELS)
    looked = np.array([[1.0, 0.0], [0.8, 0.6]] * 20, dtype=np.float32)
    voting = Voting(2, "nearer")
    near = [Prediction(row=row.id, output={"scores": dict(zip(LABELS, shares, strict=True))}, seconds=0.0)
            for row, shares in zip(job.validation, known.shares(looked, voting).tolist(), strict=True)]  # fmt: skip
    assert nearest_neighbours._score(job, known, looked, voting) == pytest.approx(-cost_of(job, near), abs=1e-4)


def cost_of(job: FitJob, said: Sequence[Prediction]) -> float:
    """The mean cost by hand of answers to the validation rows."""
    targets = {row.id: row.target["label"] for row in job.validation}
    decision = choose_decision(said, targets, LABELS, job.costs)
    assert decision is not None
    assert job.costs is not None
    return float(np.mean([job.costs.of(targets[each.row], decided(each, decision).output["label"]) for each in said]))


# ── costs that change later ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made, text = RunFolder(tmp_path), Text(en="-", ko="-")
    candidate = Candidate(
        id="one", method="full", role="tuned", reason=text, estimate=Estimate(peak_bytes=1, seconds=1, basis=text)
    )
    spec = Spec(labels=LABELS)
    plan = Plan(task="text-classification", spec=spec, candidates=(candidate,), refused=(), device=Device())
    write_value(made.file("plan.json"), plan)
    write_value(made.file("split.json"), Split(train=(), validation=(), test=(), seal="", how=text), "split")
    with_cost(made, {})
    return made


def with_cost(folder: RunFolder, cost: dict[str, Any]) -> None:
    write_value(folder.file("recipe.json"), Recipe(data=("d.csv",), cost=cost))


def test_a_half_trained_model_of_other_costs_is_not_continued(folder: RunFolder) -> None:
    (candidate,) = folder.plan().candidates
    checkpoint = folder.candidate_folder("one") / "work" / "checkpoint.pt"
    checkpoint.parent.mkdir(parents=True)
    assert choosing_key(folder, candidate, "one") == candidate_key(folder, candidate), (
        "runs without costs stay what they are"
    )
    for cost, kept in (({}, False), ({}, True), ({"spam": 5}, False), ({"spam": 5}, True), ({"spam": 6}, False)):
        with_cost(folder, cost)
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_text("half")
        make_room(folder, "one", choosing_key(folder, candidate, "one"))
        assert checkpoint.exists() is kept, cost


def test_a_model_that_was_chosen_by_other_costs_says_so(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    (candidate,) = folder.plan().candidates
    make_room(folder, "one", choosing_key(folder, candidate, "one"))
    fitted = Fitted(candidate="one", seconds=1, peak_bytes=1, selection={"macro_f1": 0.5})
    monkeypatch.setattr(RunFolder, "measured", lambda *_: type("Seen", (), {"seconds_per_answer": 1.0, "peak_bytes": 1})())
    monkeypatch.setattr(RunFolder, "predictions", lambda *_: [])
    monkeypatch.setattr(RunFolder, "fitted", lambda *_: fitted)
    assert _evidence(folder, candidate).budget is None
    with_cost(folder, {"spam": 20})
    assert was_chosen_by_other_costs(folder, candidate)
    told = _evidence(folder, candidate).budget
    assert told is not None
    assert "chosen with other costs of errors, or none" in told.en
    fitted = fitted.model_copy(update={"selection": {}})
    assert _evidence(folder, candidate).budget is None, "where nothing was chosen there is nothing to say"
