"""Rows of one forward pass behind one another instead of below one another, so that no padded token is computed.

In: rows of a causal language model. Out: a batch of one long row that says where its rows begin (`cu_seqlens`) and counts
positions anew in each (`position_ids`), and attention as products that computes only the blocks of rows, for processors; kernels
of accelerators are in `training.varlen`. Transformers builds a block-diagonal mask from such positions for any other attention
(`find_packed_sequence_indices`). Losses and gradients equal those of rows one by one, up to rounding.

Where the model's layers understand it (`fused.decoder.shares_up_to`), tokens that rows begin with alike stand in the batch once:
as a segment of their own, which the rows behind it continue (`ROW_OF_SEGMENT`).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Batch, Row
from sonmat.training.fused import attention
from sonmat.training.profile import DATA
from sonmat.training.shared_beginnings import IGNORED, Together, beginnings
from sonmat.training.varlen import NO_ROW, ROW_OF_SEGMENT, refuse_shared

NAME: Final = "sonmat_packed"


def pack(rows: Sequence[Row], share: int = 0) -> Batch:
    """One batch of shape (1, all tokens) with `cu_seqlens`, int32 of shape (segments + 1,): where they begin, and the end of the last.

    A segment is a row, or what rows begin with. Rows of equal length should stand side by side, as `batching.forward_passes` has them.

    Args:
        share: tokens that rows begin with alike stand there once, if no row is longer than this; `ROW_OF_SEGMENT` is then part of the
            batch.
    """
    with torch.profiler.record_function(DATA):
        groups = beginnings(rows) if max(row.length for row in rows) <= share else [Together(0, tuple(range(len(rows))))]
        return _packed(rows, groups)


def _packed(rows: Sequence[Row], groups: Sequence[Together]) -> Batch:
    ids: list[int] = []
    labels: list[int] = []
    places: list[int] = []
    begins, row_of_segment = [0], []

    def add(row: int, start: int, end: int, number: int) -> None:
        tokens = rows[row].arrays["input_ids"][start:end]
        ids.extend(tokens)
        # The last token of the segment before would be asked for the first one.
        labels.extend([IGNORED, *rows[row].arrays["labels"][start + 1 : end]] if number >= 0 else [IGNORED] * len(tokens))
        places.extend(range(start, end))
        begins.append(len(ids))
        row_of_segment.append(number)

    for group in groups:
        if group.length:
            add(group.rows[0], 0, group.length, NO_ROW)
        for row in group.rows:
            add(row, group.length, rows[row].length, row)
    batch = {
        "input_ids": torch.tensor(ids)[None],
        "labels": torch.tensor(labels)[None],
        "position_ids": torch.tensor(places)[None],
        "cu_seqlens": torch.tensor(begins, dtype=torch.int32),
    }
    return {**batch, ROW_OF_SEGMENT: torch.tensor(row_of_segment)} if NO_ROW in row_of_segment else batch


def row_of_tokens(batch: Batch) -> Tensor:
    """int64 of the shape of `input_ids`: which row each token belongs to; NO_ROW for tokens of several."""
    ids = batch["input_ids"]
    if "cu_seqlens" not in batch:
        return torch.arange(len(ids), device=ids.device)[:, None].expand_as(ids)
    lengths = batch["cu_seqlens"].diff()
    segments = batch.get(ROW_OF_SEGMENT)
    rows = torch.arange(len(lengths), device=ids.device) if segments is None else segments
    return torch.repeat_interleave(rows, lengths, output_size=ids.shape[1])[None]


def rows_in(batch: Batch) -> int:
    if ROW_OF_SEGMENT in batch:
        return int(batch[ROW_OF_SEGMENT].max()) + 1
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
    refuse_shared(more)
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
