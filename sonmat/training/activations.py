"""What the backward pass needs of each block: kept, recomputed, or recomputed from inputs that wait in main memory.

In: a model's blocks and a way. Out: the same blocks, which from then on keep less while they train; outputs and gradients are the
same, to the last bit where the device computes the same twice. Recomputing costs a third more products (Chen et al. 2016,
arXiv:1604.06174); of a block only its input is kept then, and with "offload" that too leaves the accelerator until it is needed,
copied in the order of the accelerator's own work, so that nobody waits. When to do so is the plan's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from sonmat.training.settings import Activations

_CACHES = ("past_key_values", "layer_past")
"""Arguments that a block writes into: recomputing it would write twice."""


def keep_less(blocks: Sequence[nn.Module], activations: Activations) -> None:
    """Have `blocks` do as `activations` says whenever gradients are computed."""
    if activations == "keep":
        return
    for block in blocks:
        block.forward = partial(_saving, block.forward, activations == "offload")


def _saving(forward: Callable[..., Any], offload: bool, *given: Any, **named: Any) -> Any:
    if not torch.is_grad_enabled():
        return forward(*given, **named)
    named.update({name: None for name in _CACHES if name in named})
    elsewhere: AbstractContextManager[Any] = _in_main_memory() if offload else nullcontext()
    # Inside the checkpoint its own hooks hold; the outer ones see the inputs alone.
    with elsewhere:
        return checkpoint(partial(forward, **named), *given, use_reentrant=False)


def _in_main_memory() -> AbstractContextManager[Any]:
    """Tensors saved within lie in main memory, pinned where an accelerator can reach it without waiting."""
    return torch.autograd.graph.save_on_cpu(pin_memory=torch.cuda.is_available())
