"""Cross-entropy of a language model's output layer without ever holding all logits.

In: hidden states of the positions that predict a supervised token, the output layer's weight, the tokens. Out: one loss a token.
The gradient is worked out piece by piece together with the loss, while a piece's logits are at hand (the idea of Liger's fused
linear cross-entropy, Hsu et al. 2024, arXiv:2410.10989), so that nothing is computed twice. Exact: pieces change nothing.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from sonmat.training.fused.passes import cross_entropy

PIECE_BYTES = 32 << 20
"""Of logits held at once, in the type of the products. Smaller pieces read the whole weight too often (docs/log.md)."""


def token_losses(
    hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, softcap: float | None = None
) -> Tensor:
    """float32 nats of each target token, shape (tokens,).

    Args:
        hidden: shape (tokens, hidden size); products are computed in its type, or in autocast's.
        weight: shape (vocabulary, hidden size).
        targets: int64 of shape (tokens,).
        softcap: logits are squeezed to cap · tanh(logits / cap) first, as in Gemma 2.
    """
    kind = hidden.device.type
    if torch.is_autocast_enabled(kind):
        hidden = hidden.to(torch.get_autocast_dtype(kind))
    losses: Tensor = _OutputLoss.apply(hidden, weight, bias, targets, softcap)  # type: ignore[no-untyped-call]
    return losses


class _OutputLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, weight: Tensor, bias: Tensor | None, targets: Tensor, softcap: float | None
    ) -> Tensor:
        wants_hidden, wants_weight, wants_bias = ctx.needs_input_grad[:3]
        losses = torch.empty(len(targets), dtype=torch.float32, device=hidden.device)
        hidden_gradient = torch.empty_like(hidden) if wants_hidden else None
        weight_gradient = torch.zeros_like(weight, dtype=torch.float32) if wants_weight else None
        bias_gradient = torch.zeros_like(bias, dtype=torch.float32) if wants_bias and bias is not None else None
        computing = weight.to(hidden.dtype)
        most = max(1, PIECE_BYTES // (computing.element_size() * len(weight)))
        # Of equal size: a small rest would take as long as a whole piece.
        piece = math.ceil(len(targets) / max(1, math.ceil(len(targets) / most))) or 1
        with torch.autocast(hidden.device.type, enabled=False):
            for at in range(0, len(targets), piece):
                part = slice(at, at + piece)
                states, wanted = hidden[part], targets[part, None]
                products = states @ computing.t()
                if bias is None and softcap is None:
                    found = cross_entropy(products, targets[part], gradient=wants_hidden or wants_weight)
                    if found is not None:
                        losses[part] = found
                        if hidden_gradient is not None:
                            hidden_gradient[part] = products @ computing
                        if weight_gradient is not None:
                            weight_gradient += products.t() @ states
                        continue
                logits = products.float()
                if bias is not None:
                    logits += bias
                squeezed: Tensor | None = None
                if softcap is not None:
                    squeezed = torch.tanh(logits.div_(softcap))
                    logits = squeezed * softcap
                largest = logits.amax(dim=-1, keepdim=True)
                chosen = logits.gather(-1, wanted) - largest
                shares = logits.sub_(largest).exp_()
                total = shares.sum(dim=-1, keepdim=True)
                losses[part] = (total.log() - chosen).squeeze(-1)
                if not (wants_hidden or wants_weight or wants_bias):
                    continue
                gradient = shares.div_(total)
                gradient.scatter_add_(-1, wanted, torch.full_like(chosen, -1.0))
                if squeezed is not None:
                    gradient.mul_(1 - squeezed.square_())
                small = gradient.to(hidden.dtype)
                if hidden_gradient is not None:
                    hidden_gradient[part] = small @ computing
                if weight_gradient is not None:
                    weight_gradient += small.t() @ states
                if bias_gradient is not None:
                    bias_gradient += gradient.sum(dim=0)
        ctx.save_for_backward(hidden, weight, bias, targets)
        ctx.softcap, ctx.gradients = softcap, (hidden_gradient, weight_gradient, bias_gradient)
        return losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, bias, targets = ctx.saved_tensors
        of_hidden, of_weight, of_bias = ctx.gradients
        ctx.gradients = None
        if of_hidden is not None:
            of_hidden = of_hidden.mul_(upstream[:, None].to(of_hidden.dtype))
        if of_weight is None and of_bias is None:
            return of_hidden, None, None, None, None
        share = upstream[0] if len(upstream) else upstream.sum()
        if not bool((upstream == share).all()):
            of_weight, of_bias = _weighted(hidden, weight, bias, targets, ctx.softcap, upstream, ctx.needs_input_grad)
            share = torch.ones_like(share)
        return (
            of_hidden,
            (of_weight * share).to(weight.dtype) if of_weight is not None else None,
            (of_bias * share).to(bias.dtype) if of_bias is not None else None,
            None,
            None,
        )


def _weighted(
    hidden: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    targets: Tensor,
    softcap: float | None,
    upstream: Tensor,
    needed: tuple[bool, ...],
) -> tuple[Tensor | None, Tensor | None]:
    """Gradients of weight and bias where tokens count unequally: the plain way, because no objective here weighs them so."""
    with torch.enable_grad():
        trained = weight.detach().float().requires_grad_(needed[1])
        shifted = bias.detach().float().requires_grad_(needed[2]) if bias is not None else None
        logits = torch.nn.functional.linear(hidden.detach().float(), trained, shifted)
        if softcap is not None:
            logits = softcap * torch.tanh(logits / softcap)
        losses = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        wanted = [part for part, need in ((trained, needed[1]), (shifted, needed[2])) if need and part is not None]
        found = list(torch.autograd.grad(losses, wanted, upstream))
    return (found.pop(0) if needed[1] else None), (found.pop(0) if needed[2] and found else None)
