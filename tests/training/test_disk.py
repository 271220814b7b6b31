"""The disk that a plan asks for is what fits take at their worst moment: counted beside whole tiny fits."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sonmat import plugins
from sonmat.core.protocols import FitJob, FitResult
from sonmat.training import loop
from sonmat.training.checkpoint import gives_second_names
from sonmat.training.disk import PROCESSOR_BYTES, checkpoint_bytes, model_bytes, most_bytes
from sonmat.training.loop import optimise
from sonmat.training.replay_share import Trained, tune_share
from sonmat.training.settings import TrainingSettings
from tests.training.tiny_jobs import tiny_job


class Watched:
    """The most bytes of weights that lay below a folder, asked whenever something is about to be renamed or removed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.most, self.checkpoint, self.model = folder, 0, 0, 0

    def look(self) -> None:
        files = [path for path in self.folder.rglob("*") if path.suffix in (".pt", ".part", ".safetensors")]
        sizes = {path.stat().st_ino: path.stat().st_size for path in files if path.is_file()}
        self.most = max(self.most, sum(sizes.values()))
        for path in files:
            if path.suffix == ".safetensors":
                self.model = max(self.model, path.stat().st_size)
            elif "checkpoint" in path.name:
                self.checkpoint = max(self.checkpoint, path.stat().st_size)


@contextmanager
def watching(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    watched = Watched(folder)

    def asked_before(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            watched.look()
            return function(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", asked_before(Path.replace))
        patch.setattr(shutil, "rmtree", asked_before(shutil.rmtree))
        yield watched


def fit(job: FitJob, method: str) -> FitResult:
    found: FitResult = plugins.find("methods", method).fit(job)
    return found


def fit_with_every_share(job: FitJob, method: str) -> FitResult:
    """As `replay: tuned` does, without answers to replay."""

    def train(own: FitJob, share: float) -> Trained:
        return Trained(fit(own, method), np.zeros((len(own.validation), 2)) + 1.0, distance=share)

    return tune_share(job, train)


@pytest.mark.parametrize(
    ("method", "second_names", "replay_tuned"),
    [("full", True, False), ("full", False, False), ("lora", True, False), ("freeze", True, True), ("full", True, True)],
)
def test_a_fit_takes_no_more_than_counted_and_not_much_less(
    method: str, second_names: bool, replay_tuned: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tiny_job("chat", method, tmp_path, epochs=2, batch_size=3, learning_rate=1e-3)
    # A checkpoint behind every step, so that the last and the best are not the same.
    monkeypatch.setattr(optimise, "__kwdefaults__", {**(optimise.__kwdefaults__ or {}), "checkpoint_seconds": 0.0})
    monkeypatch.setattr(loop, "SAVING_SHARE", math.inf)
    if not second_names:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    # The base is not what the fit writes.
    job = replace(job, folder=tmp_path / "run" / "model", work=tmp_path / "run" / "work")
    job.folder.mkdir(parents=True)
    with watching(tmp_path / "run", monkeypatch) as watched:
        (fit_with_every_share if replay_tuned else fit)(job, method)
    assert min(watched.checkpoint, watched.model) > 0
    counted = most_bytes(watched.checkpoint, watched.model, replay_tuned=replay_tuned, second_names=second_names)
    assert 0.7 * counted < watched.most <= counted


def test_the_sizes_of_a_checkpoint_and_a_model_are_those_of_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = tiny_job("chat", "full", tmp_path, epochs=2)
    assert job.base is not None
    with watching(tmp_path / "work", monkeypatch) as watched:
        result = fit(job, "full")
    size = (job.folder / "model.safetensors").stat().st_size
    # Names and shapes take a share of a tiny model's files.
    assert checkpoint_bytes(result.trained_parameters, TrainingSettings()) == pytest.approx(watched.checkpoint, rel=0.35)
    assert model_bytes(job.base.parameters) - PROCESSOR_BYTES == pytest.approx(size, rel=0.1)


def test_eight_bit_state_takes_a_quarter_of_the_moments() -> None:
    assert checkpoint_bytes(10, TrainingSettings()) == 120
    assert checkpoint_bytes(10, TrainingSettings(optimiser_state="8bit")) == 60


def test_whether_files_can_have_two_names_is_tried_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gives_second_names(tmp_path)
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    assert not gives_second_names(tmp_path)
    assert list(tmp_path.iterdir()) == []
