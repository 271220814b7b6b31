"""Dropout on a processor at the cost of reading and writing once (Srivastava et al. 2014), instead of a slow draw a number.

PyTorch draws one number after the other, which for the shares of attention takes longer than their matrix products. Here 64
random bits decide on four numbers at once. The chance of being dropped is `share` to 1/65,536. What is drawn depends on PyTorch's seed
alone, not on the number of threads.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

_STEPS = 1 << 16
_ONE_IN_BFLOAT16 = 0x3F80


def kept(like: Tensor, share: float) -> Tensor:
    """1 where a number of `like` stays and 0 where it is dropped; shape, type and device of `like`, which must be contiguous."""
    if like.device.type != "cpu":
        return torch.empty_like(like).bernoulli_(1 - share)
    # Signed numbers of 16 bits: the lowest `share` of them drop what they stand for.
    lowest = round(share * _STEPS) - _STEPS // 2
    chance = _sixteen_bits(like.numel()).view(like.shape)
    if like.dtype == torch.bfloat16:
        # Comparing to numbers of the same width, and 1.0 made of its bits, is several times faster than going through booleans.
        return torch.ge(chance, lowest, out=chance).mul_(_ONE_IN_BFLOAT16).view(torch.bfloat16)
    return chance.ge(lowest).to(like.dtype)


def dropped(x: Tensor, share: float, training: bool) -> Tensor:
    """What `torch.nn.functional.dropout` gives, with other draws."""
    if not training or share == 0 or x.device.type != "cpu" or share >= 1:
        return torch.nn.functional.dropout(x, share, training)
    found: Tensor = _Dropped.apply(x, share)  # type: ignore[no-untyped-call]
    return found


def compute_quickly(module: nn.Dropout) -> None:
    """Let `module` draw this way."""
    module.forward = partial(_forward, module)  # type: ignore[method-assign]


def _forward(module: nn.Dropout, input: Tensor) -> Tensor:
    return dropped(input, module.p, module.training)


def _sixteen_bits(count: int) -> Tensor:
    """int16 of shape (count,), each of the 65,536 values equally likely."""
    seed = int(torch.randint(2**63 - 1, ()))
    drawn = np.random.Generator(np.random.SFC64(seed)).integers(0, 2**64, size=(count + 3) // 4, dtype=np.uint64)
    return torch.from_numpy(drawn.view(np.int16)[:count])


class _Dropped(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, share: float) -> Tensor:
        stays = kept(x.contiguous(), share)
        ctx.save_for_backward(stays)
        ctx.scale = 1 / (1 - share)
        return (x * stays).mul_(ctx.scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (stays,) = ctx.saved_tensors
        return (gradient * stays).mul_(ctx.scale), None
