"""`runs`, `show`, `models` and `doctor`: what they say, as text and as JSON. Nothing here uses the network."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sonmat.cli import machine
from sonmat.core.protocols import Emit
from sonmat.core.values import Device, ModelFacts
from sonmat.runs import RunFolder, write_value
from tests.cli.conftest import Sonmat, widest
from tests.report.made_run import E5


def test_runs_lists_every_run_with_step_choice_and_result(sonmat: Sonmat, faq: RunFolder) -> None:
    (faq.path.parent / "new").mkdir()
    (faq.path.parent / "new" / "recipe.json").write_bytes(faq.file("recipe.json").read_bytes())
    result = sonmat("runs")
    assert "full-multilingual" in result.out
    assert "accuracy" in result.out
    assert widest(result.out) <= 80
    data = faq.recipe().data[0]
    moved = faq.recipe().model_copy(update={"data": (f"/a/very/long/way/to/some/other/folder/{data}",)})
    write_value(faq.file("recipe.json"), moved)
    shown = sonmat("runs").out
    assert f" {Path(data).name} " in shown, "the name of a file is not broken by the folders before it"
    assert "/a/very" not in shown
    lines = {line["run"]: line for line in sonmat("runs", "--json").json["runs"]}
    assert lines["faq"]["use"] == "full-multilingual-e5-small"
    assert lines["new"]["step"] is None


def test_runs_says_how_to_start_where_there_is_none(sonmat: Sonmat) -> None:
    result = sonmat("runs")
    assert result.code == 0
    assert "sonmat run FILE" in result.out
    assert sonmat("runs", "--json").json == {"runs": []}


def test_a_damaged_run_is_listed_with_its_problem_and_hides_no_other(sonmat: Sonmat, faq: RunFolder) -> None:
    broken = faq.path.parent / "broken"
    broken.mkdir()
    (broken / "recipe.json").write_text("{", encoding="utf-8")
    lines = {line["run"]: line for line in sonmat("runs", "--json").json["runs"]}
    assert "cannot be read" in lines["broken"]["problem"]["en"]
    assert lines["faq"]["problem"] is None
    assert "cannot be read" in sonmat("runs").out.replace("\n", " ")


def test_show_gives_every_step_that_is_done(sonmat: Sonmat, faq: RunFolder) -> None:
    result = sonmat("show", "faq")
    for title in ("Data", "Audit", "Split", "Plan", "Fit", "Proof", "Report"):
        assert f"\n{title}" in result.out
    assert widest(result.out) <= 80
    document = sonmat("show", "runs/faq", "--json").json
    assert set(document) == {"run", "folder", "recipe", "source", "audit", "split", "plan", "fits", "proof"}


def test_a_run_of_a_newer_version_is_refused_and_nothing_is_changed(sonmat: Sonmat, faq: RunFolder) -> None:
    audit = faq.file("audit.json")
    audit.write_text(audit.read_text(encoding="utf-8").replace('"version": 1', '"version": 99'), encoding="utf-8")
    before = audit.read_bytes()
    result = sonmat("show", "faq")
    assert result.code == 2
    assert "Update Sonmat" in result.err
    assert audit.read_bytes() == before


def test_models_are_listed_with_licence_and_whether_they_are_here(sonmat: Sonmat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.models.installed", lambda name: name == "smollm2-135m")
    result = sonmat("models", "list")
    assert "Apache-2.0" in result.out
    assert "✓   smollm2-135m" in result.out or "✓ smollm2-135m" in result.out.replace("   ", " ")
    assert widest(result.out) <= 80
    entries = {entry["name"]: entry for entry in sonmat("models", "list", "--json").json["models"]}
    assert entries["smollm2-135m"]["installed"]
    assert entries["gemma3-270m"]["must_accept"]


def test_pull_fetches_with_progress_and_says_where_the_model_lies(sonmat: Sonmat, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def resolve(base: str, *, accepted: tuple[str, ...] = (), emit: Emit) -> ModelFacts:
        asked.append((base, accepted))
        emit("progress", done=50, total=100, seconds_left=3.0)
        return E5

    monkeypatch.setattr("sonmat.models.resolve", resolve)
    result = sonmat("models", "pull", "gemma3-270m", "--accept-licence", "gemma3-270m")
    assert asked == [("gemma3-270m", ("gemma3-270m",))]
    assert "50%" in result.out
    assert E5.path in result.out
    assert sonmat("models", "pull", "e5", "--json").json["model"]["checksum"] == E5.checksum


def test_pull_of_an_unknown_model_names_the_nearest(sonmat: Sonmat) -> None:
    result = sonmat("models", "pull", "smollm2-135")
    assert result.code == 2
    assert "Did you mean 'smollm2-135m'?" in result.err.replace("\n", " ")


@pytest.fixture
def _this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    device = Device(kind="cpu", name="A Processor", cores=2, memory_bytes=7_000_000_000, flops_per_second=8.7e10)
    monkeypatch.setattr("sonmat.inference.device.detect_device", lambda measure=False: device)
    monkeypatch.setattr("sonmat.models.hub.is_reachable", lambda: False)
    monkeypatch.setattr(machine, "index_answers", lambda: True)
    monkeypatch.setenv("SONMAT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "weights").write_bytes(b"x" * 1000)


@pytest.mark.usefixtures("_this_machine")
def test_doctor_says_what_the_machine_can_do(sonmat: Sonmat) -> None:
    result = sonmat("doctor")
    assert result.code == 0
    for words in ("A Processor", "87 GFLOP/s", "Package index", "not reachable; catalogue models come", "torch"):
        assert words in result.out
    assert widest(result.out) <= 80


@pytest.mark.usefixtures("_this_machine")
def test_doctor_in_json_has_figures_in_base_units(sonmat: Sonmat) -> None:
    found = sonmat("doctor", "--json").json["doctor"]
    assert (found["cores"], found["flops_per_second"], found["cache_bytes"]) == (2, 8.7e10, 1000)
    assert (found["hub_reachable"], found["index_reachable"], found["gpu"]) == (False, True, False)
    assert found["packages"]["torch"]


@pytest.mark.usefixtures("_this_machine")
def test_doctor_names_the_install_line_of_what_is_missing(sonmat: Sonmat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("no-such-package",))
    assert "missing: pip install no-such-package" in sonmat("doctor").out


@pytest.mark.parametrize(("code", "answers"), [(0, True), (1, False)])
def test_the_index_is_asked_the_way_pip_is_set_up(code: int, answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        asked.append(command)
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr("subprocess.run", run)
    assert machine.index_answers() is answers
    assert asked[0][1:5] == ["-m", "pip", "index", "versions"]


def test_an_index_that_does_not_answer_in_time_is_not_reachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: Any) -> None:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr("subprocess.run", run)
    assert machine.index_answers() is False
