"""The greedy decoding loop: rows are written side by side, and a row that has ended makes room for the next prompt at once.

In: prompts as token ids. Out: written rows, in the order in which they end. What all prompts begin with (a system message,
instructions, shots) is read once; the rest longest first in batches padded on the right, which a causal model never sees. Then
every step gives each live row one more token. Token for token the answers of one-by-one greedy decoding, up to the rounding of
matrix products of another shape.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from sonmat.inference.device import available_memory
from sonmat.inference.slots import Slots, bytes_of_slot

SLOTS: Final = 64
"""Rows written at the same time, where memory allows it."""
PREFILL_TOKENS: Final = 1024
"""Padded tokens of prompts that are read in one pass."""
REFILL_SHARE: Final = 8
"""A part of this many of all slots must be free before prompts are read: a pass costs as much as a step, however short."""
BEGINNING_BYTES_AT_ONCE: Final = 1 << 30
"""Of keys and values of a common beginning in one pass: every layer lays them out anew for every row."""
SHORTEST_SHARED: Final = 8
"""A shorter common beginning is read with every prompt: a pass of its own would cost more."""
MEMORY_SHARE: Final = 2
"""The slots take at most one part of this many of the free memory."""


@dataclass
class WrittenRow:
    index: int
    """Position of its prompt."""
    prompt_tokens: int
    tokens: list[int] = field(default_factory=list)
    log_likelihoods: list[float] = field(default_factory=list)
    """Nats of each token, 0 or less."""
    seconds: float = 0.0
    """Its share of the computing so far."""

    @property
    def cached(self) -> int:
        """Tokens whose keys and values are known: all but the one written last."""
        return self.prompt_tokens + len(self.tokens) - 1


class Writer:
    """Writes the answers to `prompts`. Call `step` until `done`.

    Args:
        ends: tokens that end an answer.
        max_new_tokens: of every answer, or of each in the order of the prompts.
        slots: the most rows to write at the same time.
        on_token: told the position of a prompt and each token that is written for it, ends included.
    """

    def __init__(
        self,
        model: nn.Module,
        prompts: Sequence[Sequence[int]],
        ends: set[int],
        max_new_tokens: int | Sequence[int],
        slots: int = SLOTS,
        on_token: Callable[[int, int], None] = lambda index, token: None,
    ) -> None:
        self.model, self.prompts, self.ends = model, prompts, ends
        self.most, self.on_token = slots, on_token
        self.limits = longest_answers(max_new_tokens, len(prompts))
        self.device = next(model.parameters()).device
        # From the back: the longest prompt is read first.
        self.waiting = sorted(range(len(prompts)), key=lambda index: (len(prompts[index]), -index))
        self.capacity = max(
            (len(prompt) + limit - 1 for prompt, limit in zip(prompts, self.limits, strict=True)), default=0
        )
        self.rows: list[WrittenRow] = []
        """Live rows; the one in slot i is the i-th."""
        self.shared_tokens = shared_tokens(prompts)
        self.shared: DynamicCache | None = None
        """Keys and values of what all prompts begin with, one row."""
        self.slots: Slots | None = None
        self.count = 1
        """Slots that there are; before anything is read nobody knows what one costs."""

    @property
    def done(self) -> bool:
        return not self.waiting and not self.rows

    def step(self) -> list[WrittenRow]:
        """Read some prompts or write a token a row; the rows that ended with it, which may be none."""
        start = time.perf_counter()
        if self.slots is None and self.shared_tokens:
            self._read_shared()
        free = self.count - len(self.rows)
        read = bool(self.waiting) and (not self.rows or free >= max(1, self.count // REFILL_SHARE))
        computed = self._read_prompts(free) if read else self._write_tokens()
        share = (time.perf_counter() - start) / len(computed)
        for row in computed:
            row.seconds += share
        return self._take_ended()

    def _read_shared(self) -> None:
        ids = torch.tensor([self.prompts[0][: self.shared_tokens]], device=self.device)
        self.shared = DynamicCache()
        self._read(ids, [self.shared_tokens], self.shared)
        self.slots = self._make_slots(self.shared)

    def _read_prompts(self, free: int) -> list[WrittenRow]:
        rows = [WrittenRow(index, len(self.prompts[index])) for index in self._next_group(free)]
        lengths = [row.prompt_tokens - self.shared_tokens for row in rows]
        ids = torch.zeros((len(rows), lengths[0]), dtype=torch.long)
        for at, row in enumerate(rows):
            ids[at, : lengths[at]] = torch.tensor(self.prompts[row.index][self.shared_tokens :])
        prefilled = self._begun(len(rows))
        logits = self._read(ids.to(self.device), lengths, prefilled)
        if self.slots is None:
            self.slots = self._make_slots(prefilled)
        self.slots.fill(len(self.rows), prefilled, [row.prompt_tokens for row in rows])
        self.rows += rows
        self._note(rows, logits)
        return rows

    def _begun(self, rows: int) -> DynamicCache:
        """A cache of `rows` rows that holds what all prompts begin with.

        Without a configuration it keeps whole rows, also of sliding layers, of which a padded row needs other columns.
        """
        if self.shared is None:
            return DynamicCache()
        return DynamicCache(
            [(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1)) for layer in self.shared.layers]
        )

    def _read(self, ids: Tensor, lengths: Sequence[int], cache: DynamicCache) -> Tensor:
        """Logits of the last token of each row, shape (rows, vocabulary); `cache` goes on by the width of `ids`."""
        with _last_positions_only(self.model, torch.tensor(lengths, device=self.device) - 1):
            output = self.model(input_ids=ids, past_key_values=cache, use_cache=True)
        return output.logits[:, -1]  # type: ignore[no-any-return]

    def _next_group(self, free: int) -> list[int]:
        """The longest waiting prompts, as many as are free slots and as fit into one pass; at least one."""
        if self.shared is not None:
            free = min(free, most_rows_behind(self.shared))
        group = [self.waiting.pop()]
        width = len(self.prompts[group[0]]) - self.shared_tokens
        while self.waiting and len(group) < free and width * (len(group) + 1) <= PREFILL_TOKENS:
            group.append(self.waiting.pop())
        return group

    def _make_slots(self, prefilled: DynamicCache) -> Slots:
        room = _free_bytes(self.device) // MEMORY_SHARE
        affordable = room // max(1, bytes_of_slot(self.model, prefilled, self.capacity))
        self.count = max(1, min(self.most, len(self.prompts), affordable))
        return Slots(self.model, prefilled, self.count, self.capacity)

    def _write_tokens(self) -> list[WrittenRow]:
        assert self.slots is not None, "live rows are in slots"
        last = torch.tensor([[row.tokens[-1]] for row in self.rows], device=self.device)
        positions = torch.tensor([row.cached for row in self.rows], device=self.device)
        output = self.model(
            input_ids=last,
            attention_mask=self.slots.prepare(positions),
            position_ids=positions[:, None],
            past_key_values=self.slots.cache,
            use_cache=True,
        )
        self._note(self.rows, output.logits[:, -1])
        return list(self.rows)

    def _note(self, rows: Sequence[WrittenRow], logits: Tensor) -> None:
        """Give each row its likeliest next token; `logits` has shape (rows, vocabulary)."""
        scores = logits.float()
        chosen = scores.argmax(dim=-1)
        nats = scores.gather(1, chosen[:, None])[:, 0] - scores.logsumexp(dim=-1)
        for row, token, log_likelihood in zip(rows, chosen.tolist(), nats.tolist(), strict=True):
            row.tokens.append(token)
            row.log_likelihoods.append(log_likelihood)
            self.on_token(row.index, token)

    def _take_ended(self) -> list[WrittenRow]:
        """Remove the rows that have ended; the last live row moves into each gap, so that live rows stay together."""
        assert self.slots is not None, "live rows are in slots"
        ended = []
        for slot in reversed(range(len(self.rows))):
            row = self.rows[slot]
            if row.tokens[-1] not in self.ends and len(row.tokens) < self.limits[row.index]:
                continue
            ended.append(row)
            last = self.rows.pop()
            if last is not row:
                self.slots.move(len(self.rows), slot, last.cached)
                self.rows[slot] = last
        return ended[::-1]


def longest_answers(max_new_tokens: int | Sequence[int], prompts: int) -> list[int]:
    """The most tokens of the answer to each prompt."""
    return [max_new_tokens] * prompts if isinstance(max_new_tokens, int) else list(max_new_tokens)


def shared_tokens(prompts: Sequence[Sequence[int]]) -> int:
    """How many tokens all prompts begin with, so that at least one of each is left; 0 if too few to be worth a pass."""
    if len(prompts) < 2:
        return 0
    # Whatever lies between the first and the last in order begins with what those two begin with.
    first, last = min(prompts, key=list), max(prompts, key=list)
    same = next((at for at, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    shared = min(same, min(len(prompt) for prompt in prompts) - 1)
    return shared if shared >= SHORTEST_SHARED else 0


def most_rows_behind(beginning: DynamicCache) -> int:
    """Rows that may continue `beginning` in one pass."""
    tensors: list[Tensor] = [tensor for layer in beginning.layers for tensor in (layer.keys, layer.values)]
    return max(1, BEGINNING_BYTES_AT_ONCE // sum(tensor.numel() * tensor.element_size() for tensor in tensors))


@contextmanager
def _last_positions_only(model: nn.Module, positions: Tensor) -> Iterator[None]:
    """Show the output layer one position of each row, in memory of its own.

    All logits of a batch would take gigabytes. And for a slice PyTorch 2.13 may copy the weights once a row of the batch: 10 GB
    for 32 rows of Gemma 3's vocabulary. Retest with later versions.
    """
    rows = torch.arange(len(positions), device=positions.device)

    def pick(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][rows, positions][:, None].contiguous(), *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(pick)  # type: ignore[operator]
    try:
        yield
    finally:
        hook.remove()


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory()
