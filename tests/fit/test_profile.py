"""`sonmat fit --profile`: which candidates are profiled, and that their models stay as they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sonmat import api
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Device, Estimate, Fits, Plan, Spec
from sonmat.runs import RunFolder, write_value
from sonmat.steps.fit import profile
from tests.whole.small_world import make_base, make_reviews, sonmat


def candidate(method: str) -> Candidate:
    text = Text(en="-", ko="-")
    estimate = Estimate(peak_bytes=1, seconds=1, basis=text)
    return Candidate(id=method, method=method, role="tuned", reason=text, estimate=estimate)


def test_only_fitted_candidates_that_train_are_profiled(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    candidates = tuple(candidate(method) for method in ("majority", "zero-shot", "full", "lora", "head-only"))
    write_value(
        folder.file("plan.json"),
        Plan(task="text-classification", spec=Spec(), candidates=candidates, refused=(), device=Device()),
    )
    write_value(folder.file("fit.json"), Fits(fitted=("majority", "zero-shot", "full", "lora"), failed={}))
    asked: list[str] = []
    found = profile(folder, lambda _, job, tell: asked.append(job), folder.event_log("fit"), lambda _: None)
    assert found == ["full", "lora"]
    assert asked == ["profile/full", "profile/lora"]


@pytest.mark.real
def test_a_fitted_candidate_is_profiled_and_its_model_stays_as_it_is(tmp_path: Path) -> None:
    data, base = make_reviews(tmp_path / "reviews.csv"), make_base(tmp_path / "base")
    once, where = {"full": {"epochs": 1}}, tmp_path / "runs" / "reviews"
    api.run(data, base=str(base), method="full", settings=once, folds=0, folder=where, upto="fit")
    where = next((where / "candidates").glob("full-*"))
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in where.rglob("*.safetensors")}
    fitted = (where / "fitted.json").read_bytes()
    shown = json.loads(sonmat("fit", "reviews", "--profile", "--json", folder=tmp_path).stdout)
    assert shown["profiles"] == {where.name: str(where / "profile.md")}
    assert "## Where the time goes" in (where / "profile.md").read_text(encoding="utf-8")
    assert (where / "profile.json.gz").exists()
    assert before == {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in where.rglob("*.safetensors")}
    assert fitted == (where / "fitted.json").read_bytes()
    assert {path.name for path in where.iterdir()} >= {"model", "fitted.json", "profile.md", "profile.json.gz"}
    assert not list(where.glob(".profile-*"))
    said = sonmat("fit", "reviews", "--profile", folder=tmp_path).stdout
    assert "A step takes" in said
