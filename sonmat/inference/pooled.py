"""Sentences as vectors of a model's body: the mean of its last hidden states over the real tokens.

In: a body, its tokenizer, sentences. Out: one vector a sentence, as long as it comes. Nothing is kept and nothing scaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sonmat.core.values import Device
from sonmat.inference.predictor import batches_by_length, computing

if TYPE_CHECKING:
    from torch import nn


def pooled(
    body: nn.Module, tokenizer: Any, sentences: Sequence[str], most_tokens: int, device: Device
) -> NDArray[np.float32]:
    """float32 of shape (sentences, hidden size); a longer sentence is cut."""
    import torch

    rows = tokenizer(list(sentences), truncation=True, max_length=most_tokens)["input_ids"]
    where = next(body.parameters()).device
    vectors: dict[int, NDArray[np.float32]] = {}
    for group in batches_by_length([len(row) for row in rows]):
        width = len(rows[group[0]])
        ids = torch.full((len(group), width), tokenizer.pad_token_id or 0)
        mask = torch.zeros((len(group), width), dtype=torch.long)
        for at, index in enumerate(group):
            ids[at, : len(rows[index])] = torch.tensor(rows[index])
            mask[at, : len(rows[index])] = 1
        ids, mask = ids.to(where), mask.to(where)
        with computing(device):
            states = body(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[..., None].float()
        means = (states * weights).sum(dim=1) / weights.sum(dim=1)
        vectors |= dict(zip(group, means.cpu().numpy(), strict=True))
    return np.stack([vectors[index] for index in range(len(rows))])
