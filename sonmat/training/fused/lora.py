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


class LoraGroup:
    """The layers of one group: the first that is asked computes for all, the others take what is theirs."""

    def __init__(self, layers: Sequence[nn.Module], adapter: str) -> None:
        self.downs = [layer.lora_A[adapter].weight for layer in layers]  # type: ignore[index, union-attr]
        self.ups = [layer.lora_B[adapter].weight for layer in layers]  # type: ignore[index, union-attr]
        self.scale = float(layers[0].scaling[adapter])  # type: ignore[index]
        bases: list[Any] = [layer.base_layer for layer in layers]
        self.biases: list[Tensor | None] = [base.bias for base in bases]
        self.widths = [base.weight.shape[0] for base in bases]
        with torch.no_grad():
            frozen = [base.weight for base in bases]
            small = [down.to(frozen[0].dtype) for down in self.downs]
            self.stacked = torch.cat([*frozen, *small])
            at = 0
            for base in bases:
                # A view, so that the frozen weights lie in memory once.
                base.weight.data = self.stacked[at : at + base.weight.shape[0]]
                at += base.weight.shape[0]
        self._input: Tensor | None = None
        self._outputs: dict[int, Tensor] = {}

    def output(self, number: int, x: Tensor, *unused: Any, **options: Any) -> Tensor:
        """What layer `number` makes of `x`; PEFT's options choose among adapters, and a group has one."""
        if self._input is not x or number not in self._outputs:
            outputs: Sequence[Tensor] = _LoraTogether.apply(x, self, *self.downs, *self.ups)  # type: ignore[no-untyped-call]
            self._input, self._outputs = x, dict(enumerate(outputs))
        found = self._outputs.pop(number)
        if not self._outputs:
            self._input = None
        return found

    def refresh(self) -> None:
        """Write the small matrices into the stacked one: the optimiser may have moved them."""
        at = sum(self.widths)
        for down in self.downs:
            self.stacked[at : at + len(down)].copy_(down)
            at += len(down)


class _LoraTogether(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, group: LoraGroup, *matrices: Tensor) -> tuple[Tensor, ...]:
        count, rank = len(group.widths), len(group.downs[0])
        ups = matrices[count:]
        group.refresh()
        dtype = group.stacked.dtype
        with torch.autocast(x.device.type, enabled=False):
            flat = x.reshape(-1, x.shape[-1]).to(dtype)
            product = flat @ group.stacked.t()
            small = product[:, sum(group.widths) :]
            outputs: list[Tensor] = []
            at = 0
            for number, width in enumerate(group.widths):
                output = product[:, at : at + width]
                output.addmm_(small[:, number * rank : (number + 1) * rank], ups[number].to(dtype).t(), alpha=group.scale)
                bias = group.biases[number]
                if bias is not None:
                    output += bias
                outputs.append(output.unflatten(0, x.shape[:-1]))
                at += width
        ctx.group, ctx.shape, ctx.input_dtype = group, x.shape, x.dtype
        ctx.save_for_backward(flat, small, *ups)
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        flat, small, *ups = ctx.saved_tensors
        group: LoraGroup = ctx.group
        rank, width = len(group.downs[0]), sum(group.widths)
        upstream = torch.empty(len(flat), len(group.stacked), dtype=flat.dtype, device=flat.device)
        of_ups: list[Tensor] = []
        at = 0
        for number, (gradient, up) in enumerate(zip(gradients, ups, strict=True)):
            part = upstream[:, at : at + group.widths[number]]
            part.copy_(gradient.reshape(len(flat), -1))
            columns = slice(number * rank, (number + 1) * rank)
            torch.mul(part @ up.to(flat.dtype), group.scale, out=upstream[:, width:][:, columns])
            of_ups.append((part.t() @ small[:, columns]).to(up.dtype).mul_(group.scale))
            at += group.widths[number]
        of_downs = (upstream[:, width:].t() @ flat).to(group.downs[0].dtype).split(rank)
        of_input = (upstream @ group.stacked).view(ctx.shape).to(ctx.input_dtype) if ctx.needs_input_grad[0] else None
        return of_input, None, *of_downs, *of_ups
