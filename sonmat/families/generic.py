"""Any model that no other family knows: its blocks are its largest list of layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig


class Generic:
    name = "generic"
    precedence = 0
    text_prefix = ""
    lora_targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"
    fusions = Fusions()
    # Needs no special token but the end of text, which every causal model has.
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
        return True

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        from torch import nn

        lists = [module for module in model.modules() if isinstance(module, nn.ModuleList | nn.Sequential)]
        if not lists:
            return []
        return list(max(lists, key=lambda layers: sum(parameter.numel() for parameter in layers.parameters())))

    def tiny(self) -> PretrainedConfig | None:
        return None


plugin = Generic()
