"""The same with a pretrained model: what E5 learns from permuted labels is caught. Steps run in this process."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from sonmat.core.proof import Proof
from sonmat.core.recipe import Recipe
from sonmat.pipeline import perform
from sonmat.runs import RunFolder
from sonmat.worker import JOBS
from tests.whole.small_world import ROOT

pytestmark = pytest.mark.real
DATA: Final = ROOT / "examples" / "data"


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_here(folder: RunFolder, job: str, tell: Callable[..., None]) -> None:
        kind, name = job.split("/", 1)
        JOBS[kind](folder, name, lambda *_, **__: None, lambda: False)

    monkeypatch.setattr("sonmat.pipeline.run_locally", run_here)


def proven(folder: Path, data: Path, **recipe: Any) -> Proof:
    run = RunFolder(folder)
    perform(run, Recipe(data=str(data), **{"lang": "en", "curve": False, **recipe}), "prove")
    return run.proof()


def test_an_encoder_tuned_on_permuted_labels_is_not_recommended_and_said_to_guess(tmp_path: Path) -> None:
    with (DATA / "korean_intents.csv").open(encoding="utf-8", newline="") as stream:
        wanted = ("HassTurnOn", "HassGetWeather", "HassStartTimer")
        rows = [row for row in csv.DictReader(stream) if row["intent"] in wanted][:240]
    labels = [row["intent"] for row in rows]
    random.Random(0).shuffle(labels)
    data = tmp_path / "permuted.csv"
    with data.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "intent"])
        writer.writerows((row["text"], label) for row, label in zip(rows, labels, strict=True))
    proof = proven(
        tmp_path / "run", data, base="multilingual-e5-small", method=("freeze",), settings={"freeze": {"epochs": 2}},
        folds=0, probes=("calibration",), labels="keep", leakage="keep",
    )  # fmt: skip
    tuned = next(arm for arm in proof.arms if arm.role == "tuned")
    assert (proof.verdict.fine_tune, proof.verdict.use == tuned.candidate) == (False, False)
    told = "\n".join(detail.en for detail in proof.verdict.details)
    assert tuned.candidate in next(
        line for line in told.split("\n") if line.startswith("No better than their own answers shuffled")
    )
