"""E5 text encoders. They were pretrained on texts that open with 'query: ' or 'passage: '.

Wang et al., "Multilingual E5 Text Embeddings" (2024): for tasks other than retrieval, every text takes 'query: '. The later
E5 models that follow instructions are built and prompted otherwise and do not belong here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig

_NAME = re.compile(r"(?:^|[^a-z0-9])e5(?:[^a-z0-9]|$)")


class E5:
    name = "e5"
    precedence = 20
    text_prefix = "query: "
    chat_template: str | None = None
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    fusions = Fusions(shared_inputs=(("query", "key", "value"),), attention=True, encoder=True)

    def matches(self, name: str, config: Json) -> bool:
        called = name.lower()
        encoder = config.get("model_type") in {"bert", "xlm-roberta"}
        return encoder and bool(_NAME.search(called)) and "instruct" not in called

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        backbone: Any = model.base_model
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


plugin = E5()
