"""LoRA beside heads whose layers are called like layers of the body."""

from __future__ import annotations

from typing import Any

import pytest
import transformers

from sonmat import plugins
from sonmat.methods.lora import LoraSettings, _with_adapter
from sonmat.training.weights import LoadedBase, head_names

SIZES: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 40,
}


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
