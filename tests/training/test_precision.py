"""What is kept in which type: trained weights float32, frozen matrices in the type of products, saved as the base has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from sonmat import plugins
from sonmat.core.protocols import FitJob, Question, SavedModel
from sonmat.inference.predictor import NeuralPredictor
from sonmat.training import checkpoint
from sonmat.training.precision import ready_to_answer, round_frozen
from tests.training.tiny_jobs import CPU, tiny_job

WITH_BF16 = CPU.model_copy(update={"bf16": True})
PARTLY_FROZEN: list[tuple[str, str, dict[str, Any]]] = [
    ("text-classification", "freeze", {"last_layers": 1}),
    ("text-classification", "head-only", {}),
    ("image-classification", "head-only", {}),
    ("chat", "freeze", {"last_layers": 1}),
]


def job_of(task: str, method: str, folder: Path, **settings: Any) -> FitJob:
    return replace(tiny_job(task, method, folder, epochs=2, batch_size=4, **settings), device=WITH_BF16)


def test_only_frozen_matrices_are_rounded_and_only_where_the_hardware_computes_them() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 4), nn.BatchNorm1d(4))
    model.requires_grad_(False)
    model[2].weight.requires_grad_(True)
    assert not round_frozen(model, CPU)
    assert round_frozen(model, WITH_BF16)
    rounded = {name for name, tensor in model.state_dict().items() if tensor.dtype == torch.bfloat16}
    assert rounded == {"0.weight"}
    ready_to_answer(model, WITH_BF16)
    rounded = {name for name, tensor in model.state_dict().items() if tensor.dtype == torch.bfloat16}
    assert rounded == {"0.weight", "2.weight"}


@pytest.mark.parametrize(("task", "method", "settings"), PARTLY_FROZEN)
def test_frozen_weights_are_saved_bit_for_bit_as_the_base_has_them(
    task: str, method: str, settings: dict[str, Any], tmp_path: Path
) -> None:
    job = job_of(task, method, tmp_path, **settings)
    assert job.base is not None
    plugins.find("methods", method).fit(job)
    base, saved = load_file(Path(job.base.path) / "model.safetensors"), load_file(job.folder / "model.safetensors")
    assert {tensor.dtype for tensor in saved.values() if tensor.is_floating_point()} == {torch.float32}
    equal = {name for name in base if torch.equal(base[name], saved[name])}
    assert len(equal) > len(base) / 2
    assert equal != saved.keys()


@pytest.mark.parametrize("method", ["full", "freeze", "lora"])
def test_what_trains_and_its_moments_are_float32(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(checkpoint, "save", lambda path, content, also=None: seen.append(content))
    monkeypatch.setattr(checkpoint, "load", lambda path, in_parts=False: None)
    plugins.find("methods", method).fit(job_of("text-classification", method, tmp_path))
    whole = [content for content in seen if "optimizer" in content][-1]
    moments = [value for state in whole["optimizer"]["state"].values() for value in state.values()]
    assert moments
    assert {tensor.dtype for tensor in (*whole["weights"].values(), *moments)} == {torch.float32}


@pytest.mark.parametrize("method", ["full", "freeze", "head-only", "lora"])
def test_a_saved_model_answers_with_matrices_in_the_type_of_products(method: str, tmp_path: Path) -> None:
    job = job_of("text-classification", method, tmp_path)
    plugin = plugins.find("methods", method)
    plugin.fit(job)
    saved = SavedModel(job.folder, method, job.task, job.spec, job.base, job.family, job.settings, job.device)
    predictor = plugin.load(saved)
    assert isinstance(predictor, NeuralPredictor)
    types = {(parameter.ndim > 1, parameter.dtype) for parameter in predictor.model.parameters()}
    assert types == {(True, torch.bfloat16), (False, torch.float32)}
    answers = [answer.output["scores"] for answer in predictor.answer([Question("1", job.train[0].input)])]
    exact = plugin.load(replace(saved, device=CPU))
    expected = [answer.output["scores"] for answer in exact.answer([Question("1", job.train[0].input)])]
    assert answers[0] == pytest.approx(expected[0], abs=0.02)
