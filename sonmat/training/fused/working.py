"""Copies of weights in the type that products run in, made once after every change instead of at every use.

Weights that train are float32, because an optimiser's small steps would be lost in bf16; products want bf16. Autocast casts every
weight in every forward pass, and frozen ones at every use. In: one weight, or several that are given the same input and lie one below
the other in the copy. Out: the copy. That a weight has changed is told by PyTorch's version counter, and by counting the steps
of all optimisers, whose fused kernels do not count versions (PyTorch 2.13; retest with later ones).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook


class Working:
    """The copy of one or several weights (or biases), whose first dimension is their outputs."""

    def __init__(self, weights: Sequence[nn.Parameter]) -> None:
        self.weights = tuple(weights)
        self.sizes = [len(weight) for weight in weights]
        self._copy: Tensor | None = None
        self._made_of: tuple[Any, ...] = ()

    def get(self, dtype: torch.dtype) -> Tensor:
        """The weights in `dtype`, one below the other; without gradient."""
        if len(self.weights) == 1 and self.weights[0].dtype == dtype:
            return self.weights[0].detach()
        now = (dtype, *state_of(self.weights))
        if self._copy is None or self._made_of != now:
            self._copy = self._made(dtype)
            self._made_of = now
        return self._copy

    def _made(self, dtype: torch.dtype) -> Tensor:
        first = self.weights[0]
        # A new tensor instead of the old one written over, which a graph that is still open may need.
        made = torch.empty(sum(self.sizes), *first.shape[1:], dtype=dtype, device=first.device)
        at = 0
        with torch.no_grad():
            for weight, size in zip(self.weights, self.sizes, strict=True):
                made[at : at + size].copy_(weight)
                at += size
        return made


def state_of(weights: Sequence[Tensor]) -> tuple[Any, ...]:
    """Equal to an earlier one as long as no weight has changed."""
    if any(weight.is_inference() for weight in weights):
        # Nobody counts their versions.
        return (object(),)
    return _steps.count, *((weight.data_ptr(), weight._version) for weight in weights)


class _Steps:
    """How many steps optimisers have taken in this process."""

    def __init__(self) -> None:
        self.count = 0
        register_optimizer_step_post_hook(self._note)

    def _note(self, *_: Any) -> None:
        self.count += 1


_steps = _Steps()
