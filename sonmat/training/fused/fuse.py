"""Puts the fused parts into a loaded model where its family says that they fit.

In: a model, with or without PEFT's LoRA layers, and the family's `Fusions`. Out: the same model; its modules and parameters stay
what they are, under their names, and only compute in another way, so that checkpoints and adapters are saved as if nothing had
happened. What does not fit (an adapter with dropout, a norm that trains, another activation) is left as it is: results are
equal, only slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch import Tensor, nn

from sonmat.core.protocols import Fusions
from sonmat.training.fused import attention
from sonmat.training.fused.decoder import fuse_decoder_layers
from sonmat.training.fused.encoder import fuse_encoder
from sonmat.training.fused.gate import ACTIVATIONS, gated
from sonmat.training.fused.lora import LoraGroup
from sonmat.training.fused.norm import rms_norm


def fuse(model: nn.Module, fusions: Fusions) -> None:
    """Replace the computation of what can be replaced."""
    config: Any = model.config
    activation = str(getattr(config, "hidden_act", None) or getattr(config, "hidden_activation", ""))
    group_of: dict[nn.Module, LoraGroup] = {}
    for module in model.modules():
        if fusions.gated and activation in ACTIVATIONS and _is_gated_block(module):
            _compute_by(module, partial(_gated_block, module, activation))
        for names in _groups(module, fusions):
            layers = [module.get_submodule(name) for name in names]
            group = LoraGroup(layers, adapter_of(layers[0]))
            for number, layer in enumerate(layers):
                _compute_by(layer, partial(group.output, number))
                group_of[layer] = group
        if fusions.norm is not None and type(module).__name__.endswith("RMSNorm"):
            _fuse_norm(module, fusions.norm)
    on_processor = next(model.parameters()).device.type == "cpu"
    if on_processor and fusions.gated and fusions.attention and fusions.norm == "plain" and activation in ACTIVATIONS:
        fuse_decoder_layers(model, group_of, activation)
    if fusions.encoder and on_processor:
        fuse_encoder(model)
    if fusions.attention and config._attn_implementation == "sdpa" and on_processor:
        model.set_attn_implementation(attention.register())  # type: ignore[operator]


def _compute_by(module: nn.Module, forward: Callable[..., Tensor]) -> None:
    module.forward = forward


def _is_gated_block(module: nn.Module) -> bool:
    return {"gate_proj", "up_proj", "down_proj", "act_fn"} <= {name for name, _ in module.named_children()}


def _gated_block(block: Any, activation: str, x: Tensor) -> Tensor:
    found: Tensor = block.down_proj(gated(block.gate_proj(x), block.up_proj(x), activation))
    return found


def _groups(parent: nn.Module, fusions: Fusions) -> Iterator[tuple[str, ...]]:
    """Names of LoRA layers in `parent` that share an input; single ones come alone."""
    alone = {name for name, child in parent.named_children() if is_plain_lora(child)}
    for names in fusions.shared_inputs:
        if alone.issuperset(names):
            yield names
            alone -= set(names)
    yield from ((name,) for name in sorted(alone))


def is_plain_lora(layer: nn.Module, *, answering: bool = False) -> bool:
    """Whether `layer` is PEFT's LoRA of a frozen linear layer with one adapter and nothing beside it. Answers drop nothing out."""
    if not hasattr(layer, "base_layer"):
        # PEFT takes a third of a second to import, and most layers have no adapter.
        return False
    from peft.tuners.lora import Linear

    if not isinstance(layer, Linear) or type(layer.base_layer) is not nn.Linear or len(layer.active_adapters) != 1:
        return False
    adapter = adapter_of(layer)
    plain = (answering or isinstance(layer.lora_dropout[adapter], nn.Identity)) and adapter not in getattr(
        layer, "lora_variant", {}
    )
    return plain and not layer.merged and not layer.base_layer.weight.requires_grad and not layer.lora_bias[adapter]


def adapter_of(layer: Any) -> str:
    """The name of the one adapter in use."""
    name: str = layer.active_adapters[0]
    return name


def _fuse_norm(norm: Any, kind: str) -> None:
    if not norm.weight.requires_grad:
        epsilon = norm.eps if kind == "plus_one" else norm.variance_epsilon
        _compute_by(norm, partial(rms_norm, norm.weight, float(epsilon), kind == "plus_one"))
