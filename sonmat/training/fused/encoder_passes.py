"""The element-wise parts of an encoder layer between its matrix products: softmax, layer norm of a sum, GELU, each with its dropout.

Each is one pass over memory by a compiled kernel (`native`) for bfloat16 on a processor; `fits` says where there is one, and who
asks computes otherwise himself where there is none. What dropout drops is a function of a drawn seed, so that backward passes ask
again instead of keeping a mask. In and out: contiguous tensors; shapes stand with each function.
"""

from __future__ import annotations

import ctypes
import math
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.native.library import library
from sonmat.training.fused.passes import has_kernels

MOST_KEYS: Final = 2048
BLOCK: Final = 64
"""Tokens whose gradients are summed by one thread at a time; always the same, so that sums do not depend on threads."""


@dataclass(frozen=True)
class Dropping:
    """What dropout does in one place of one pass: drop `share` of the numbers, and divide the others by what is left of one."""

    share: float
    seed: int

    @classmethod
    def of(cls, share: float) -> Dropping:
        """With a seed that PyTorch's own generator gives, where anything is dropped."""
        return cls(share, int(torch.randint(2**63 - 1, ()))) if share else cls(0.0, 0)

    @property
    def told(self) -> tuple[Any, ...]:
        """Seed, share · 2³² and what is kept is multiplied with, as kernels are told."""
        kept_scale = 1 / (1 - self.share)
        return ctypes.c_uint64(self.seed), ctypes.c_uint32(round(self.share * 2**32)), ctypes.c_float(kept_scale)


def fits(x: Tensor, share: float) -> bool:
    """Whether there are kernels for tensors like `x` when `share` is dropped."""
    return has_kernels(x.dtype, x.device) and share < 1


def fits_softmax(scores: Tensor, added: Tensor | None, share: float) -> bool:
    """Whether there is one for these scores and this mask: the same for all heads, of the same type, with all keys."""
    usual = added is None or (added.shape[1] == 1 and added.dtype == scores.dtype and added.shape[-1] == scores.shape[-1])
    return usual and scores.shape[-1] <= MOST_KEYS and fits(scores, share)


def softmax(
    scores: Tensor, added: Tensor | None, shape: tuple[int, int, int], scale: float, dropping: Dropping
) -> tuple[Tensor, Tensor]:
    """`scores` become shares, softmax(scale · scores + added), in place; returns them and what dropout leaves of them.

    Args:
        scores: any shape of rows · heads · queries lines of keys.
        added: shape (rows or 1, 1, queries or 1, keys).
        shape: rows, heads, queries.
    """
    used = torch.empty_like(scores) if dropping.share else None
    row = query = 0
    if added is not None:
        added = added if added.stride(-1) == 1 else added.contiguous()
        row, query = (0 if added.shape[axis] == 1 else added.stride(axis) for axis in (0, 2))
    _kernels().softmax_forward(
        _at(scores), _at(added), _int(row), _int(query), *map(_int, shape), _int(scores.shape[-1]), ctypes.c_float(scale),
        *dropping.told, _at(used),
    )  # fmt: skip
    return scores, scores if used is None else used


def softmax_backward(shares: Tensor, of_used: Tensor, scale: float, dropping: Dropping) -> Tensor:
    """The gradient of the scores, in place of that of what was used."""
    keys = shares.shape[-1]
    lines = shares.numel() // max(keys, 1)
    _kernels().softmax_backward(_at(shares), _at(of_used), _int(lines), _int(keys), ctypes.c_float(scale), *dropping.told)
    return of_used


def normed_sum(
    x: Tensor, beside: Tensor, weight: Tensor, bias: Tensor, epsilon: float, dropping: Dropping
) -> tuple[Tensor, Tensor, Tensor]:
    """Layer norm (Ba et al. 2016) of dropout(x) + beside, which takes the place of `x`, shape (tokens, size).

    Returns:
        The norm, like `x`; mean and 1 / deviation of each token, float32.
    """
    tokens, size = x.shape
    normed = torch.empty_like(x)
    mean, inverse = (torch.empty(tokens, dtype=torch.float32) for _ in range(2))
    weight, bias = weight.float(), bias.float()
    _kernels().normed_sum_forward(
        _at(x), _at(beside), _at(weight), _at(bias), _int(tokens), _int(size), ctypes.c_float(epsilon), *dropping.told, _at(normed),
        _at(mean), _at(inverse),
    )  # fmt: skip
    return normed, mean, inverse


def normed_sum_backward(
    gradient: Tensor, summed: Tensor, weight: Tensor, mean: Tensor, inverse: Tensor, dropping: Dropping
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of `beside` and of `x`, like `summed`, and float32 sums of shape (3, size): of weight, of bias, of `x`'s."""
    tokens, size = summed.shape
    of_sum = torch.empty_like(summed)
    of_x = torch.empty_like(summed) if dropping.share else of_sum
    sums = torch.empty(math.ceil(tokens / BLOCK), 3, size, dtype=torch.float32)
    weight = weight.float()
    _kernels().normed_sum_backward(
        _at(gradient), _at(summed), _at(weight), _at(mean), _at(inverse), _int(tokens), _int(size), _int(BLOCK), *dropping.told,
        _at(of_sum), _at(of_x), _at(sums),
    )  # fmt: skip
    return of_sum, of_x, sums.sum(dim=0)


def column_sums(x: Tensor) -> Tensor:
    """Of shape (tokens, size) over tokens, float32 of shape (size,)."""
    tokens, size = x.shape
    sums = torch.empty(math.ceil(tokens / BLOCK), size, dtype=torch.float32)
    _kernels().column_sums(_at(x), _int(tokens), _int(size), _int(BLOCK), _at(sums))
    return sums.sum(dim=0)


def gelu(x: Tensor, approximate: str) -> Tensor:
    """GELU (Hendrycks and Gimpel 2016) of shape (tokens, size)."""
    found = torch.empty_like(x)
    _kernels().gelu_forward(_at(x), *map(_int, x.shape), int(approximate == "tanh"), _at(found))
    return found


def gelu_backward(gradient: Tensor, x: Tensor, approximate: str) -> tuple[Tensor, Tensor]:
    """The gradient of `x`, and its sum over tokens, float32 of shape (size,)."""
    tokens, size = x.shape
    of_x, sums = torch.empty_like(x), torch.empty(math.ceil(tokens / BLOCK), size, dtype=torch.float32)
    _kernels().gelu_backward(
        _at(gradient), _at(x), _int(tokens), _int(size), _int(BLOCK), int(approximate == "tanh"), _at(of_x), _at(sums)
    )
    return of_x, sums.sum(dim=0)


def _kernels() -> ctypes.CDLL:
    found = library()
    assert found is not None, "`fits` says so"
    return found
