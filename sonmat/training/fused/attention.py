"""Attention as matrix products, for rows short enough that all scores of a layer fit into memory.

On a processor PyTorch's own attention spends most of its time in the backward pass; two batched products and a softmax, kept
for the backward pass in 16 bits, are faster up to some hundreds of tokens (docs/performance.md). Keys and values that several
heads share are never repeated: the heads of a group become more queries. Exact, up to the rounding of the compute type.

In: queries, keys, values by head. Out: their mixed values. Beyond the limit in use (`LONGEST` tokens, or what `attention_choice` has
measured) PyTorch's own is used, whose memory grows with the length and not its square; with dropout it has none that is faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sonmat.training.fused import encoder_passes
from sonmat.training.fused.dropout import kept
from sonmat.training.fused.last import Last

NAME: Final = "sonmat_products"
LONGEST: Final = 768
"""Tokens of a row. Scores of longer ones leave the cache, and memory grows with their square."""


@dataclass(frozen=True)
class Limits:
    """Most tokens of a row whose attention is computed as products."""

    plain: int = LONGEST
    masked: int = LONGEST
    """Where a mask says which keys are looked at."""
    tiles: bool = True
    """Whether encoders' kernels are used where there are some, whatever the length."""


class _InUse:
    """The limits of this process: all layers of a machine are alike."""

    limits = Limits()


def use(limits: Limits) -> None:
    """Compute by `limits` from now on."""
    _InUse.limits = limits


def in_tiles() -> bool:
    """Whether kernels that compute an encoder's attention in tiles are to be used."""
    return _InUse.limits.tiles


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
    share = dropout if module.training else 0.0
    limits = _InUse.limits
    too_long = key.shape[2] > (limits.plain if attention_mask is None else limits.masked) and share == 0
    if too_long or query.shape[2] != key.shape[2] or more.get("softcap"):
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        mixed, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal, **more
        )
        return mixed, None
    kind = query.device.type
    # Rotated in float32, queries and keys may be wider than values.
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else value.dtype
    query, key, value = query.to(dtype), key.to(dtype), value.to(dtype)
    added: Tensor | None = None
    if attention_mask is not None:
        added = _added(attention_mask, dtype)
    elif causal:
        added = _causal(query.shape[2], dtype, query.device)
    mixed = _Products.apply(query, key, value, scale, added, share)  # type: ignore[no-untyped-call]
    return mixed.transpose(1, 2).contiguous(), None


def attend_within(limit: int, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention without causal order under another limit than the one in use, for measuring."""
    before = _InUse.limits
    module = nn.Identity()
    # Transformers asks the module how many queries share a key.
    module.num_key_value_groups = query.shape[1] // key.shape[1]  # type: ignore[assignment]
    use(Limits(limit, limit))
    try:
        return attend(module, query, key, value, mask, is_causal=False)[0]
    finally:
        use(before)


@lru_cache(maxsize=64)
def _causal(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Minus infinity where a query would look at a later token, shape (1, 1, length, length)."""
    return torch.full((1, 1, length, length), -torch.inf, dtype=dtype, device=device).triu_(1)


_masks: Last[Tensor] = Last()
"""Boolean masks in the form in which they are added to scores."""


def _added(mask: Tensor, dtype: torch.dtype) -> Tensor:
    """`mask` as numbers to add; where it is boolean, the least number there is where it is False."""
    if mask.dtype != torch.bool:
        return mask.to(dtype)
    least = torch.finfo(dtype).min
    return _masks.of(
        mask, dtype, lambda: torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(~mask, least)
    )


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float, added: Tensor | None, dropout: float
    ) -> Tensor:
        rows, heads, length, size = query.shape
        key_heads = key.shape[1]
        groups = heads // key_heads
        with torch.autocast(query.device.type, enabled=False):
            queries = query.reshape(rows * key_heads, groups * length, size)
            keys, values = (each.reshape(rows * key_heads, -1, each.shape[-1]) for each in (key, value))
            scores = torch.empty(len(queries), groups * length, keys.shape[1], dtype=query.dtype, device=query.device)
            ctx.scale, ctx.kept_share, ctx.shapes = scale, 1 - dropout, (query.shape, key.shape, value.shape)
            ctx.dropping = (
                encoder_passes.Dropping.of(dropout) if encoder_passes.fits_softmax(scores, added, dropout) else None
            )
            if ctx.dropping is not None:
                torch.bmm(queries, keys.transpose(1, 2), out=scores)
                shares, used = encoder_passes.softmax(scores, added, (rows, heads, length), scale, ctx.dropping)
                ctx.save_for_backward(queries, keys, values, shares, used)
                return torch.bmm(used, values).view(*query.shape[:3], -1)
            if added is not None:
                by_head = scores.view(rows, key_heads, groups, length, -1)
                # The mask goes in first: the product adds to what is there in the same pass.
                by_head.copy_(added[:, :, None] if added.shape[1] == 1 else added.view(rows, key_heads, groups, length, -1))
            scores.baddbmm_(queries, keys.transpose(1, 2), beta=0 if added is None else 1, alpha=scale)
            # PyTorch's softmax sums in float32 whatever the type of its input.
            shares = torch.softmax(scores, dim=-1)
            stays = kept(shares, dropout) if dropout else None
            used = shares if stays is None else torch.mul(shares, stays, out=scores)
            mixed = torch.bmm(used, values)
            if stays is not None:
                mixed.mul_(1 / (1 - dropout))
        ctx.save_for_backward(queries, keys, values, shares, stays)
        return mixed.view(*query.shape[:3], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        # With kernels the last is what dropout has left of the shares, without them what it keeps.
        queries, keys, values, shares, stays = ctx.saved_tensors
        upstream = gradient.reshape(*queries.shape[:2], -1)
        of_shares: Tensor
        if ctx.dropping is not None:
            of_values = torch.bmm(stays.transpose(1, 2), upstream)
            of_used = torch.bmm(upstream, values.transpose(1, 2))
            of_scores = encoder_passes.softmax_backward(shares, of_used, ctx.scale, ctx.dropping)
            found = torch.bmm(of_scores, keys), torch.bmm(of_scores.transpose(1, 2), queries), of_values
            return *(each.view(shape) for each, shape in zip(found, ctx.shapes, strict=True)), None, None, None
        if stays is None:
            of_values = torch.bmm(shares.transpose(1, 2), upstream)
            of_shares = torch.bmm(upstream, values.transpose(1, 2))
        else:
            upstream = upstream / ctx.kept_share
            of_values = torch.bmm((shares * stays).transpose(1, 2), upstream)
            of_shares = torch.bmm(upstream, values.transpose(1, 2)).mul_(stays)
        of_scores = torch._softmax_backward_data(of_shares, shares, -1, shares.dtype)
        of_queries = _scaled_product(of_scores, keys, ctx.scale)
        of_keys = _scaled_product(of_scores.transpose(1, 2), queries, ctx.scale)
        of_query, of_key, of_value = (
            each.view(shape) for each, shape in zip((of_queries, of_keys, of_values), ctx.shapes, strict=True)
        )
        return of_query, of_key, of_value, None, None, None


def _scaled_product(left: Tensor, right: Tensor, scale: float) -> Tensor:
    into = torch.empty(len(left), left.shape[1], right.shape[2], dtype=left.dtype, device=left.device)
    return into.baddbmm_(left, right, beta=0, alpha=scale)
