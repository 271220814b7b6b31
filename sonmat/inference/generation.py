"""Greedy generation for causal language models, many prompts at a time.

In: prompts as token ids. Out: the words of each answer, without the stop token, each as soon as it is written. How rows are
written side by side is in `writing`; this file knows of tokenizers and text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonmat.inference.rendering import stop_token

if TYPE_CHECKING:
    from torch import nn

    from sonmat.inference.writing import WrittenRow


@dataclass(frozen=True)
class Generated:
    text: str
    tokens: int
    """Tokens written, the stop token included."""
    confidence: float
    """Geometric mean of the probabilities of the written tokens, 0 to 1."""
    seconds: float = 0.0
    """Its share of the computing."""


def generate(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    on_text: Callable[[str], None] | None = None,
) -> list[Generated]:
    """Greedy answers to `prompts`, in their order.

    Args:
        on_text: told each new piece of text as it is written; for a single prompt only.
    """
    found = dict(generate_each(model, tokenizer, prompts, max_new_tokens, on_text=on_text))
    return [found[index] for index in range(len(prompts))]


def generate_each(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int | Sequence[int],
    *,
    computing: Callable[[], AbstractContextManager[Any]] | None = None,
    on_text: Callable[[str], None] | None = None,
) -> Iterator[tuple[int, Generated]]:
    """Greedy answers with the positions of their prompts, each as soon as it has ended.

    Args:
        max_new_tokens: of every answer, or of each in the order of the prompts.
        computing: opens the context to compute in, such as autocast. It is left whenever an answer is handed out, so that the
            caller's own work is not done in it.
        on_text: told each new piece of text as it is written; for a single prompt only.
    """
    ends = {stop_token(tokenizer)} | ({tokenizer.eos_token_id} - {None})
    listener = _listener(tokenizer, on_text) if on_text is not None else None

    def hear(_: int, token: int) -> None:
        if listener is not None and token not in ends:
            _tell(listener, token)

    for row in _written(model, prompts, ends, max_new_tokens, computing, hear):
        if listener is not None:
            listener.end()
        yield row.index, _answer(row, ends, tokenizer)


def _written(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    ends: set[int],
    max_new_tokens: int | Sequence[int],
    computing: Callable[[], AbstractContextManager[Any]] | None,
    on_token: Callable[[int, int], None],
) -> Iterator[WrittenRow]:
    import torch

    from sonmat.inference.slots import fits_slots
    from sonmat.inference.writing import Writer

    context = computing if computing is not None else torch.inference_mode
    if not fits_slots(model):
        from sonmat.inference.plain_generation import write_batches

        yield from write_batches(model, prompts, ends, max_new_tokens, context, on_token)
        return
    writer = Writer(model, prompts, ends, max_new_tokens, on_token=on_token)
    while not writer.done:
        with context():
            ended = writer.step()
        yield from ended


def _answer(row: WrittenRow, ends: set[int], tokenizer: Any) -> Generated:
    kept = [token for token in row.tokens if token not in ends]
    text = tokenizer.decode(kept, skip_special_tokens=True).strip()
    mean = sum(row.log_likelihoods) / len(row.tokens)
    return Generated(text=text, tokens=len(row.tokens), confidence=math.exp(mean), seconds=row.seconds)


def _listener(tokenizer: Any, on_text: Callable[[str], None]) -> Any:
    from transformers import TextStreamer

    class _Listener(TextStreamer):  # type: ignore[misc]
        def on_finalized_text(self, text: str, stream_end: bool = False) -> None:
            on_text(text)

    return _Listener(tokenizer, skip_special_tokens=True)


def _tell(listener: Any, token: int) -> None:
    import torch

    listener.put(torch.tensor([token]))
