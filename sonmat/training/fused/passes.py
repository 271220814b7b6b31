"""The element-wise parts of a decoder layer between its matrix products: norm, gate, rotation, softmax, cross-entropy.

Each is one pass over memory by a compiled kernel (`native`) for bfloat16 on a processor, and the same in PyTorch's operations for
everything else: other types, no compiler. Tests hold the two to one another. Inputs are contiguous unless they say otherwise.

In and out: tensors of flat tokens, shape (tokens, size), or by head; `starts`, int64 of shape (rows + 1,), says where each row
begins and where the last one ends.
"""

from __future__ import annotations

import ctypes
from itertools import pairwise
from typing import Any, Final

import torch
from torch import Tensor

from sonmat.training.fused.native.library import address as _at
from sonmat.training.fused.native.library import integer as _int
from sonmat.training.fused.native.library import library

_Kernels = ctypes.CDLL


def has_kernels(dtype: torch.dtype, device: torch.device) -> bool:
    """Whether compiled kernels compute in `dtype` on `device`."""
    return dtype == torch.bfloat16 and device.type == "cpu" and library() is not None


def norm_forward(x: Tensor, added: Tensor | None, weight: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """x + added (x where nothing is added), its root-mean-square norm times `weight`, and 1 / rms of shape (tokens,).

    Args:
        added: like `x`, or columns of a wider matrix.
    """
    tokens, size = x.shape
    kernels = _native(x)
    if kernels is not None:
        normed, inverse = torch.empty_like(x), torch.empty(tokens, dtype=torch.float32)
        total = x if added is None else torch.empty_like(x)
        kernels.norm_forward(
            _at(x), _at(added), _stride(added), _at(weight), _int(tokens), _int(size), ctypes.c_float(epsilon), _at(total),
            _at(normed), _at(inverse),
        )  # fmt: skip
        return total, normed, inverse
    total = x if added is None else x + added
    wide = total.to(_wider(x))
    inverse = torch.rsqrt(wide.square().mean(dim=-1) + epsilon)
    return total, (wide * inverse[:, None]).to(x.dtype) * weight, inverse


def norm_again(total: Tensor, weight: Tensor, inverse: Tensor) -> Tensor:
    """The norm's output from what the backward pass has kept."""
    kernels = _native(total)
    if kernels is not None:
        normed = torch.empty_like(total)
        kernels.norm_again(_at(total), _at(weight), _at(inverse), *map(_int, total.shape), _at(normed))
        return normed
    return (total.to(_wider(total)) * inverse[:, None]).to(total.dtype) * weight


def norm_backward(gradient: Tensor, total: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor, out: Tensor) -> None:
    """out = residual + the gradient of the norm's input; `residual` and `out` may be columns of wider matrices, and the same."""
    kernels = _native(total)
    if kernels is not None:
        kernels.norm_backward(
            _at(gradient), _at(total), _at(weight), _at(inverse), _at(residual), _stride(residual), *map(_int, total.shape), _at(out),
            _stride(out),
        )  # fmt: skip
        return
    upstream = gradient.to(_wider(total)) * weight
    normed = total.to(_wider(total)) * inverse[:, None]
    along = (upstream * normed).mean(dim=-1, keepdim=True)
    out.copy_(residual + (upstream - normed * along) * inverse[:, None])


def norm_weight_gradient(gradient: Tensor, total: Tensor, inverse: Tensor) -> Tensor:
    """The gradient of the norm's weight, float32 or wider of shape (size,), from that of its output."""
    kernels = _native(total)
    if kernels is not None:
        found = torch.empty(total.shape[1], dtype=torch.float32)
        kernels.norm_weight_gradient(_at(gradient), _at(total), _at(inverse), *map(_int, total.shape), _at(found))
        return found
    return (gradient.to(_wider(total)) * total * inverse[:, None]).sum(dim=0)


def gate_forward(both: Tensor, size: int, activation: str) -> Tensor:
    """activation(gate) · up, shape (tokens, size); gate and up are the first and the second `size` columns of `both`."""
    kernels = _native(both)
    if kernels is not None:
        product = torch.empty(len(both), size, dtype=both.dtype)
        kernels.gate_forward(_at(both), _stride(both), _int(len(both)), _int(size), _is_gelu(activation), _at(product))
        return product
    return _activated(both[:, :size], activation) * both[:, size : 2 * size]


def gate_backward(both: Tensor, size: int, activation: str, gradient: Tensor, of_both: Tensor) -> Tensor:
    """Writes the gradients of gate and up into the first columns of `of_both`; returns the product once more."""
    kernels = _native(both)
    if kernels is not None:
        product = torch.empty(len(both), size, dtype=both.dtype)
        kernels.gate_backward(
            _at(both), _stride(both), _at(gradient), _int(len(both)), _int(size), _is_gelu(activation), _at(of_both), _stride(of_both),
            _at(product),
        )  # fmt: skip
        return product
    gate, up = both[:, :size], both[:, size : 2 * size]
    active = _activated(gate, activation)
    of_both[:, size : 2 * size] = active * gradient
    upstream = gradient * up
    if activation == "silu":
        of_both[:, :size] = torch.ops.aten.silu_backward(upstream, gate)
    else:
        of_both[:, :size] = torch.ops.aten.gelu_backward(upstream, gate, approximate="tanh")
    return active * up


BLOCK: Final = 128
"""Queries of long rows are taken in blocks of about so many places, which look at no key behind them."""


class Heads:
    """How some rows of flat tokens become rows of equal width by head, and back: `shared` keys and values, `group` queries to each.

    Args:
        starts: of these rows, which lie one behind another, and the end of the last.
        beginning: first token of what all these rows continue, and how many tokens it has. Their queries look at its keys too.
    """

    def __init__(
        self, starts: Tensor, longest: int, shared: int, group: int, size: int, beginning: tuple[int, int] = (0, 0)
    ) -> None:
        self.starts, self.longest, self.shared, self.group, self.size = starts, longest, shared, group, size
        self.rows = len(starts) - 1
        self.beginning, self.before = beginning
        count = max(1, round(longest / BLOCK))
        edges = [longest * number // count for number in range(count + 1)]
        self.blocks = list(pairwise(edges))
        """Places of the queries of each block, from and to."""

    def split(self, flat: Tensor, cosine: Tensor, sine: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Rotated queries of shape (rows · shared, longest · group, size), keys and values of (rows · shared, before + longest, size).

        Args:
            flat: queries of all heads, keys and values as the first columns of each token.
            cosine: of each token's position, shape (tokens, size); `sine` likewise (Su et al. 2021, in halves as Llama has it).
        """
        queries = flat.new_empty(self.rows * self.shared, self.longest * self.group, self.size)
        width = self.before + self.longest
        keys, values = (flat.new_empty(self.rows * self.shared, width, self.size) for _ in range(2))
        kernels = _native(flat)
        if kernels is not None:
            kernels.heads_forward(
                _at(flat), _stride(flat), _at(cosine), _at(sine), *self._shape(), _int(self.beginning), _int(self.before),
                _at(queries), _at(keys), _at(values),
            )  # fmt: skip
            return queries, keys, values
        for to, part in zip((queries, keys, values), self._parts(flat), strict=True):
            turned = part if to is values else part * cosine[:, None] + _half_turned(part) * sine[:, None]
            own = self._padded(turned)
            if to is not queries:
                first = turned[self.beginning : self.beginning + self.before].transpose(0, 1)[None, :, :, None]
                own = torch.cat([first.expand(self.rows, -1, -1, -1, -1), own], dim=2)
            to.copy_(own.view_as(to))
        return queries, keys, values

    def joined(self, queries: Tensor, keys: Tensor, values: Tensor, cosine: Tensor, sine: Tensor, flat: Tensor) -> None:
        """The gradient of `split`: into the first columns of `flat`, for these rows' own tokens alone."""
        kernels = _native(flat)
        if kernels is not None:
            kernels.heads_backward(
                _at(queries), _at(keys), _at(values), _at(cosine), _at(sine), *self._shape(), _int(self.before), _at(flat),
                _stride(flat),
            )  # fmt: skip
            return
        cosines, sines = cosine[self._tokens, None], sine[self._tokens, None]
        for by_head, to in zip((queries, keys, values), self._parts(flat), strict=True):
            part = self._flat(by_head if by_head is queries else by_head[:, self.before :])
            to[self._tokens] = part if by_head is values else part * cosines - _half_turned(part * sines)

    def mixed_to_flat(self, mixed: Tensor, flat: Tensor) -> None:
        """What attention gave, of the shape of queries, to its tokens in `flat`, shape (tokens, heads · size)."""
        kernels = _native(mixed)
        if kernels is not None:
            kernels.mixed_heads(_at(mixed), _at(flat), _stride(flat), *self._shape(), 1)
            return
        flat[self._tokens] = self._flat(mixed).flatten(1)

    def flat_to_mixed(self, flat: Tensor) -> Tensor:
        """The gradient of `mixed_to_flat`."""
        kernels = _native(flat)
        shape = (self.rows * self.shared, self.longest * self.group, self.size)
        if kernels is not None:
            mixed = flat.new_empty(shape)
            kernels.mixed_heads(_at(mixed), _at(flat), _stride(flat), *self._shape(), 0)
            return mixed
        return self._padded(flat.unflatten(1, (-1, self.size))).reshape(shape)

    def shares(self, scores: Tensor, block: tuple[int, int], scale: float) -> Tensor:
        """Causal softmax of scale · scores, in place where it can be.

        Args:
            scores: of the queries of places `block`, shape (rows · shared, (to - from) · group, before + to).
        """
        kernels = _native(scores)
        if kernels is not None:
            kernels.shares_forward(_at(scores), *self._lines(block), ctypes.c_float(scale))
            return scores
        hidden = ~self._seen(block)
        found = torch.softmax(self._by_place(scores * scale, block).masked_fill(hidden, -torch.inf), dim=-1)
        return found.masked_fill(hidden, 0.0).view_as(scores)

    def of_scores(self, shares: Tensor, gradient: Tensor, block: tuple[int, int], scale: float) -> Tensor:
        """The gradient of the scores from that of the shares, in place where it can be."""
        kernels = _native(shares)
        if kernels is not None:
            kernels.shares_backward(_at(shares), _at(gradient), *self._lines(block), ctypes.c_float(scale))
            return gradient
        return shares * (gradient - (shares * gradient).sum(dim=-1, keepdim=True)) * scale

    @property
    def _tokens(self) -> slice:
        return slice(int(self.starts[0]), int(self.starts[-1]))

    def _shape(self) -> tuple[Any, ...]:
        sizes = (self.rows, self.longest, self.shared, self.group, self.size)
        return (_at(self.starts), *map(_int, sizes))

    def _lines(self, block: tuple[int, int]) -> tuple[Any, ...]:
        return (_at(self.starts), *map(_int, (self.rows, self.shared, self.group, self.before, *block)))

    def _parts(self, flat: Tensor) -> list[Tensor]:
        """Views of the columns of queries, keys and values, shape (tokens, heads, size) each."""
        found, at = [], 0
        for heads in (self.shared * self.group, self.shared, self.shared):
            found.append(flat[:, at : at + heads * self.size].unflatten(1, (heads, self.size)))
            at += heads * self.size
        return found

    def _padded(self, part: Tensor) -> Tensor:
        """(tokens, heads, size) as (rows, shared, longest, heads / shared, size) with zeros behind a row's end."""
        bounds = self.starts.tolist()
        padded = part.new_zeros(self.rows, self.shared, self.longest, part.shape[1] // self.shared, self.size)
        for row, (start, end) in enumerate(pairwise(bounds)):
            padded[row, :, : end - start] = part[start:end].unflatten(1, (self.shared, -1)).transpose(0, 1)
        return padded

    def _flat(self, by_head: Tensor) -> Tensor:
        """The way back: (tokens of these rows, heads, size)."""
        padded = by_head.reshape(self.rows, self.shared, self.longest, -1, self.size)
        lengths = self.starts.diff().tolist()
        return torch.cat([padded[row, :, :length].transpose(0, 1).flatten(1, 2) for row, length in enumerate(lengths)])

    def _by_place(self, scores: Tensor, block: tuple[int, int]) -> Tensor:
        return scores.view(self.rows, self.shared, block[1] - block[0], self.group, self.before + block[1])

    def _seen(self, block: tuple[int, int]) -> Tensor:
        """True where a query looks, shape (rows, 1, places, 1, keys)."""
        places, keys = torch.arange(*block), torch.arange(self.before + block[1])
        inside = places[None] < self.starts.diff()[:, None]
        causal = self.before + places[:, None] >= keys[None]
        return causal[None, None, :, None] & inside[:, None, :, None, None]


def cross_entropy(logits: Tensor, targets: Tensor, *, gradient: bool) -> Tensor | None:
    """float32 losses of shape (tokens,), the logits overwritten by softmax − one-hot if `gradient`; None without kernels for them."""
    kernels = _native(logits)
    if kernels is None or not logits.is_contiguous():
        return None
    losses = torch.empty(len(logits), dtype=torch.float32)
    kernels.cross_entropy(_at(logits), _at(targets), *map(_int, logits.shape), int(gradient), _at(losses))
    return losses


def _native(tensor: Tensor) -> _Kernels | None:
    return library() if has_kernels(tensor.dtype, tensor.device) else None


def _stride(tensor: Tensor | None) -> ctypes.c_int64:
    return _int(0 if tensor is None else tensor.stride(0))


def _is_gelu(activation: str) -> int:
    return int(activation != "silu")


def _wider(tensor: Tensor) -> torch.dtype:
    return torch.promote_types(tensor.dtype, torch.float32)


def _activated(gate: Tensor, activation: str) -> Tensor:
    if activation == "silu":
        return torch.nn.functional.silu(gate)
    return torch.nn.functional.gelu(gate, approximate="tanh")


def _half_turned(part: Tensor) -> Tensor:
    """(-second half, first half): the quarter turn of each pair."""
    first, second = part.chunk(2, dim=-1)
    return torch.cat((-second, first), dim=-1)
