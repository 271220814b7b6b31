"""Causal attention of rows that lie one behind another, by one compiled kernel: rotation, scores, softmax and mixing in tiles.

In: the flat product of queries, keys and values, and where rows lie in it (`layout`). Out: what attention gives, and one float32
number a query and head from which the backward pass computes the shares again (Dao et al. 2022, arXiv:2205.14135). Nothing is padded,
and what stands behind a query is computed only to the end of its tile. For bfloat16 on processors that multiply pairs of it; all else
goes by `passes.Heads`, which gives the same up to rounding.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import enough_memory, library
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.native.library import matrix as _matrix
from sonmat.training.fused.passes import has_kernels

if TYPE_CHECKING:
    from sonmat.training.fused.layout import Sizes

COLUMNS: Final = 64
"""A head's size is a multiple of this."""
LARGEST: Final = 512
"""Numbers of a head, at most."""


def has_attention(dtype: torch.dtype, device: torch.device, size: int) -> bool:
    """Whether the kernel computes heads of `size` numbers in `dtype` on `device`."""
    kernels = library() if has_kernels(dtype, device) else None
    return kernels is not None and size % COLUMNS == 0 and size <= LARGEST and bool(kernels.multiplies_pairs())


class RowAttention:
    """Attention over one batch's rows.

    Args:
        segments: int64 of shape (rows, 4): a row's first token, its tokens, and first token and tokens of what it continues.
        cosine: of each token's position, shape (tokens, size); `sine` likewise.
        sizes: heads of keys and values, heads of queries for each of them, numbers of a head.
    """

    def __init__(self, segments: Tensor, cosine: Tensor, sine: Tensor, sizes: Sizes) -> None:
        self.segments, self.cosine, self.sine, self.sizes = segments, cosine, sine, sizes

    def forward(self, flat: Tensor, scale: float, mixed: Tensor) -> Tensor:
        """Writes what attention gives to `mixed`, shape (tokens, heads · size); returns what `backward` needs besides.

        Args:
            flat: queries of all heads, keys and values, not rotated yet, as the first columns of each token.
        """
        shared, group, _ = self.sizes
        sums = torch.empty(len(flat), shared * group, dtype=torch.float32)
        enough_memory(_kernels().attention_forward(*self._asked(flat, scale), *_matrix(mixed), _at(sums)))
        return sums

    def backward(self, flat: Tensor, scale: float, mixed: Tensor, sums: Tensor, upstream: Tensor, of_flat: Tensor) -> None:
        """Writes the gradients of queries, keys and values into the first columns of `of_flat`.

        Args:
            mixed, sums: what `forward` gave.
            upstream: the gradient of `mixed`.
        """
        told = (*self._asked(flat, scale), *_matrix(mixed), _at(sums), *_matrix(upstream), *_matrix(of_flat))
        enough_memory(_kernels().attention_backward(*told))

    def _asked(self, flat: Tensor, scale: float) -> tuple[Any, ...]:
        of_rows = (_at(self.cosine), _at(self.sine), _at(self.segments), _int(len(self.segments)))
        return (*_matrix(flat), *of_rows, *map(_int, self.sizes), ctypes.c_float(scale))


def _kernels() -> ctypes.CDLL:
    kernels = library()
    assert kernels is not None, "asked for by has_attention"
    return kernels
