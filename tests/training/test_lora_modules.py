"""LoRA beside heads whose layers are called like layers of the body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import transformers
from safetensors.torch import load_file, save_file

from sonmat import plugins
from sonmat.core.errors import ModelError
from sonmat.core.protocols import SavedModel
from sonmat.methods.lora import LoraSettings, _with_adapter
from sonmat.training.weights import LoadedBase, head_names
from tests.training.tiny_jobs import CPU, tiny_job

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}


def saved_adapter(folder: Path) -> SavedModel:
    job = tiny_job("text-classification", "lora", folder, learning_rate=1e-2, epochs=1, batch_size=4)
    plugins.find("methods", "lora").fit(job)
    return SavedModel(job.folder, "lora", job.task, job.spec, job.base, job.family, job.settings, CPU)


def test_an_adapter_that_is_not_applied_is_noticed(tmp_path: Path) -> None:
    saved = saved_adapter(tmp_path)
    file = saved.folder / "adapter_model.safetensors"
    tensors = load_file(file)
    save_file({name.replace("query", "elsewhere"): value for name, value in tensors.items()}, file)
    with pytest.warns(UserWarning, match="missing adapter keys"), pytest.raises(ModelError, match="was not applied"):
        plugins.find("methods", "lora").load(saved)


def test_an_adapter_that_training_left_at_zero_is_no_error(tmp_path: Path) -> None:
    saved = saved_adapter(tmp_path)
    file = saved.folder / "adapter_model.safetensors"
    save_file({name: value * 0 if "lora_B" in name else value for name, value in load_file(file).items()}, file)
    plugins.find("methods", "lora").load(saved)


@pytest.mark.parametrize(
    ("config", "model", "new"),
    [
        ("RobertaConfig", "RobertaForSequenceClassification", ()),
        ("ElectraConfig", "ElectraForSequenceClassification", ()),
        ("BertConfig", "BertForSequenceClassification", ("bert.pooler.dense.weight", "bert.pooler.dense.bias")),
    ],
)
def test_only_the_head_trains_in_full_and_the_body_by_its_adapter(config: str, model: str, new: tuple[str, ...]) -> None:
    settings = getattr(transformers, config)(**SIZES)
    base = getattr(transformers, model)(settings)
    head = head_names(base, new)
    family = plugins.family_of("any", settings.to_dict())
    adapted = _with_adapter(LoadedBase(base, None, frozenset(new), head), family, LoraSettings(rank=2))
    trained = {
        name.removeprefix("base_model.model.") for name, weight in adapted.named_parameters() if weight.requires_grad
    }
    in_full = {name.replace(".modules_to_save.default", "") for name in trained if "lora_" not in name}
    assert in_full == head
    assert any(".intermediate.dense.lora_" in name for name in trained)
