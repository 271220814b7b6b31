"""Rows of one forward pass behind one another instead of below one another, so that no padded token is computed.

In: rows of a causal language model. Out: a batch of one long row that says where its rows begin (`cu_seqlens`) and counts
positions anew in each (`position_ids`), and attention as products that computes only the blocks of rows, for processors; kernels
of accelerators are in `training.varlen`. Transformers builds a block-diagonal mask from such positions for any other attention
(`find_packed_sequence_indices`). Losses and gradients equal those of rows one by one, up to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, groupby
from typing import Any, Final

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Batch, Row
from sonmat.training.fused import attention
from sonmat.training.profile import DATA

NAME: Final = "sonmat_packed"
IGNORED: Final = -100


def pack(rows: Sequence[Row]) -> Batch:
    """One batch of shape (1, all tokens) with `cu_seqlens`, int32 of shape (rows + 1,): where rows begin, and the end of the last.

    Rows of equal length should stand side by side, as `batching.forward_passes` puts them.
    """
    with torch.profiler.record_function(DATA):
        return _packed(rows)


def _packed(rows: Sequence[Row]) -> Batch:
    lengths = [row.length for row in rows]
    begins = list(accumulate(lengths, initial=0))
    labels = torch.tensor([label for row in rows for label in row.arrays["labels"]])
    # The last token of the row before would be asked for it.
    labels[begins[:-1]] = IGNORED
    return {
        "input_ids": torch.tensor([token for row in rows for token in row.arrays["input_ids"]])[None],
        "labels": labels[None],
        "position_ids": torch.cat([torch.arange(length) for length in lengths])[None],
        "cu_seqlens": torch.tensor(begins, dtype=torch.int32),
    }


def row_of_tokens(batch: Batch) -> Tensor:
    """int64 of the shape of `input_ids`: which row each token belongs to."""
    ids = batch["input_ids"]
    if "cu_seqlens" not in batch:
        return torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
    lengths = batch["cu_seqlens"].diff()
    return torch.repeat_interleave(torch.arange(len(lengths), device=ids.device), lengths, output_size=ids.shape[1])[None]


def rows_in(batch: Batch) -> int:
    return len(batch["cu_seqlens"]) - 1 if "cu_seqlens" in batch else len(batch["input_ids"])


def use_blocks(model: Any) -> None:
    """Let a model that computes attention as products compute only the blocks of packed batches; others stay as they are."""
    if model.config._attn_implementation != attention.NAME:
        return
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

    AttentionInterface.register(NAME, attend_blocks)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


def attend_blocks(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    cu_seq_lens_q: Tensor | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """`attention.attend`, for packed rows each row by itself and rows of equal length together.

    Args:
        query: shape (1, heads, all tokens, size of a head); key and value likewise.
        attention_mask: shape (1, 1, all tokens, all tokens); its blocks depend on positions alone, as all of Transformers' do.
    Returns:
        Shape (1, all tokens, heads, size of a head), and no weights.
    """
    if cu_seq_lens_q is None or len(cu_seq_lens_q) == 2:
        return attention.attend(module, query, key, value, attention_mask, **more)
    groups = [(length, len(list(same))) for length, same in groupby(cu_seq_lens_q.diff().tolist())]
    sizes = [length * count for length, count in groups]
    # Splitting is undone by one concatenation in the backward pass; slicing would fill a gradient of all tokens a block.
    parts = [each[0].transpose(0, 1).split(sizes) for each in (query, key, value)]
    mixed: list[Tensor] = []
    at = 0
    for (length, count), *blocks in zip(groups, *parts, strict=True):
        q, k, v = (block.unflatten(0, (count, length)).transpose(1, 2) for block in blocks)
        mask = None
        if attention_mask is not None:
            mask = attention_mask[:, :, at : at + length, at : at + length]
        mixed.append(attention.attend(module, q, k, v, mask, **more)[0].flatten(0, 1))
        at += length * count
    return torch.cat(mixed)[None], None
