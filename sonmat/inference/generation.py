"""Batched greedy generation for causal language models.

In: prompts as token ids. Out: the words of each answer, without the stop token. Prompts are padded on the left so that all
rows of a batch write their next token at the same position; positions and attention leave the padding out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonmat.inference.rendering import stop_token

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Generated:
    text: str
    tokens: int
    """Tokens written, the stop token included."""
    confidence: float
    """Geometric mean of the probabilities of the written tokens, 0 to 1."""


def generate(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    on_text: Callable[[str], None] | None = None,
) -> list[Generated]:
    """Greedy answers to `prompts`.

    Args:
        on_text: told each new piece of text as it is written; for a single prompt only.
    """
    import torch

    device = next(model.parameters()).device
    input_ids, mask = _left_padded(prompts, tokenizer.pad_token_id or 0, device)
    ends = {stop_token(tokenizer)} | ({tokenizer.eos_token_id} - {None})
    likelihoods: list[torch.Tensor] = []

    def note_likelihood(_: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        # Greedy decoding takes the largest logit; keeping all logits of a batch would take gigabytes.
        likelihoods.append(logits.max(dim=-1).values.float() - logits.float().logsumexp(dim=-1))
        return logits

    with torch.inference_mode(), _contiguous_output_layer(model):
        written = model.generate(  # type: ignore[operator]
            input_ids=input_ids,
            attention_mask=mask,
            max_new_tokens=max_new_tokens,
            do_sample=False,
            num_beams=1,
            eos_token_id=sorted(ends),
            pad_token_id=tokenizer.pad_token_id or 0,
            logits_processor=[note_likelihood],
            streamer=_listener(tokenizer, on_text) if on_text is not None else None,
            # The model's own sampling defaults must not leak into a greedy answer.
            temperature=None,
            top_p=None,
            top_k=None,
            repetition_penalty=None,
        )
    chosen = written[:, input_ids.shape[1] :].tolist()
    scores = torch.stack(likelihoods, dim=1).tolist()
    return [_answer(tokens, row, ends, tokenizer) for tokens, row in zip(chosen, scores, strict=True)]


@contextmanager
def _contiguous_output_layer(model: nn.Module) -> Iterator[None]:
    """Give the output layer a contiguous input.

    Transformers 5.23 hands it the last position as a slice, for which PyTorch 2.13 may copy the weights once a row of the
    batch: 10 GB for 32 rows of Gemma 3's vocabulary. Retest with later versions of both.
    """
    layer = model.get_output_embeddings()  # type: ignore[operator]
    hook = layer.register_forward_pre_hook(lambda _, inputs: (inputs[0].contiguous(), *inputs[1:]))
    try:
        yield
    finally:
        hook.remove()


def _answer(tokens: list[int], log_likelihoods: list[float], ends: set[int], tokenizer: Any) -> Generated:
    length = next((index + 1 for index, token in enumerate(tokens) if token in ends), len(tokens))
    kept = [token for token in tokens[:length] if token not in ends]
    text = tokenizer.decode(kept, skip_special_tokens=True).strip()
    mean = sum(log_likelihoods[:length]) / max(length, 1)
    return Generated(text=text, tokens=length, confidence=math.exp(mean))


def _left_padded(prompts: Sequence[Sequence[int]], pad: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    width = max(len(prompt) for prompt in prompts)
    ids = torch.full((len(prompts), width), pad, dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt, dtype=torch.long)
        mask[row, width - len(prompt) :] = 1
    return ids.to(device), mask.to(device)


def _listener(tokenizer: Any, on_text: Callable[[str], None]) -> Any:
    from transformers import TextStreamer

    class _Listener(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            on_text(text)

    return _Listener(tokenizer, skip_prompt=True, skip_special_tokens=True)
