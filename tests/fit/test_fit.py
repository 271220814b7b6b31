"""The fit step's own decisions: disk, failed candidates, and errors of a job's process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import DataError, Paused, SonmatError, TrainingDiverged, WorkerFailed
from sonmat.core.proof import Prediction
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Estimate, Event, Fitted, Fold, Plan, Spec, Split
from sonmat.executors.local import run_locally
from sonmat.runs import RunFolder, write_rows, write_value
from sonmat.runs.fit_keys import choosing_key, make_room
from sonmat.runs.folds import answers_key
from sonmat.steps.fit import _clear_large_cache, candidate_key, fit

Usage = namedtuple("Usage", "total used free")


def candidate(id: str, role: str = "tuned") -> Candidate:
    text = Text(en="-", ko="-")
    return Candidate.model_validate(
        {
            "id": id, "method": "full" if role == "tuned" else "majority", "role": role, "reason": text,
            "estimate": Estimate(peak_bytes=2 << 30, seconds=1, basis=text),
        }
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path)
    text = Text(en="-", ko="-")
    candidates = (candidate("majority", "floor"), candidate("one"), candidate("two"))
    plan = Plan(task="chat", spec=Spec(), candidates=candidates, refused=(), device=Device())
    write_value(made.file("plan.json"), plan)
    write_value(made.file("recipe.json"), Recipe(data="d.csv"))
    write_value(made.file("split.json"), Split(train=(), validation=(), test=(), seal="", how=text), "split")
    return made


def runner(folder: RunFolder, errors: dict[str, SonmatError], asked: list[str]) -> Callable[..., None]:
    def run_job(_: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
        asked.append(job)
        name = job.partition("/")[2]
        if name in errors:
            raise errors[name]
        made = next(entry for entry in folder.plan().candidates if entry.id == name)
        fitted = Fitted(candidate=name, seconds=1, peak_bytes=1)
        write_value(folder.candidate_folder(name) / "fitted.json", fitted, candidate_key(folder, made))

    return run_job


def start(folder: RunFolder, errors: dict[str, SonmatError]) -> list[str]:
    asked: list[str] = []
    fit(folder, runner(folder, errors, asked), folder.event_log("fit"), lambda _: None, "x")
    return asked


def test_a_candidate_that_fails_is_recorded_and_the_others_go_on(folder: RunFolder) -> None:
    start(folder, {"one": TrainingDiverged(Text(en="diverged", ko="발산"))})
    assert folder.fits().fitted == ("majority", "two")
    assert folder.fits().failed["one"].en == "diverged"


def test_a_failed_candidate_is_tried_again_by_the_next_run_and_the_others_are_not(folder: RunFolder) -> None:
    start(folder, {"one": TrainingDiverged(Text(en="diverged", ko="발산"), Text(en="lower it", ko="낮추세요"))})
    assert not folder.is_done("fit", "x")
    assert folder.is_unfinished("fit")
    assert folder.fits().failed["one"].en == "diverged lower it"
    assert start(folder, {}) == ["fit/one"]
    assert folder.is_done("fit", "x")
    assert folder.fits().failed == {}


def test_if_no_candidate_can_be_trained_the_step_fails_with_every_reason(folder: RunFolder) -> None:
    errors: dict[str, SonmatError] = {name: TrainingDiverged(Text(en=f"{name} broke", ko="-")) for name in ("one", "two")}
    with pytest.raises(WorkerFailed, match="one broke") as caught:
        start(folder, errors)
    assert "two broke" in str(caught.value)
    assert not folder.file("fit.json").exists()


def test_a_fitted_candidate_is_not_trained_again_and_another_seed_trains_it_anew(folder: RunFolder) -> None:
    assert start(folder, {}) == ["fit/majority", "fit/one", "fit/two"]
    assert start(folder, {}) == []
    write_value(folder.file("recipe.json"), Recipe(data="d.csv", seed=1))
    assert start(folder, {}) == ["fit/majority", "fit/one", "fit/two"]
    assert (folder.path / "history" / "001" / "candidates" / "majority" / "fitted.json").exists()


def tuned(folder: RunFolder, **settings: Any) -> None:
    """Plan candidates whose checkpoints have 1 GB and whose models 0.3 GB."""
    text = Text(en="-", ko="-")
    estimate = Estimate(peak_bytes=1, seconds=1, basis=text, checkpoint_bytes=10**9, model_bytes=3 * 10**8)
    plan = folder.plan()
    candidates = [each.model_copy(update={"estimate": estimate, "settings": settings}) for each in plan.candidates]
    write_value(folder.file("plan.json"), plan.model_copy(update={"candidates": tuple(candidates)}))


def free(monkeypatch: pytest.MonkeyPatch, gigabytes: float) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, int(gigabytes * 1e9)))


def test_too_little_disk_is_said_before_training_starts(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned(folder)
    free(monkeypatch, 2.9)
    with pytest.raises(WorkerFailed, match=r"may need 3\.0 GB of disk .* 2\.9 GB are free"):
        start(folder, {})
    free(monkeypatch, 3.0)
    assert start(folder, {}) == ["fit/one", "fit/two"]


def test_every_share_of_replay_takes_the_disk_of_a_model(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    tuned(folder, replay="tuned")
    free(monkeypatch, 3.5)
    with pytest.raises(WorkerFailed, match=r"may need 3\.6 GB"):
        start(folder, {})


def test_where_files_have_one_name_each_the_copy_of_the_best_is_counted(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned(folder)
    free(monkeypatch, 3.9)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    with pytest.raises(WorkerFailed, match=r"may need 4\.0 GB"):
        start(folder, {})


def test_what_an_interrupted_fit_has_written_is_not_asked_for_again(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned(folder)
    free(monkeypatch, 2.0)
    one = next(each for each in folder.plan().candidates if each.id == "one")
    make_room(folder, "one", choosing_key(folder, one, "one"))
    work = folder.candidate_folder("one") / "work"
    work.mkdir()
    with (work / "checkpoint.pt").open("wb") as sparse:
        sparse.truncate(10**9)
    os.link(work / "checkpoint.pt", work / "best.pt")
    assert start(folder, {}) == ["fit/majority", "fit/one"], "of the other nothing is there yet"
    assert "may need 3.0 GB" in folder.fits().failed["two"].en


@pytest.fixture
def failed(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], SonmatError]:
    """What the executor makes of a worker that runs a script."""
    start_process: Any = subprocess.Popen

    def run(worker: str) -> SonmatError:
        script = folder.path / "worker.py"
        script.write_text(f"from pathlib import Path\nimport json, os, signal, sys\n{worker}\n")
        candidate_folder = str(folder.candidate_folder("one"))

        def start_script(command: list[str], **how: Any) -> Any:
            return start_process([command[0], str(script), candidate_folder], **how)

        monkeypatch.setattr(subprocess, "Popen", start_script)
        with pytest.raises(SonmatError) as caught:
            run_locally(folder, "fit/one", lambda _: None)
        return caught.value

    return run


def test_an_error_of_the_job_arrives_with_its_class_and_both_languages(failed: Callable[[str], SonmatError]) -> None:
    message, fix = {"en": "row 3 is bad", "ko": "3행"}, {"en": "mend it", "ko": "고치세요"}
    event = json.dumps({"at": 1, "kind": "failed", "message": message, "data": {"error": "DataError", "fix": fix}})
    error = failed(f"Path(sys.argv[1], 'events.jsonl').write_text({event + chr(10)!r}); sys.exit(2)")
    assert type(error) is DataError
    assert str(error) == "row 3 is bad\nmend it"


def test_a_crash_shows_the_end_of_its_log(failed: Callable[[str], SonmatError]) -> None:
    error = failed("raise RuntimeError('boom')")
    assert type(error) is WorkerFailed
    assert "RuntimeError: boom" in str(error)


def test_a_kill_from_outside_is_taken_for_a_lack_of_memory(failed: Callable[[str], SonmatError]) -> None:
    error = failed("os.kill(os.getpid(), signal.SIGKILL)")
    assert "memory ran out" in str(error)
    assert "continues where it was" in str(error)


def test_a_users_file_called_like_a_module_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError('not this one')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SonmatError) as raised:
        run_locally(RunFolder(Path("run")), "fit/one", lambda _: None)
    assert "plan.json is not there" in raised.value.what.en


def in_folds(folder: RunFolder, folds: int = 3) -> None:
    text = Text(en="-", ko="-")
    fold = Fold(train=(), validation=(), test=())
    split = Split(train=(), validation=(), test=(), seal="", how=text, folds=(fold,) * folds)
    write_value(folder.file("split.json"), split, "folded")


def fold_runner(folder: RunFolder, errors: dict[str, SonmatError], asked: list[str]) -> Callable[..., None]:
    def run_job(_: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
        asked.append(job)
        name = job.partition("/")[2]
        if name in errors:
            raise errors[name]
        made = next(entry for entry in folder.plan().candidates if entry.id == name.partition("@")[0])
        (folder.candidate_folder(name) / "model").mkdir()
        fitted = Fitted(candidate=name, seconds=1, peak_bytes=1)
        write_value(folder.candidate_folder(name) / "fitted.json", fitted, candidate_key(folder, made, name))

    return run_job


def start_folds(folder: RunFolder, errors: dict[str, SonmatError]) -> list[str]:
    asked: list[str] = []
    fit(folder, fold_runner(folder, errors, asked), folder.event_log("fit"), lambda _: None, "x")
    return asked


def test_a_cross_validated_candidate_is_fitted_for_every_fold_and_then_on_all_rows(folder: RunFolder) -> None:
    in_folds(folder)
    asked = start_folds(folder, {})
    assert asked[:4] == ["fit/majority@1", "fit/majority@2", "fit/majority@3", "fit/majority"]
    assert len(asked) == 12
    assert folder.fits().fitted == ("majority", "one", "two")
    assert start_folds(folder, {}) == []


def test_an_untuned_base_is_the_same_in_every_fold_and_made_once(folder: RunFolder) -> None:
    in_folds(folder)
    plan = folder.plan()
    untuned = plan.candidates[1].model_copy(update={"role": "base", "learns": False})
    write_value(folder.file("plan.json"), plan.model_copy(update={"candidates": (untuned,)}))
    assert start_folds(folder, {}) == ["fit/one"]


def test_a_fold_that_was_interrupted_is_the_only_one_that_is_fitted_again(folder: RunFolder) -> None:
    in_folds(folder)
    with pytest.raises(Paused):
        start_folds(folder, {"one@2": Paused(Text(en="-", ko="-"))})
    assert start_folds(folder, {})[:3] == ["fit/one@2", "fit/one@3", "fit/one"]


def test_a_candidate_that_fails_in_one_fold_is_out_and_the_others_go_on(folder: RunFolder) -> None:
    in_folds(folder)
    asked = start_folds(folder, {"one@2": TrainingDiverged(Text(en="diverged", ko="발산"))})
    assert "fit/one@3" not in asked
    assert "fit/one" not in asked
    assert folder.fits().fitted == ("majority", "two")
    assert folder.fits().failed["one"].en == "diverged"


def test_the_model_of_a_fold_is_not_needed_once_it_has_answered(folder: RunFolder) -> None:
    in_folds(folder)
    start_folds(folder, {})
    shutil.rmtree(folder.candidate_folder("one@2") / "model")
    write_rows(folder.predictions_file("one@2"), Prediction, [], answers_key(folder, "one@2"))
    assert start_folds(folder, {}) == []
    folder.predictions_file("one@2").unlink()
    assert start_folds(folder, {}) == ["fit/one@2"]


def test_every_fold_has_a_fingerprint_of_its_own(folder: RunFolder) -> None:
    made = folder.plan().candidates[1]
    keys = {candidate_key(folder, made, name) for name in ("one", "one@1", "one@2")}
    assert len(keys) == 3
    assert candidate_key(folder, made) in keys


def test_only_a_large_cache_of_frozen_layers_is_cleared_after_a_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sonmat.steps.fit.CACHE_KEPT_BYTES", 100)
    for size, stays in ((100, True), (101, False)):
        cache = tmp_path / str(size) / "frozen"
        (cache / "key").mkdir(parents=True)
        (cache / "key" / "rows.bin").write_bytes(bytes(size))
        _clear_large_cache(cache)
        assert cache.exists() == stays
    _clear_large_cache(tmp_path / "none")
