"""Attention as matrix products, for rows short enough that all scores of a layer fit into memory.

On a processor PyTorch's own attention spends most of its time in the backward pass; two batched products and a softmax, kept
for the backward pass in 16 bits, are faster up to some hundreds of tokens (docs/performance.md). Keys and values that several
heads share are never repeated: the heads of a group become more queries. Exact, up to the rounding of the compute type.

In: queries, keys, values by head. Out: their mixed values. Beyond `LONGEST` tokens PyTorch's own is used, whose memory grows
with the length and not its square.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

NAME: Final = "sonmat_products"
LONGEST: Final = 768
"""Tokens of a row. Scores of longer ones leave the cache, and memory grows with their square."""


def register() -> str:
    """Make the attention known to Transformers under `NAME`; returns the name."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    return NAME


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """The signature of Transformers' attention functions.

    Args:
        query: shape (rows, heads, queries, size of a head); key and value likewise, with as many heads or a divisor of them.
        attention_mask: boolean, True where a key is looked at, or added to the scores; None for none but the causal one.
    Returns:
        Shape (rows, queries, heads, size of a head), and no weights.
    """
    causal = is_causal if is_causal is not None else bool(getattr(module, "is_causal", False))
    scale = scaling if scaling is not None else query.shape[-1] ** -0.5
    if key.shape[2] > LONGEST or query.shape[2] != key.shape[2] or (dropout and module.training) or more.get("softcap"):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        mixed, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **more
        )
        return mixed, None
    kind = query.device.type
    # Rotated in float32, queries and keys may be wider than values.
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype
    query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    hidden = _hidden(query.shape[2], query.device) if attention_mask is None and causal else None
    mixed = _Products.apply(query, key, value, scale, hidden, attention_mask)  # type: ignore[no-untyped-call]
    return mixed.transpose(1, 2).contiguous(), None


@lru_cache(maxsize=64)
def _hidden(length: int, device: torch.device) -> Tensor:
    """True where a query would look at a later token, shape (length, length)."""
    return torch.ones(length, length, dtype=torch.bool, device=device).triu_(1)


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float, hidden: Tensor | None, mask: Tensor | None
    ) -> Tensor:
        rows, heads, length, size = query.shape
        groups = heads // key.shape[1]
        with torch.autocast(query.device.type, enabled=False):
            queries = query.reshape(rows, key.shape[1], groups * length, size)
            keys, values = key.contiguous(), value.contiguous()
            scores = torch.matmul(queries, keys.transpose(2, 3)).mul_(scale)
            by_head = scores.view(rows, key.shape[1], groups, length, length)
            if hidden is not None:
                by_head.masked_fill_(hidden, -torch.inf)
            if mask is not None:
                wide = mask.view(rows, -1, 1, *mask.shape[-2:]) if mask.shape[1] == 1 else mask.view_as(by_head)
                if mask.dtype == torch.bool:
                    by_head.masked_fill_(~wide, torch.finfo(scores.dtype).min)
                else:
                    by_head.add_(wide)
            # PyTorch's softmax sums in float32 whatever the type of its input.
            shares = torch.softmax(scores, dim=-1)
            mixed = torch.matmul(shares, values)
        ctx.save_for_backward(queries, keys, values, shares)
        ctx.scale, ctx.shape = scale, query.shape
        return mixed.view(rows, heads, length, size)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        queries, keys, values, shares = ctx.saved_tensors
        upstream = gradient.reshape(queries.shape)
        of_values = torch.matmul(shares.transpose(2, 3), upstream)
        of_shares = torch.matmul(upstream, values.transpose(2, 3))
        of_scores = torch._softmax_backward_data(of_shares, shares, -1, shares.dtype).mul_(ctx.scale)
        of_queries = torch.matmul(of_scores, keys).view(ctx.shape)
        of_keys = torch.matmul(of_scores.transpose(2, 3), queries)
        return of_queries, of_keys, of_values, None, None, None
