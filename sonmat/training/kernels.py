"""Which implementation computes each part of a model while it trains: the one place where that is decided.

    processor            the fused parts of `training.fused`
    NVIDIA GPU           Liger's kernels (Hsu et al. 2024, arXiv:2410.10989) where they are installed and fit, else the fused
                         parts; packed rows by a kernel for rows of varying length (`training.varlen`)
    compiled blocks      the model's own modules, which the compiler fuses; output layer and packed rows as above

In: a model, its family's `Fusions`, the device. Out: the same model, and `Kernels`, which says what was taken for what. The output
layer's loss is always our own: Liger's gives the mean of a batch, and a step needs one loss a token (`training.fused.output_loss`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Fusions
from sonmat.core.text import Text
from sonmat.core.values import Device
from sonmat.training import varlen
from sonmat.training.fused.fuse import fuse
from sonmat.training.fused.gate import ACTIVATIONS

Part = Literal["plain", "fused", "liger", "compiled"]


@dataclass(frozen=True)
class Kernels:
    """What computes each part. plain: the model's own modules; fused: `training.fused`; liger; compiled."""

    adapters: Part
    norm: Part
    gate: Part
    rotary: Part
    attention: str
    """fused, varlen (a kernel for rows of varying length), or the name of Transformers' implementation."""
    output_loss: Part = "fused"

    @property
    def said(self) -> Text:
        parts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in asdict(self).items())
        return Text(en=f"Computed by: {parts}.", ko=f"계산 방식: {parts}.")


def choose_kernels(fusions: Fusions, device: Device, *, compiled: bool) -> Kernels:
    """What is best for a family's models on `device`."""
    on_gpu = device.kind == "cuda"
    plain: Part = "compiled" if compiled else "plain"
    best: Part = "compiled" if compiled else "liger" if on_gpu and has_liger() else "fused"
    return Kernels(
        adapters="compiled" if compiled else "fused",
        norm=best if fusions.norm is not None else plain,
        gate=best if fusions.gated else plain,
        # Only families whose attention goes through Transformers' interface rotate in its usual way.
        rotary=best if best == "liger" and fusions.attention else plain,
        attention="sdpa" if not fusions.attention else _attention(device, compiled=compiled),
    )


def _attention(device: Device, *, compiled: bool) -> str:
    if device.kind == "cuda":
        return "varlen"
    return "fused" if device.kind == "cpu" and not compiled else "sdpa"


def has_liger() -> bool:
    return find_spec("liger_kernel") is not None and find_spec("triton") is not None


def use_kernels(model: nn.Module, fusions: Fusions, kernels: Kernels) -> None:
    """Put `kernels` into a model that lies on its device, where they fit; what does not fit stays as it is."""
    config: Any = model.config
    if kernels.norm == "liger":
        _norms_by_liger(model, fusions)
    if kernels.gate == "liger":
        _gates_by_liger(model, str(getattr(config, "hidden_act", None) or getattr(config, "hidden_activation", "")))
    if kernels.rotary == "liger":
        _rotary_by_liger(model)
    if kernels.adapters == "fused":
        fuse(
            model,
            replace(
                fusions,
                norm=fusions.norm if kernels.norm == "fused" else None,
                gated=kernels.gate == "fused",
                attention=kernels.attention == "fused",
            ),
        )
    if kernels.attention == "varlen" and config._attn_implementation == "sdpa":
        model.set_attn_implementation(varlen.register())  # type: ignore[operator]


def _norms_by_liger(model: nn.Module, fusions: Fusions) -> None:
    from liger_kernel.transformers.functional import liger_rms_norm  # type: ignore[import-not-found]

    plus_one = fusions.norm == "plus_one"
    for module in model.modules():
        norm: Any = module
        if type(module).__name__.endswith("RMSNorm"):
            epsilon = norm.eps if plus_one else norm.variance_epsilon
            # Not in place: the upstream gradient may be that of the residual stream too.
            norm.forward = partial(
                _positional, liger_rms_norm, (norm.weight, float(epsilon), float(plus_one), _casting(plus_one), False)
            )


def _positional(function: Callable[..., Tensor], rest: tuple[Any, ...], hidden: Tensor) -> Tensor:
    return function(hidden, *rest)


def _casting(plus_one: bool) -> str:
    """Gemma multiplies by its weight in float32, Llama in the type of the hidden states."""
    return "gemma" if plus_one else "llama"


def _gates_by_liger(model: nn.Module, activation: str) -> None:
    from liger_kernel.transformers.functional import liger_geglu, liger_swiglu

    if activation not in ACTIVATIONS:
        return
    product = liger_swiglu if activation == "silu" else liger_geglu
    for module in model.modules():
        if {"gate_proj", "up_proj", "down_proj", "act_fn"} <= {name for name, _ in module.named_children()}:
            module.forward = partial(_gated_block, module, product)


def _gated_block(block: Any, product: Callable[[Tensor, Tensor], Tensor], x: Tensor) -> Tensor:
    found: Tensor = block.down_proj(product(block.gate_proj(x), block.up_proj(x)))
    return found


def _rotary_by_liger(model: nn.Module) -> None:
    """Replace the function that the model's file calls. It is shared by all models of the process, so others keep theirs."""
    from liger_kernel.transformers.rope import liger_rotary_pos_emb  # type: ignore[import-not-found]

    for name in {type(module).__module__ for module in model.modules()}:
        file: Any = sys.modules[name]
        own = getattr(file, "apply_rotary_pos_emb", None)
        if own is not None and name.startswith("transformers.models.") and not isinstance(own, partial):
            file.apply_rotary_pos_emb = partial(_rotated, own, liger_rotary_pos_emb)


def _rotated(
    own: Callable[..., tuple[Tensor, Tensor]],
    by_liger: Callable[..., tuple[Tensor, Tensor]],
    query: Tensor,
    key: Tensor,
    cos: Tensor,
    sin: Tensor,
    *more: Any,
    **named: Any,
) -> tuple[Tensor, Tensor]:
    whole = cos.shape[-1] == query.shape[-1]
    if query.device.type != "cuda" or more or named or not whole or not torch.is_grad_enabled():
        return own(query, key, cos, sin, *more, **named)
    return by_liger(query, key, cos, sin)
