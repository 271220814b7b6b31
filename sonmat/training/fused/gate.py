"""The product of a gate's activation and its values, as in SwiGLU and GeGLU (Shazeer 2020), keeping only its two inputs.

In: gate and values of one shape. Out: activation(gate) · values. The activation is worked out again in the backward pass, which
is cheaper than the memory traffic of keeping it.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

ACTIVATIONS: Final = ("silu", "gelu_pytorch_tanh")


def gated(gate: Tensor, values: Tensor, activation: str) -> Tensor:
    """`activation` is one of `ACTIVATIONS`, named as in Transformers' configurations."""
    product: Tensor = _Gated.apply(gate, values, activation)  # type: ignore[no-untyped-call]
    return product


class _Gated(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate: Tensor, values: Tensor, activation: str) -> Tensor:
        ctx.save_for_backward(gate, values)
        ctx.activation = activation
        return _activated(gate, activation).mul_(values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        gate, values = ctx.saved_tensors
        of_values = _activated(gate, ctx.activation).mul_(gradient)
        upstream = gradient * values
        if ctx.activation == "silu":
            return torch.ops.aten.silu_backward(upstream, gate), of_values, None
        return torch.ops.aten.gelu_backward(upstream, gate, approximate="tanh"), of_values, None


def _activated(gate: Tensor, activation: str) -> Tensor:
    if activation == "silu":
        return torch.nn.functional.silu(gate)
    return torch.nn.functional.gelu(gate, approximate="tanh")
