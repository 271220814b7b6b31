"""Linear layers that train as a whole and share one input, computed together: y_i = x W_iᵀ + b_i.

In: layers with trained weights, float32 in memory. Out: what each would give in the compute type, and gradients in the weights' own
type. The weights are rounded side by side into one matrix before each forward pass, so that layers such as queries, keys and values
are one product. The seam is that of `lora.LoraGroup`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class TrainedGroup:
    """What `fused.decoder` asks of a group, for layers without adapters."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        found: list[Any] = list(layers)
        self.weights: list[Tensor] = [layer.weight for layer in found]
        self.biases: list[Tensor] = [layer.bias for layer in found if layer.bias is not None]
        self.widths = [len(weight) for weight in self.weights]
        self.width = sum(self.widths)
        self.stacked = torch.empty(0)

    @property
    def matrices(self) -> list[Tensor]:
        """What trains, in the order of `matrix_gradients`."""
        return [*self.weights, *self.biases]

    def computes_in(self, dtype: torch.dtype) -> bool:
        return len(self.biases) in (0, len(self.weights)) and all(each.requires_grad for each in self.matrices)

    def product(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """All layers' outputs side by side, (tokens, width), and nothing else to keep."""
        if self.stacked.dtype != x.dtype or len(self.stacked) != self.width:
            # A look at validation rows may come first; what it makes could not be written to in training.
            with torch.inference_mode(mode=False):
                self.stacked = torch.empty(self.width, x.shape[1], dtype=x.dtype, device=x.device)
        # Every time, because the optimiser may have moved them.
        torch.cat([weight.detach().to(x.dtype) for weight in self.weights], out=self.stacked)
        product = x @ self.stacked.t()
        if self.biases:
            product += torch.cat([bias.detach() for bias in self.biases]).to(x.dtype)
        return product, x.new_empty(0)

    def upstream(self, like: Tensor) -> Tensor:
        """An empty matrix for the gradients of the outputs."""
        return like.new_empty(len(like), self.width)

    def outputs_of(self, upstream: Tensor) -> Tensor:
        return upstream

    def input_gradient(self, upstream: Tensor) -> Tensor:
        return upstream @ self.stacked

    def matrix_gradients(self, upstream: Tensor, x: Tensor, small: Tensor) -> list[Tensor]:
        """Of all weights, then of all biases, in their own type."""
        found = list((upstream.t() @ x).to(self.weights[0].dtype).split(self.widths))
        if self.biases:
            found += upstream.sum(dim=0, dtype=self.biases[0].dtype).split(self.widths)
        return found
