"""Decoders of Llama's build: Llama, SmolLM2, Mistral, Qwen 2 and 3.

Instruction-tuned ones bring their own chat template. Base models get plain role names and the end-of-text token behind every
answer: the only special token that all of them have, and one that they have learnt to stop at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig

_MODEL_TYPES = {"llama", "mistral", "qwen2", "qwen3"}


class Llama:
    name = "llama"
    precedence = 10
    text_prefix = ""
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    fusions = Fusions(
        shared_inputs=(("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")), norm="plain", gated=True, attention=True
    )
    chat_template: str | None = (
        "{% for message in messages %}"
        "{% if message['role'] == 'assistant' %}"
        "{{ 'Assistant: ' + message['content'] + eos_token + '\\n' }}"
        "{% else %}"
        "{{ message['role'] | capitalize + ': ' + message['content'] + '\\n' }}"
        "{% endif %}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ 'Assistant: ' }}{% endif %}"
    )

    def matches(self, name: str, config: Json) -> bool:
        return config.get("model_type") in _MODEL_TYPES

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        backbone: Any = model.base_model
        return list(backbone.layers)

    def tiny(self) -> PretrainedConfig | None:
        from transformers import LlamaConfig

        return LlamaConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
            intermediate_size=32,
            max_position_embeddings=128,
        )


plugin = Llama()
