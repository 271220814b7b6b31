"""Greedy generation through Transformers, a batch at a time: for models whose state is not keys and values by position.

In: prompts as token ids. Out: written rows, a batch as soon as its longest row has ended. Prompts are padded on the left so
that all rows of a batch write their next token at the same position; positions and attention leave the padding out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from sonmat.inference.predictor import batches_by_length
from sonmat.inference.writing import WrittenRow, longest_answers


def write_batches(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    ends: set[int],
    max_new_tokens: int | Sequence[int],
    computing: Callable[[], AbstractContextManager[Any]],
    on_token: Callable[[int, int], None],
) -> Iterator[WrittenRow]:
    """The same rows as `writing.Writer` gives, for any model that Transformers generates with."""
    limits = longest_answers(max_new_tokens, len(prompts))
    for group in batches_by_length([len(prompt) for prompt in prompts]):
        start = time.perf_counter()
        with computing():
            rows = _write(model, [prompts[index] for index in group], ends, [limits[index] for index in group])
        seconds = (time.perf_counter() - start) / len(group)
        for index, row in zip(group, rows, strict=True):
            row.index, row.seconds = index, seconds
            for token in row.tokens:
                on_token(index, token)
            yield row


def _write(model: nn.Module, prompts: Sequence[Sequence[int]], ends: set[int], limits: Sequence[int]) -> list[WrittenRow]:
    input_ids, mask = _left_padded(prompts, next(model.parameters()).device)
    likelihoods: list[Tensor] = []

    def note_likelihood(_: Tensor, logits: Tensor) -> Tensor:
        # Greedy decoding takes the largest logit; keeping all logits of a batch would take gigabytes.
        likelihoods.append(logits.max(dim=-1).values.float() - logits.float().logsumexp(dim=-1))
        return logits

    with _contiguous_output_layer(model):
        written = model.generate(  # type: ignore[operator]
            input_ids=input_ids,
            attention_mask=mask,
            max_new_tokens=max(limits),
            do_sample=False,
            num_beams=1,
            eos_token_id=sorted(ends),
            pad_token_id=0,
            logits_processor=[note_likelihood],
            # The model's own sampling defaults must not leak into a greedy answer.
            temperature=None,
            top_p=None,
            top_k=None,
            repetition_penalty=None,
        )
    chosen = written[:, input_ids.shape[1] :].tolist()
    nats = torch.stack(likelihoods, dim=1).tolist()
    rows = []
    for prompt, limit, tokens, scores in zip(prompts, limits, chosen, nats, strict=True):
        length = next((at + 1 for at, token in enumerate(tokens[:limit]) if token in ends), min(limit, len(tokens)))
        rows.append(WrittenRow(-1, len(prompt), tokens[:length], scores[:length]))
    return rows


@contextmanager
def _contiguous_output_layer(model: nn.Module) -> Iterator[None]:
    """Give the output layer an input in memory of its own, for the reason that `writing` has too."""
    layer = model.get_output_embeddings()  # type: ignore[operator]
    hook = layer.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(), *inputs[1:]))
    try:
        yield
    finally:
        hook.remove()


def _left_padded(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)
