"""Whole runs through the command line: once through, again, after a kill, after Ctrl-C, after a change."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

import sonmat as package
from sonmat.runs import RunFolder
from tests.whole.small_world import command, heed_ctrl_c, make_base, make_reviews, sonmat

pytestmark = pytest.mark.real

# 120 rows would be cross-validated.
TRAINING = ("--folds", "0", "--set", "full.epochs=12", "--set", "full.patience=12", "--set", "full.learning_rate=3e-3")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a base model, data, and one finished run of them."""
    folder = tmp_path_factory.mktemp("world")
    make_base(folder / "base")
    make_reviews(folder / "reviews.csv")
    sonmat("run", "reviews.csv", "--base", "base", "--method", "full,head-only", *TRAINING, folder=folder)
    return folder


def curve(folder: Path, run: str) -> dict[int, float]:
    events = RunFolder(folder / "runs" / run).candidate_events("full-base")
    return {event.data["step"]: event.data["loss"] for event in events if event.kind == "step"}


def weights(folder: Path, run: str) -> bytes:
    return (folder / "runs" / run / "candidates" / "full-base" / "model" / "model.safetensors").read_bytes()


def step_events(folder: Path, run: str, kind: str) -> list[str]:
    return [event.step for event in RunFolder(folder / "runs" / run).events() if event.kind == kind]


def start(world: Path, *arguments: Any) -> subprocess.Popen[str]:
    words, how = command(*arguments, folder=world)
    return subprocess.Popen(
        words, **how, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=heed_ctrl_c
    )


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 300
    while not what():
        assert time.monotonic() < end, "waited in vain"
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)


def events_file(world: Path, run: str) -> Path:
    return world / "runs" / run / "candidates" / "full-base" / "events.jsonl"


def count(world: Path, run: str, kind: str) -> int:
    path = events_file(world, run)
    return path.read_text().count(f'"kind": "{kind}"') if path.exists() else 0


def test_a_run_ends_with_a_proof_a_report_and_a_model_that_answers(world: Path) -> None:
    run = package.open_run(world / "runs" / "reviews")
    arms = {"majority", "tf-idf", "label-names-base", "full-base", "head-only-base"}
    assert {arm.candidate for arm in run.proof.arms} == arms
    # One word tells the label: counting words is as good as any training, and cheaper.
    assert run.proof.verdict.use == "tf-idf"
    assert not run.proof.verdict.fine_tune
    full = run.candidate("full-base").arm
    assert full.headline.metric == "macro_f1"
    assert full.headline.low > 0.7
    assert run.report_path.read_text(encoding="utf-8").startswith("<!doctype html>")
    for model in (run.best.load(), run.candidate("full-base").load()):
        assert model.predict("a fine day at all")["label"] == "good"
        assert model.predict("no hope at all")["label"] == "bad"
    assert run.folder.release().replayed == 8


def test_running_again_repeats_nothing(world: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (world / "runs" / "reviews").rglob("*.json")}
    sonmat("run", "reviews.csv", "--base", "base", "--method", "full,head-only", *TRAINING, folder=world)
    after = {path: path.stat().st_mtime_ns for path in (world / "runs" / "reviews").rglob("*.json")}
    changed = {path.name for path in before if before[path] != after[path]}
    assert changed <= {"recipe.json"}
    assert step_events(world, "reviews", "unchanged")[-9:] == [
        "load", "audit", "split", "plan", "fit", "prove", "report", "release", "learn"
    ]  # fmt: skip


def test_a_kill_during_the_fit_and_a_second_run_end_with_the_identical_curve_and_weights(world: Path) -> None:
    arguments = ("run", "reviews.csv", "--base", "base", "--method", "full", *TRAINING, "--folder", "runs/killed")
    process = start(world, *arguments)
    wait_for(lambda: count(world, "killed", "validation") >= 4, process)
    process.kill()
    process.communicate()
    # The worker sees the end of its parent and stops by itself.
    lock_free = world / "runs" / "killed" / "candidates" / "full-base" / "fitted.json"
    assert not lock_free.exists()
    time.sleep(1.0)
    sonmat(*arguments, folder=world)
    assert count(world, "killed", "resumed") == 1
    assert curve(world, "killed") == curve(world, "reviews")
    assert weights(world, "killed") == weights(world, "reviews")


def test_a_kill_of_the_worker_is_said_and_the_run_continues(world: Path) -> None:
    arguments = ("run", "reviews.csv", "--base", "base", "--method", "full", *TRAINING, "--folder", "runs/shot")
    process = start(world, *arguments)
    wait_for(lambda: count(world, "shot", "validation") >= 3, process)
    (worker,) = psutil.Process(process.pid).children()
    worker.kill()
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "killed from outside" in output
    sonmat(*arguments, folder=world)
    assert weights(world, "shot") == weights(world, "reviews")


def test_ctrl_c_pauses_with_exit_code_130_and_the_run_continues(world: Path) -> None:
    arguments = ("run", "reviews.csv", "--base", "base", "--method", "full", *TRAINING, "--folder", "runs/paused")
    process = start(world, *arguments)
    wait_for(lambda: count(world, "paused", "validation") >= 3, process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 130, output
    assert "Paused at step" in output
    sonmat(*arguments, folder=world)
    assert curve(world, "paused") == curve(world, "reviews")
    assert weights(world, "paused") == weights(world, "reviews")


def test_a_second_ctrl_c_stops_at_once(world: Path) -> None:
    arguments = ("run", "reviews.csv", "--base", "base", "--method", "full", *TRAINING, "--folder", "runs/stopped")
    process = start(world, *arguments)
    wait_for(lambda: count(world, "stopped", "step") >= 1, process)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=300)
    assert process.returncode == 130
    sonmat(*arguments, folder=world)
    assert weights(world, "stopped") == weights(world, "reviews")


def test_a_changed_file_is_noticed_and_said_and_old_results_are_kept(world: Path, tmp_path: Path) -> None:
    make_base(tmp_path / "base")
    data = make_reviews(tmp_path / "reviews.csv")
    arguments = (
        "run",
        "reviews.csv",
        "--base",
        "base",
        "--folds",
        "0",
        "--method",
        "head-only",
        "--set",
        "head-only.epochs=1",
    )
    sonmat(*arguments, folder=tmp_path)
    first = json.loads((tmp_path / "runs" / "reviews" / "source.json").read_text())["value"]["sha256"]
    make_reviews(data, rows=130, seed=1)
    said = sonmat(*arguments, folder=tmp_path).stdout
    assert "has changed" in said
    kept = json.loads((tmp_path / "runs" / "reviews" / "history" / "001" / "source.json").read_text())
    assert kept["value"]["sha256"] == first
    assert len(list(RunFolder(tmp_path / "runs" / "reviews").examples())) == 130


def test_another_method_trains_only_that_one(world: Path) -> None:
    fitted = world / "runs" / "reviews" / "candidates" / "full-base" / "fitted.json"
    before = fitted.stat().st_mtime_ns
    sonmat(
        "run", "reviews.csv", "--base", "base", "--method", "full,freeze", *TRAINING, "--set", "freeze.epochs=1", folder=world
    )  # fmt: skip
    assert fitted.stat().st_mtime_ns == before
    run = package.open_run(world / "runs" / "reviews")
    assert "freeze-base" in {arm.candidate for arm in run.proof.arms}


def test_a_tampered_test_set_proves_nothing(world: Path, tmp_path: Path) -> None:
    import shutil

    from sonmat.core.errors import RunError

    copy = tmp_path / "copy"
    shutil.copytree(world / "runs" / "reviews", copy)
    folder = RunFolder(copy)
    victim = folder.split().test[0]
    lines = (copy / "examples.jsonl").read_text().splitlines()
    lines = [line.replace('"label": "good"', '"label": "BAD"').replace('"label": "bad"', '"label": "good"')
             if f'"id": "{victim}"' in line else line for line in lines]  # fmt: skip
    (copy / "examples.jsonl").write_text("\n".join(lines) + "\n")
    (copy / "proof.json").unlink()
    from sonmat.steps.prove import prove

    with pytest.raises(RunError, match="sealed"):
        prove(folder, lambda *_: None, folder.event_log("prove"), lambda _: None, "x")


def test_a_run_whose_data_has_gone_can_still_be_reported_in_another_language(tmp_path: Path) -> None:
    make_base(tmp_path / "base")
    data = make_reviews(tmp_path / "reviews.csv")
    sonmat(
        "run",
        "reviews.csv",
        "--base",
        "base",
        "--folds",
        "0",
        "--method",
        "head-only",
        "--set",
        "head-only.epochs=1",
        folder=tmp_path,
    )
    data.unlink()
    said = sonmat("report", "reviews", "--lang", "ko", folder=tmp_path)
    assert "더 이상 없어" in said.stdout
    assert (tmp_path / "runs" / "reviews" / "release.json").exists()
    assert 'lang="ko"' in (tmp_path / "runs" / "reviews" / "report.html").read_text(encoding="utf-8")


FOLDS = ("--folds", "3", "--method", "full", "--set", "full.epochs=4", "--set", "full.learning_rate=3e-3")


def test_a_cross_validated_run_survives_a_kill_and_proves_every_row_out_of_fold(world: Path, tmp_path: Path) -> None:
    make_base(tmp_path / "base")
    make_reviews(tmp_path / "reviews.csv", rows=60)
    arguments = ("run", "reviews.csv", "--base", "base", *FOLDS)
    process = start(tmp_path, *arguments)
    folder = RunFolder(tmp_path / "runs" / "reviews")
    second_fold = folder.candidate_folder("full-base@2") / "events.jsonl"
    wait_for(lambda: second_fold.exists() and '"kind": "step"' in second_fold.read_text(), process)
    process.kill()
    process.communicate()
    before = (folder.candidate_folder("full-base@1") / "fitted.json").read_bytes()
    time.sleep(1.0)
    sonmat(*arguments, folder=tmp_path)
    # The fold that was finished was not trained again.
    assert (folder.candidate_folder("full-base@1") / "fitted.json").read_bytes() == before

    split, proof = folder.split(), folder.proof()
    assert (len(split.folds), split.repeats) == (6, 2)
    assert proof.items == 60
    for arm in proof.arms:
        rows = [prediction.row for prediction in folder.predictions(arm.candidate)]
        assert sorted(rows) == sorted([*split.test, *split.test])
    for number, fold in enumerate(split.folds, start=1):
        assert {each.row for each in folder.predictions(f"full-base@{number}")} == set(fold.test)
        # What has answered needs no model any more.
        assert not (folder.candidate_folder(f"full-base@{number}") / "model").exists()
    folds = [folder.fitted(f"full-base@{number}").seconds for number in range(1, 7)]
    full = next(arm for arm in proof.arms if arm.candidate == "full-base")
    assert full.fit_seconds > sum(folds)
    assert "Cross-validated" in " ".join(detail.en for detail in proof.verdict.details)
    assert folder.release().replayed == 8
    report = folder.file("report.html").read_text(encoding="utf-8")
    assert "Cross-validated in 3 folds" in report
    again = sonmat(*arguments, folder=tmp_path)
    assert "done before, unchanged" in again.stdout
