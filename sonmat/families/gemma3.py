"""Gemma 3 language models. Base models get the turn format that Google tuned the chat models with.

The format (Gemma 3 model card, "Gemma formatting and system instructions"): `<bos>` once, then each turn as
`<start_of_turn>user\\n…<end_of_turn>\\n`, the answers with the role `model`. There is no system turn; its words open the first
user turn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig


class Gemma3:
    name = "gemma3"
    precedence = 10
    text_prefix = ""
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    fusions = Fusions(
        shared_inputs=(("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj")),
        norm="plus_one",
        gated=True,
        attention=True,
    )
    chat_template: str | None = (
        "{{ bos_token }}"
        "{% set opening = namespace(words='') %}"
        "{% for message in messages %}"
        "{% if message['role'] == 'system' %}"
        "{% set opening.words = opening.words + message['content'] | trim + '\\n\\n' %}"
        "{% elif message['role'] == 'user' %}"
        "{{ '<start_of_turn>user\\n' + opening.words + message['content'] | trim + '<end_of_turn>\\n' }}"
        "{% set opening.words = '' %}"
        "{% else %}"
        "{{ '<start_of_turn>model\\n' + message['content'] | trim + '<end_of_turn>\\n' }}"
        "{% endif %}"
        "{% endfor %}"
        "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
    )

    def matches(self, name: str, config: Json) -> bool:
        return config.get("model_type") in {"gemma3", "gemma3_text"}

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        backbone: Any = model.base_model
        return list(getattr(backbone, "language_model", backbone).layers)

    def tiny(self) -> PretrainedConfig | None:
        from transformers import Gemma3TextConfig

        return Gemma3TextConfig(
            vocab_size=64,
            hidden_size=16,
            num_hidden_layers=3,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=8,
            intermediate_size=32,
            max_position_embeddings=128,
            sliding_window=16,
        )


plugin = Gemma3()
