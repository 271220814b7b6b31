"""Decisions in a whole run: chosen without the test set, declared, the same after moving, chosen anew where costs change."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import sonmat
from sonmat.core.decision import Decision
from sonmat.core.errors import ModelError, SettingError
from sonmat.core.proof import Prediction
from sonmat.core.recipe import Recipe
from sonmat.core.values import Event
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import read_rows, read_value
from sonmat.steps.fit import fit, fit_candidate
from sonmat.steps.prove import answer_candidate
from sonmat.steps.release import replay_candidate
from tests.whole.small_world import make_base, make_reviews

pytestmark = pytest.mark.real

ARM = "head-only-base"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run with costs whose only tuned candidate is fitted."""
    world = tmp_path_factory.mktemp("decided")
    make_base(world / "base")
    data = make_reviews(world / "reviews.csv")
    sonmat.run(
        data,
        folder=world / "run",
        base=str(world / "base"),
        method="head-only",
        folds=0,
        cost={"bad": 20},
        settings={"head-only": {"epochs": 8, "learning_rate": 0.02}},
        upto="plan",
    )
    folder = RunFolder(world / "run")
    fitted(folder)
    return folder


def fitted(folder: RunFolder) -> Decision:
    fit_candidate(folder, ARM, folder.event_log("fit"), lambda: False)
    return decision(folder)


def decision(folder: RunFolder) -> Decision:
    return read_value(folder.candidate_folder(ARM) / "model" / "decision.json", Decision)


def nothing_to_run(asked: list[str]) -> Callable[[RunFolder, str, Callable[[Event], None]], None]:
    return lambda folder, job, tell: asked.append(job)


def test_the_decision_is_chosen_on_the_validation_rows_and_told(run: RunFolder) -> None:
    found, split = decision(run), run.split()
    answers = list(read_rows(run.candidate_folder(ARM) / "validation.jsonl", Prediction))
    assert {answer.row for answer in answers} == set(split.validation)
    assert found.rows == len(split.validation)
    assert found.watched == "bad"
    assert found.threshold is not None
    assert found.budget is not None
    assert "chosen on 18 validation rows" in found.budget.en


def test_other_labels_of_the_test_rows_change_neither_temperature_nor_threshold(run: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "copy")
    copy = RunFolder(tmp_path / "copy")
    test, turned = set(copy.split().test), {"good": "bad", "bad": "good"}
    lines = copy.file("examples.jsonl").read_text(encoding="utf-8").splitlines()
    changed = [lines[0]]
    for line in lines[1:]:
        row = json.loads(line)
        if row["id"] in test:
            row["target"]["label"] = turned[row["target"]["label"]]
        changed.append(json.dumps(row, ensure_ascii=False))
    assert changed != lines
    copy.file("examples.jsonl").write_text("\n".join(changed) + "\n", encoding="utf-8")
    assert fitted(copy) == decision(run)


def test_the_released_model_answers_as_in_the_proof_and_so_does_a_moved_copy(run: RunFolder, tmp_path: Path) -> None:
    answer_candidate(run, ARM, run.event_log("prove"), lambda: False)
    replay_candidate(run, ARM, run.event_log("release"), lambda: False)
    proven = {answer.row: answer for answer in run.predictions(ARM)}
    chosen = decision(run)
    assert all(answer.temperature == chosen.temperature for answer in proven.values())
    labels = {example.id: example for example in run.kept_examples() if example.id in proven}
    moved = shutil.copytree(run.candidate_folder(ARM) / "model", tmp_path / "elsewhere")
    again = sonmat.load(moved).predict_all([labels[row].input["text"] for row in proven])
    assert [answer.output["label"] for answer in again] == [answer.output["label"] for answer in proven.values()]
    (moved / "decision.json").unlink()
    bare = sonmat.load(moved).predict_all([labels[row].input["text"] for row in proven])
    assert sum(answer.output["label"] == "bad" for answer in bare) < sum(
        answer.output["label"] == "bad" for answer in again
    )


def test_a_model_that_lost_its_decision_is_not_released(run: RunFolder) -> None:
    file = run.candidate_folder(ARM) / "model" / "decision.json"
    kept = file.read_bytes()
    chosen = read_value(file, Decision)
    # The same probabilities, and other labels.
    file.write_text(file.read_text().replace(f'"threshold": {chosen.threshold}', '"threshold": 1.5'))
    try:
        with pytest.raises(ModelError, match="otherwise than in the proof") as caught:
            replay_candidate(run, ARM, run.event_log("release"), lambda: False)
        # What a model says may be about somebody.
        assert "scores" not in caught.value.whole.en
    finally:
        file.write_bytes(kept)


def test_other_costs_choose_anew_and_train_nothing(run: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(run.path, tmp_path / "copy")
    copy = RunFolder(tmp_path / "copy")
    before, model = decision(copy), copy.candidate_folder(ARM) / "model"
    weights = (model / "model.safetensors").read_bytes()
    with_cost(copy, {"good": 3})
    asked: list[str] = []
    # The floor and the base were never fitted here; only what is asked of the tuned candidate matters.
    fit(copy, nothing_to_run(asked), copy.event_log("fit"), lambda _: None, "x")
    assert f"fit/{ARM}" not in asked
    now = decision(copy)
    assert (now.watched, now.temperature) == ("good", before.temperature)
    assert (model / "model.safetensors").read_bytes() == weights
    with_cost(copy, {})
    fit(copy, nothing_to_run(asked), copy.event_log("fit"), lambda _: None, "x")
    assert decision(copy).costs is None


def test_costs_of_a_label_that_does_not_exist_are_refused_before_anything_is_trained(
    run: RunFolder, tmp_path: Path
) -> None:
    shutil.copytree(run.path, tmp_path / "copy")
    copy = RunFolder(tmp_path / "copy")
    with_cost(copy, {"baad": 20})
    asked: list[str] = []
    with pytest.raises(SettingError, match="Did you mean 'bad'"):
        fit(copy, nothing_to_run(asked), copy.event_log("fit"), lambda _: None, "x")
    assert asked == []


def with_cost(folder: RunFolder, cost: dict[str, float]) -> None:
    write_value(folder.file("recipe.json"), Recipe.model_validate({**folder.recipe().model_dump(), "cost": cost}))
