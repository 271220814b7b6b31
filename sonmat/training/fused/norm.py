"""Root-mean-square normalisation with a frozen weight, keeping one number a token for the backward pass.

In: hidden states of any type. Out: the same type; the mean of squares is taken in float32. Equal to Llama's and, with
`plus_one`, Gemma's norm (Zhang and Sennrich 2019).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def rms_norm(weight: Tensor, epsilon: float, plus_one: bool, hidden: Tensor) -> Tensor:
    """`hidden` divided by its root mean square over the last dimension, times the weight."""
    normed: Tensor = _RmsNorm.apply(hidden, weight, epsilon, plus_one)  # type: ignore[no-untyped-call]
    return normed


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, epsilon: float, plus_one: bool) -> Tensor:
        wide = hidden.float()
        length = torch.rsqrt(wide.square().mean(dim=-1, keepdim=True) + epsilon)
        ctx.save_for_backward(hidden, weight, length)
        ctx.plus_one = plus_one
        if plus_one:
            return (wide.mul_(length) if wide is not hidden else wide * length).mul(1.0 + weight.float()).to(hidden.dtype)
        return (wide * length).to(hidden.dtype) * weight

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, length = ctx.saved_tensors
        scale = weight.float() + 1.0 if ctx.plus_one else weight.float()
        upstream = gradient.float() * scale
        normed = hidden.float() * length
        along = (upstream * normed).mean(dim=-1, keepdim=True)
        return upstream.sub_(normed.mul_(along)).mul_(length).to(hidden.dtype), None, None, None
