"""How likely each label is to be a model's whole answer to a prompt, many prompts at a time.

In: prompts as token ids, labels. Out: of every prompt the nats of each label: the log-likelihood of its tokens and of the token that
ends the turn, so that a label's length by itself is neither rewarded nor punished. All labels of a prompt are read in one pass with it
(`inference.branches`). Models whose attention cannot be told what to see are asked label by label.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from sonmat.inference.rendering import render_training

if TYPE_CHECKING:
    import torch
    from torch import nn

    from sonmat.inference.branches import BranchNats


def label_tokens(labels: Sequence[str], tokenizer: Any) -> list[list[int]]:
    """What the assistant would write for each label, the token that ends its turn included.

    Raises:
        ModelError, DataError: the template cannot be trained on, see `inference.rendering`.
    """
    found = []
    for label in labels:
        talk = [{"role": "user", "content": "a"}, {"role": "assistant", "content": label}]
        chat = render_training(talk, tokenizer, "last")
        found.append([token for token, learnt in zip(chat.ids, chat.supervised, strict=True) if learnt])
    return found


def label_nats(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    labels: Sequence[Sequence[int]],
    computing: Callable[[], AbstractContextManager[Any]],
) -> Iterator[BranchNats]:
    """The nats of each label behind each prompt, longest prompts first, each group as soon as it is computed."""
    from sonmat.inference.branches import BranchNats, branch_nats
    from sonmat.inference.slots import fits_slots

    if not prompts:
        return
    if fits_slots(model):
        yield from branch_nats(model, prompts, [labels] * len(prompts), computing)
        return
    for index, prompt in enumerate(prompts):
        start = time.perf_counter()
        with computing():
            nats = _one_by_one(model, prompt, labels)
        yield BranchNats(index, nats, time.perf_counter() - start)


def _one_by_one(model: nn.Module, prompt: Sequence[int], labels: Sequence[Sequence[int]]) -> list[float]:
    """Labels of one length together: nothing is padded, so that any causal model gives the plain likelihood."""
    import torch

    device = next(model.parameters()).device
    found = [0.0] * len(labels)
    for length in sorted({len(label) for label in labels}):
        places = [place for place, label in enumerate(labels) if len(label) == length]
        written = torch.tensor([list(labels[place]) for place in places], device=device)
        given = torch.tensor([list(prompt)], device=device).expand(len(places), -1)
        with _last_columns(model, length):
            logits = model(input_ids=torch.cat([given, written[:, :-1]], dim=1)).logits.float()
        nats = logits.gather(2, written[:, :, None])[:, :, 0] - logits.logsumexp(dim=-1)
        for place, total in zip(places, nats.sum(dim=1).tolist(), strict=True):
            found[place] = total
    return found


@contextmanager
def _last_columns(model: nn.Module, count: int) -> Iterator[None]:
    """Show the output layer the last `count` positions alone, in memory of their own, for the reasons that `writing` has."""

    def pick(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (inputs[0][:, -count:].contiguous(), *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(pick)  # type: ignore[operator]
    try:
        yield
    finally:
        hook.remove()
