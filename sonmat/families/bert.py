"""Encoders of BERT's build: BERT, RoBERTa and its translations, ELECTRA, DistilBERT, ALBERT.

ALBERT shares the weights of one layer among all depths: it has one block, and training "the last block" trains the encoder
whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig

_MODEL_TYPES = {"bert", "roberta", "xlm-roberta", "camembert", "electra", "distilbert", "albert"}


class Bert:
    name = "bert"
    precedence = 10
    text_prefix = ""
    chat_template: str | None = None
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    fusions = Fusions(shared_inputs=(("query", "key", "value"),), attention=True, encoder=True)

    def matches(self, name: str, config: Json) -> bool:
        return config.get("model_type") in _MODEL_TYPES

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        backbone: Any = model.base_model
        if backbone.config.model_type == "albert":
            return [layer for group in backbone.encoder.albert_layer_groups for layer in group.albert_layers]
        if backbone.config.model_type == "distilbert":
            return list(backbone.transformer.layer)
        return list(backbone.encoder.layer)

    def tiny(self) -> PretrainedConfig | None:
        from transformers import BertConfig

        return BertConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
        )


plugin = Bert()
