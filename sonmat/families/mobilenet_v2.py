"""MobileNetV2 image backbones. The blocks are the stem, the inverted residuals, and the last widening convolution.

LoRA goes on the 1×1 convolutions: they hold nearly all weights, and the only linear layer is the head, which is trained whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sonmat.core.protocols import Fusions
from sonmat.core.values import Json

if TYPE_CHECKING:
    from torch import nn
    from transformers import PretrainedConfig


class MobileNetV2:
    name = "mobilenet_v2"
    precedence = 10
    text_prefix = ""
    chat_template: str | None = None
    lora_targets: tuple[str, ...] | Literal["all-linear"] = ("expand_1x1.convolution", "reduce_1x1.convolution")
    fusions = Fusions()

    def matches(self, name: str, config: Json) -> bool:
        return config.get("model_type") == "mobilenet_v2"

    def blocks(self, model: nn.Module) -> list[nn.Module]:
        backbone: Any = model.base_model
        return [backbone.conv_stem, *backbone.layer, backbone.conv_1x1]

    def tiny(self) -> PretrainedConfig | None:
        from transformers import MobileNetV2Config

        return MobileNetV2Config(image_size=32, depth_multiplier=0.125, depth_divisible_by=4, min_depth=4, tf_padding=False)


plugin = MobileNetV2()
