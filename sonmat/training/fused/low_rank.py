"""Products with the small matrices of LoRA layers that share one input: by compiled kernels, or with all of them in one matrix.

For layers i of widths w_i and one rank r, `small` is x Aᵀ of all side by side, shape (tokens, layers · r); layer i's columns meet
its own B, shape (w_i, r), alone. Both ways give the same up to rounding. The kernels are for bfloat16 on processors that
multiply pairs of it; their gradients are float32.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Final, Protocol

import torch
from torch import Tensor

from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import enough_memory, library
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.native.library import matrix as _matrix
from sonmat.training.fused.passes import has_kernels

RANKS: Final = 8
"""Kernels take ranks that are multiples of this."""
LANES: Final = 16


class SmallProducts(Protocol):
    def take(self, ups: Sequence[Tensor], scale: float) -> None:
        """Compute with these B, times `scale`, from now on."""

    def add(self, outputs: Tensor, small: Tensor) -> None:
        """outputs += small · Bᵀ, layer by layer; shape (tokens, sum of widths)."""

    def reduce(self, upstream: Tensor, to: Tensor) -> None:
        """to = upstream · B, layer by layer: the gradient of `small` from that of the outputs."""

    def of_downs(self, of_small: Tensor, x: Tensor) -> Sequence[Tensor]:
        """Gradients of all A, each of shape (r, size of x)."""

    def of_ups(self, upstream: Tensor, small: Tensor, scale: float) -> Sequence[Tensor]:
        """Gradients of all B, each of shape (w_i, r)."""


def small_products(widths: Sequence[int], rank: int, like: Tensor) -> SmallProducts:
    """The fastest way there is for matrices of the type and on the device of `like`."""
    fitting = rank % RANKS == 0 and all(width % 2 == 0 for width in widths)
    kernels = library() if fitting and has_kernels(like.dtype, like.device) else None
    if kernels is not None and kernels.multiplies_pairs():
        return _ByKernels(kernels, widths, rank, like)
    return _InOneMatrix(widths, rank, like)


class _InOneMatrix:
    """All B on the diagonal of one matrix: few calls, for products that cost little more with zeros beside them."""

    def __init__(self, widths: Sequence[int], rank: int, like: Tensor) -> None:
        self.widths, self.rank = widths, rank
        self.block = like.new_zeros(sum(widths), rank * len(widths))

    def take(self, ups: Sequence[Tensor], scale: float) -> None:
        for part, up in zip(self._diagonal(self.block), ups, strict=True):
            part.copy_(up * scale)

    def add(self, outputs: Tensor, small: Tensor) -> None:
        outputs.addmm_(small, self.block.t())

    def reduce(self, upstream: Tensor, to: Tensor) -> None:
        torch.mm(upstream, self.block, out=to)

    def of_downs(self, of_small: Tensor, x: Tensor) -> Sequence[Tensor]:
        return torch.split(of_small.t() @ x, self.rank)

    def of_ups(self, upstream: Tensor, small: Tensor, scale: float) -> Sequence[Tensor]:
        wide = torch.promote_types(small.dtype, torch.float32)
        return [part.to(wide).mul_(scale) for part in self._diagonal(upstream.t() @ small)]

    def _diagonal(self, block: Tensor) -> list[Tensor]:
        rows = block.split(self.widths)
        return [each[:, number * self.rank : (number + 1) * self.rank] for number, each in enumerate(rows)]


class _ByKernels:
    """Each layer's B in the two orders in which the kernels read it."""

    def __init__(self, kernels: ctypes.CDLL, widths: Sequence[int], rank: int, like: Tensor) -> None:
        self.kernels, self.widths, self.rank = kernels, widths, rank
        lanes = -(-rank // LANES) * LANES
        self.across = [like.new_empty(rank // 2, width, 2) for width in widths]
        self.along = [like.new_empty(width // 2, lanes, 2) for width in widths]

    def take(self, ups: Sequence[Tensor], scale: float) -> None:
        for up, across, along in zip(ups, self.across, self.along, strict=True):
            plain = up.detach().float().contiguous()
            self.kernels.low_rank_lay_out(_at(plain), *map(_int, up.shape), ctypes.c_float(scale), _at(across), _at(along))

    def add(self, outputs: Tensor, small: Tensor) -> None:
        for part, own, across in zip(
            outputs.split(self.widths, dim=1), small.split(self.rank, dim=1), self.across, strict=True
        ):
            self.kernels.low_rank_add(*_matrix(part), *_matrix(own), _at(across), *map(_int, part.shape), _int(self.rank))

    def reduce(self, upstream: Tensor, to: Tensor) -> None:
        for part, own, along in zip(
            upstream.split(self.widths, dim=1), to.split(self.rank, dim=1), self.along, strict=True
        ):
            self.kernels.low_rank_reduce(*_matrix(part), _at(along), *map(_int, part.shape), _int(self.rank), *_matrix(own))

    def of_downs(self, of_small: Tensor, x: Tensor) -> Sequence[Tensor]:
        # Its numbers may be anywhere: x comes from outside.
        near = x if x.stride(1) == 1 else x.contiguous()
        return torch.split(self._gradient(of_small, near, 1.0, across=False), self.rank)

    def of_ups(self, upstream: Tensor, small: Tensor, scale: float) -> Sequence[Tensor]:
        parts = zip(upstream.split(self.widths, dim=1), small.split(self.rank, dim=1), strict=True)
        return [self._gradient(own, part, scale, across=True) for part, own in parts]

    def _gradient(self, small: Tensor, wide: Tensor, scale: float, *, across: bool) -> Tensor:
        """scale · smallᵀ · wide, transposed if `across`."""
        tokens, columns = wide.shape
        rank = small.shape[1]
        found = torch.empty((columns, rank) if across else (rank, columns), dtype=torch.float32)
        enough_memory(
            self.kernels.low_rank_gradient(
                *_matrix(small),
                *_matrix(wide),
                _int(tokens),
                _int(columns),
                _int(rank),
                ctypes.c_float(scale),
                int(across),
                _at(found),
            )
        )
        return found
