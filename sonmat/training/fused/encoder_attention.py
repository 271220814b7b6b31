"""Attention of encoders by one compiled kernel: scores, softmax, dropout and mixing in tiles that stay in the cache.

In: the flat product of queries, keys and values as it comes, and how many tokens of each row are no padding. Out: what
attention gives, laid out for the next product, and one float32 number a query and head from which the backward pass computes
the shares again (Dao et al. 2022, arXiv:2205.14135). Memory grows with the length of rows and not with its square; nothing is
moved before or behind. For bfloat16 on processors that multiply pairs of it, and masks that hide nothing but padding behind;
all else goes by `attention.attend`.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from sonmat.training.fused.encoder_passes import Dropping
from sonmat.training.fused.last import Last
from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import enough_memory, library
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.native.library import matrix as _matrix
from sonmat.training.fused.passes import has_kernels

COLUMNS: Final = 32
"""A head's size is a multiple of this."""
LARGEST: Final = 512
"""Numbers of a head, at most."""

_lengths: Last[Tensor | None] = Last()


def has_attention(dtype: torch.dtype, device: torch.device, size: int) -> bool:
    """Whether the kernel computes heads of `size` numbers in `dtype` on `device`."""
    kernels = library() if has_kernels(dtype, device) else None
    return kernels is not None and size % COLUMNS == 0 and size <= LARGEST and bool(kernels.multiplies_pairs())


def real_tokens(mask: Tensor | None, rows: int, tokens: int) -> Tensor | None:
    """How many tokens of each row are no padding, int64 of shape (rows,); None if `mask` says something else.

    Args:
        mask: boolean, True where a key is looked at, shape (rows or 1, 1, queries or 1, keys); None if all are.
    """
    if mask is None:
        return torch.full((rows,), tokens)
    if mask.dtype != torch.bool or mask.ndim != 4 or mask.shape[1] != 1 or mask.shape[3] != tokens:
        return None
    return _lengths.of(
        mask, rows, lambda: _counted(mask).expand(rows).contiguous() if _hides_what_is_behind(mask) else None
    )


def _counted(mask: Tensor) -> Tensor:
    return mask[:, 0, 0].sum(dim=-1)


def _hides_what_is_behind(mask: Tensor) -> bool:
    """Whether all queries of a row see the same keys, the first few and at least one."""
    keys = mask[:, 0, 0]
    alike = mask.stride(2) == 0 or mask.shape[2] == 1 or bool((mask[:, 0] == keys[:, None]).all())
    first = torch.arange(keys.shape[1], device=mask.device) < keys.sum(dim=-1, keepdim=True)
    return alike and bool((keys == first).all()) and bool(keys[:, 0].all())


@dataclass(frozen=True)
class EncoderAttention:
    """Attention over one batch's rows.

    Args:
        lengths: as `real_tokens` gives them.
        tokens: of every row, padding included.
        heads: and the numbers of each, `size`.
        scale: of the scores.
        dropping: of the shares.
    """

    lengths: Tensor
    tokens: int
    heads: int
    size: int
    scale: float
    dropping: Dropping

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """What attention gives, shape (rows · tokens, heads · size), and what `backward` needs besides.

        Args:
            flat: queries of all heads, keys and values of each token.
        """
        mixed = torch.empty(len(flat), self.heads * self.size, dtype=flat.dtype)
        sums = torch.empty(len(flat) * self.heads, dtype=torch.float32)
        enough_memory(_kernels().encoder_attention_forward(*self._asked(flat), _at(mixed), _at(sums)))
        return mixed, sums

    def backward(self, flat: Tensor, mixed: Tensor, sums: Tensor, upstream: Tensor) -> Tensor:
        """The gradient of `flat`.

        Args:
            mixed, sums: what `forward` gave.
            upstream: the gradient of `mixed`.
        """
        of_flat = torch.empty(flat.shape, dtype=flat.dtype)
        told = (_at(mixed), _at(sums), _at(upstream.contiguous()), _at(of_flat))
        enough_memory(_kernels().encoder_attention_backward(*self._asked(flat), *told))
        return of_flat

    def _asked(self, flat: Tensor) -> tuple[Any, ...]:
        sizes = map(_int, (len(self.lengths), self.tokens, self.heads, self.size))
        return (*_matrix(flat), _at(self.lengths), *sizes, ctypes.c_float(self.scale), *self.dropping.told)


def _kernels() -> ctypes.CDLL:
    kernels = library()
    assert kernels is not None, "asked for by has_attention"
    return kernels
