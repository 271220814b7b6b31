"""Linear layers with LoRA updates that share one input, computed together.

y_i = x W_iᵀ + s (x A_iᵀ) B_iᵀ for the layers i of a group, such as queries, keys and values (Hu et al. 2021, section 4.1). The
frozen W of all and the small A of all lie in one matrix, so that a forward pass is one large product and a backward pass
another; only x and the small x Aᵀ are kept. Equal to PEFT's layers in outputs and gradients, up to the rounding of the compute type.

In: modules that PEFT made. Out: what each of them would give; the first that is asked computes for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sonmat.training.fused.low_rank import small_products
from sonmat.training.fused.working import state_of


class LoraGroup:
    """The layers of one group: the first that is asked computes for all, the others take what is theirs."""

    def __init__(self, layers: Sequence[nn.Module], adapter: str) -> None:
        self.downs = [layer.lora_A[adapter].weight for layer in layers]  # type: ignore[index, union-attr]
        self.ups = [layer.lora_B[adapter].weight for layer in layers]  # type: ignore[index, union-attr]
        self.scale = float(layers[0].scaling[adapter])  # type: ignore[index]
        self.rank = len(self.downs[0])
        bases: list[Any] = [layer.base_layer for layer in layers]
        self.biases: list[Tensor | None] = [base.bias for base in bases]
        self.widths = [base.weight.shape[0] for base in bases]
        self.width = sum(self.widths)
        with torch.no_grad():
            frozen = [base.weight for base in bases]
            downs = [down.to(frozen[0].dtype) for down in self.downs]
            self.stacked = torch.cat([*frozen, *downs])
            at = 0
            for base in bases:
                # A view, so that the frozen weights lie in memory once.
                base.weight.data = self.stacked[at : at + base.weight.shape[0]]
                at += base.weight.shape[0]
        self.small = small_products(self.widths, self.rank, self.stacked)
        self._made_of: tuple[Any, ...] = ()
        self._input: Tensor | None = None
        self._outputs: dict[int, Tensor] = {}

    @property
    def matrices(self) -> list[Tensor]:
        """What trains, in the order of `matrix_gradients`."""
        return [*self.downs, *self.ups]

    def computes_in(self, dtype: torch.dtype) -> bool:
        return dtype == self.stacked.dtype

    def product(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """All layers' outputs side by side as the first `width` columns of a matrix, and x Aᵀ of all, (tokens, layers · rank)."""
        self.refresh()
        product = x @ self.stacked.t()
        outputs, small = product[:, : self.width], product[:, self.width :]
        self.small.add(outputs, small)
        at = 0
        for bias, width in zip(self.biases, self.widths, strict=True):
            if bias is not None:
                product[:, at : at + width] += bias
            at += width
        return product, small.contiguous()

    def upstream(self, like: Tensor) -> Tensor:
        """An empty matrix for what flows back: gradients of the outputs as its first `width` columns, room for x Aᵀ's behind them."""
        return like.new_empty(len(like), len(self.stacked))

    def outputs_of(self, upstream: Tensor) -> Tensor:
        """The columns of `upstream` that hold the gradients of the outputs."""
        return upstream[:, : self.width]

    def input_gradient(self, upstream: Tensor) -> Tensor:
        """The gradient of x; fills the columns behind the outputs' with the gradient of x Aᵀ."""
        self.small.reduce(self.outputs_of(upstream), upstream[:, self.width :])
        return upstream @ self.stacked

    def matrix_gradients(self, upstream: Tensor, x: Tensor, small: Tensor) -> list[Tensor]:
        """Of all A, then of all B, in their own type; behind `input_gradient`, which completes `upstream`."""
        downs = self.small.of_downs(upstream[:, self.width :], x)
        ups = self.small.of_ups(self.outputs_of(upstream), small, self.scale)
        return [gradient.to(own.dtype) for gradient, own in zip((*downs, *ups), self.matrices, strict=True)]

    def output(self, number: int, x: Tensor, *unused: Any, **options: Any) -> Tensor:
        """What layer `number` makes of `x`; PEFT's options choose among adapters, and a group has one."""
        if self._input is not x or number not in self._outputs:
            outputs: Sequence[Tensor] = _LoraTogether.apply(x, self, *self.downs, *self.ups)  # type: ignore[no-untyped-call]
            self._input, self._outputs = x, dict(enumerate(outputs))
        found = self._outputs.pop(number)
        if not self._outputs:
            self._input = None
        return found

    @torch.no_grad()
    def refresh(self) -> None:
        """Take over the small matrices as they are now, if they have changed."""
        now = state_of(self.matrices)
        if self._made_of == now:
            return
        for down, rows in zip(self.downs, self.stacked[self.width :].split(self.rank), strict=True):
            rows.copy_(down)
        self.small.take(self.ups, self.scale)
        self._made_of = now


class _LoraTogether(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: LoraGroup, *matrices: Tensor) -> tuple[Tensor, ...]:
        with torch.autocast(x.device.type, enabled=False):
            flat = x.reshape(-1, x.shape[-1]).to(group.stacked.dtype)
            product, small = group.product(flat)
        ctx.group, ctx.shape, ctx.input_dtype = group, x.shape, x.dtype
        ctx.save_for_backward(flat, small)
        return tuple(part.unflatten(0, x.shape[:-1]) for part in product[:, : group.width].split(group.widths, dim=1))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        flat, small = ctx.saved_tensors
        group: LoraGroup = ctx.group
        with torch.autocast(flat.device.type, enabled=False):
            upstream = group.upstream(flat)
            for gradient, part in zip(gradients, group.outputs_of(upstream).split(group.widths, dim=1), strict=True):
                part.copy_(gradient.reshape(len(flat), -1))
            of_input = group.input_gradient(upstream)
            matrices = group.matrix_gradients(upstream, flat, small)
        found = of_input.view(ctx.shape).to(ctx.input_dtype) if ctx.needs_input_grad[0] else None
        return found, None, *matrices
