"""How far two language models' next-token distributions lie apart on given texts, in nats per token.

In: rows of token ids with labels, as a task encodes them. Out: log-probabilities of every token of the vocabulary at each labelled
position, and KL(p‖q) = Σ p (log p − log q) from them (Kullback and Leibler 1951). The sum runs over the whole vocabulary: it is no
estimate. Text is given (teacher-forced), so it is the divergence in these contexts and not that of texts that a model writes itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from sonmat.core.protocols import Row

MOST_TOKENS = 128
"""Labelled tokens of a text that are looked at."""
_POSITIONS_AT_ONCE = 16
"""Positions whose differences over the vocabulary are in memory, in float64."""


def log_probabilities(model: nn.Module, row: Row) -> Tensor:
    """log p(token | what stands before) for the first labelled positions of `row`, float32 of shape (tokens, vocabulary)."""
    labels = torch.tensor(row.arrays["labels"])
    wanted = (labels[1:] >= 0).nonzero()[:, 0][:MOST_TOKENS]
    device = next(model.parameters()).device
    ids = torch.tensor(row.arrays["input_ids"])[: int(wanted[-1]) + 1]
    with _positions_only(model, wanted.to(device)):
        logits = model(input_ids=ids[None].to(device), use_cache=False).logits[0]
    return logits.float().log_softmax(dim=-1)  # type: ignore[no-any-return]


def divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p‖q) of each position in nats, float64 of shape (tokens,), from log-probabilities of shape (tokens, vocabulary)."""
    pieces = []
    for start in range(0, len(p), _POSITIONS_AT_ONCE):
        one, other = (each[start : start + _POSITIONS_AT_ONCE].double() for each in (p, q))
        pieces.append((one.exp() * (one - other)).sum(dim=-1).clamp(min=0))
    return torch.cat(pieces)


@dataclass(frozen=True)
class Likeliest:
    """The likeliest tokens at each position and how much is left for all others: what fits into memory of a whole distribution."""

    tokens: Tensor
    """int64 of shape (positions, kept)."""
    log_probabilities: Tensor
    """float64 of shape (positions, kept + 1); the last column is of all other tokens together."""


def likeliest(p: Tensor, kept: int = 64) -> Likeliest:
    """Of log-probabilities of shape (tokens, vocabulary) those of the `kept` likeliest tokens, and of the rest as one."""
    tokens = p.topk(min(kept, p.shape[1] - 1), dim=-1).indices
    return Likeliest(tokens, _parts(p, tokens))


def divergence_of_likeliest(p: Likeliest, q: Tensor) -> Tensor:
    """KL over the tokens that were kept and the rest as one, float64 of shape (tokens,).

    Never more than `divergence`, because joining outcomes cannot add information (Cover and Thomas 2006, section 2.8), and equal
    to it where p and q share out the rest alike.
    """
    other = _parts(q, p.tokens)
    return (p.log_probabilities.exp() * (p.log_probabilities - other)).sum(dim=-1).clamp(min=0)


def _parts(log_probabilities: Tensor, tokens: Tensor) -> Tensor:
    chosen = log_probabilities.gather(1, tokens).double()
    # Rounding may leave nothing or less for the rest.
    rest = (1 - chosen.exp().sum(dim=-1, keepdim=True)).clamp(min=1e-12).log()
    return torch.cat([chosen, rest], dim=-1)


@contextmanager
def _positions_only(model: nn.Module, positions: Tensor) -> Iterator[None]:
    """Show the output layer some positions only: all logits of a text would take hundreds of megabytes."""

    def pick(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][:, positions].contiguous(), *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(pick)  # type: ignore[operator]
    try:
        yield
    finally:
        hook.remove()
