"""Training an embedding matrix by those of its rows that the data use; what happens to the others is worked out in closed form.

A multilingual encoder's embeddings are four fifths of its weights, and a training set uses a hundredth of their rows. A row that never
gets a gradient has moments of 0, so that AdamW (Loshchilov and Hutter 2019, algorithm 2) does no more at step t than multiply it by
1 - rate(t) · decay. All such rows share one factor, which is a weight of its own here: begun at 1, always with a gradient of 0, the
optimiser itself makes it that product. Rows in use train as a matrix of their own. The result is AdamW's on the whole matrix, up
to rounding, at the memory and time of the rows in use; gradients' length, checkpoints and back-offs are as before.

In: a model that is about to train, and the rows it will see. Out: within the context its input embeddings train this way;
behind it the whole matrix has its trained values, and the model its old parameters. Evaluation sees trained values all along.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from sonmat.core.protocols import Batch

SMALLEST: Final = 1 << 20
"""Numbers of a matrix below which there is nothing to gain."""
LARGEST_SHARE: Final = 0.5
"""Of rows in use, above which the whole matrix trains."""


@contextmanager
def only_used_rows(model: nn.Module, batches: Iterator[Batch], padding: Sequence[int | None]) -> Iterator[bool]:
    """The input embeddings of `model` train by the rows that `batches` name; gives whether they do.

    Args:
        model: with the parameters chosen that train; on its device.
        batches: all training rows, as they will be given to the model.
        padding: ids that other batches of the same rows may hold besides.
    """
    embedding = _embedding(model)
    used = _used(batches, padding, embedding) if embedding is not None else None
    if embedding is None or used is None:
        yield False
        return
    rows = _UsedRows(embedding, used)
    try:
        yield True
    finally:
        rows.undo()


def _embedding(model: nn.Module) -> nn.Embedding | None:
    """The input embeddings, if they train, are large, and no other module (an output layer) has the same matrix."""
    base: Any = model
    try:
        found = base.get_input_embeddings() if hasattr(base, "get_input_embeddings") else None
    except NotImplementedError:
        # Models of pictures have none, and say so in this way.
        return None
    if type(found) is not nn.Embedding or not found.weight.requires_grad or found.weight.numel() < SMALLEST:
        return None
    holders = [module for module in model.modules() if any(each is found.weight for each in module._parameters.values())]
    plain = found.max_norm is None and not found.sparse and not found.scale_grad_by_freq
    return found if len(holders) == 1 and plain and "forward" not in vars(found) else None


def _used(batches: Iterator[Batch], padding: Sequence[int | None], embedding: nn.Embedding) -> Tensor | None:
    """Sorted ids in use; None if they are unknown or too many."""
    seen = torch.zeros(embedding.num_embeddings, dtype=torch.bool)
    for batch in batches:
        if "input_ids" not in batch:
            return None
        seen[batch["input_ids"].flatten().cpu()] = True
    for id in (*padding, embedding.padding_idx):
        if id is not None and 0 <= id < len(seen):
            seen[id] = True
    used = seen.nonzero().flatten()
    return used if 0 < len(used) <= LARGEST_SHARE * len(seen) else None


class _UsedRows:
    """Stands in for an embedding's forward pass until `undo`."""

    def __init__(self, embedding: nn.Embedding, used: Tensor) -> None:
        self.embedding: Any = embedding
        weight = embedding.weight
        self.used = used.to(weight.device)
        self.place = torch.full((len(weight),), -1, device=weight.device)
        self.place[self.used] = torch.arange(len(used), device=weight.device)
        padding = embedding.padding_idx
        self.padding = -1 if padding is None else int(self.place[padding])
        weight.requires_grad_(False)
        # Of two dimensions, because the optimiser's groups tell by them what decays.
        self.embedding.used_rows = nn.Parameter(weight.detach()[self.used])
        self.embedding.unused_factor = nn.Parameter(torch.ones(1, 1, dtype=weight.dtype, device=weight.device))
        self.embedding.forward = self.lookup  # type: ignore[method-assign]

    def lookup(self, input: Tensor) -> Tensor:
        """The module's own forward pass."""
        rows, factor = self.embedding.used_rows, self.embedding.unused_factor
        place = self.place[input]
        if torch.is_grad_enabled():
            found: Tensor = _Lookup.apply(rows, factor, place, self.padding)  # type: ignore[no-untyped-call]
            return found
        # An evaluation's rows may hold other ids.
        whole: Tensor = torch.nn.functional.embedding(input, self.embedding.weight) * factor
        here = place >= 0
        whole[here] = rows.detach()[place[here]]
        return whole

    def undo(self) -> None:
        """Write what was trained into the whole matrix, and leave the module as it was."""
        embedding = self.embedding
        with torch.no_grad():
            embedding.weight.mul_(embedding.unused_factor)
            embedding.weight[self.used] = embedding.used_rows
        del embedding.forward, embedding.used_rows, embedding.unused_factor
        embedding.weight.requires_grad_(True)


class _Lookup(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, factor: Tensor, place: Tensor, padding: int) -> Tensor:
        ctx.save_for_backward(place)
        ctx.count, ctx.padding, ctx.factor = len(rows), padding, (factor.dtype, factor.device)
        # An id that was not announced is at -1, which PyTorch refuses.
        return torch.nn.functional.embedding(place, rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (place,) = ctx.saved_tensors
        of_rows = torch.ops.aten.embedding_dense_backward(gradient, place, ctx.count, ctx.padding, False)
        dtype, device = ctx.factor
        return of_rows, torch.zeros(1, 1, dtype=dtype, device=device), None, None
