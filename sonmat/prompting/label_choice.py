"""How likely each label is to be a model's whole answer to a prompt, many prompts at a time.

In: prompts as token ids, labels. Out: of every prompt the nats of each label: the log-likelihood of its tokens and of the token that
ends the turn, so that a label's length by itself is neither rewarded nor punished. What all prompts begin with is read once. All
labels of a prompt are read in the same pass as the prompt, side by side behind it: each token sees the prompt and its own label
(tree attention, Miao et al. 2024, "SpecInfer", section 4). Models whose attention cannot be told what to see are asked label by
label.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sonmat.inference.rendering import render_training

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

TOKENS_AT_ONCE = 2048
"""Padded tokens, labels included, that are read in one pass."""
LOGITS_AT_ONCE = 1 << 26
"""Numbers that the output layer gives in one pass: 256 MB in float32."""


@dataclass(frozen=True)
class LabelNats:
    index: int
    """Position of the prompt."""
    nats: list[float]
    """Log-likelihood of each label, 0 or less."""
    seconds: float


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
) -> Iterator[LabelNats]:
    """The nats of each label behind each prompt, longest prompts first, each group as soon as it is computed."""
    from sonmat.inference.slots import fits_slots

    if not prompts:
        return
    if fits_slots(model):
        yield from _side_by_side(model, prompts, labels, computing)
        return
    for index, prompt in enumerate(prompts):
        start = time.perf_counter()
        with computing():
            nats = _one_by_one(model, prompt, labels)
        yield LabelNats(index, nats, time.perf_counter() - start)


def _side_by_side(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    labels: Sequence[Sequence[int]],
    computing: Callable[[], AbstractContextManager[Any]],
) -> Iterator[LabelNats]:
    from sonmat.inference.writing import shared_tokens

    start = time.perf_counter()
    shared = shared_tokens(prompts)
    tree = _tree_of(labels)
    with computing():
        beginning = _read_beginning(model, prompts[0][:shared]) if shared else None
    before = (time.perf_counter() - start) / len(prompts)
    vocabulary = int(model.get_output_embeddings().weight.shape[0])  # type: ignore[operator]
    most = max(1, LOGITS_AT_ONCE // (vocabulary * (len(tree.tokens) + 1)))
    for group in _groups([len(prompt) - shared for prompt in prompts], len(tree.tokens), most):
        start = time.perf_counter()
        with computing():
            nats = _read_group(model, [prompts[index][shared:] for index in group], tree, beginning, shared)
        seconds = before + (time.perf_counter() - start) / len(group)
        for index, row in zip(group, nats, strict=True):
            yield LabelNats(index, row, seconds)


def _groups(lengths: Sequence[int], label_tokens: int, most: int) -> Iterator[list[int]]:
    """Positions of prompts of like length, longest first."""
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: -lengths[index]):
        if group and (len(group) >= most or (lengths[group[0]] + label_tokens) * (len(group) + 1) > TOKENS_AT_ONCE):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


@dataclass(frozen=True)
class _Tree:
    """The tokens of all labels but their last ones, one label behind the other."""

    tokens: list[int]
    label: list[int]
    """Which label each token belongs to."""
    depth: list[int]
    """Its place in its label, from 0."""
    wanted: list[tuple[int, int, int]]
    """Of every token of every label: the label, the column that predicts it (0 is the prompt's last), and the token."""
    labels: int


def _tree_of(labels: Sequence[Sequence[int]]) -> _Tree:
    tokens: list[int] = []
    label: list[int] = []
    depth: list[int] = []
    wanted: list[tuple[int, int, int]] = []
    for number, written in enumerate(labels):
        for place, token in enumerate(written):
            wanted.append((number, 0 if place == 0 else len(tokens), token))
            if place < len(written) - 1:
                tokens.append(token)
                label.append(number)
                depth.append(place)
    return _Tree(tokens, label, depth, wanted, len(labels))


def _read_beginning(model: nn.Module, ids: Sequence[int]) -> Any:
    import torch
    from transformers import DynamicCache

    cache = DynamicCache()
    given = torch.tensor([list(ids)], device=next(model.parameters()).device)
    with _last_columns(model, 1):
        model(input_ids=given, past_key_values=cache, use_cache=True)
    return cache


def _read_group(
    model: nn.Module, prompts: Sequence[Sequence[int]], tree: _Tree, beginning: Any, shared: int
) -> list[list[float]]:
    """Prompts are padded on the left, so that all of them end in one column and the labels begin in the next."""
    import torch

    from sonmat.inference.slots import masks_of

    device = next(model.parameters()).device
    width = max(len(prompt) for prompt in prompts)
    ids = torch.zeros((len(prompts), width + len(tree.tokens)), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) : width] = torch.tensor(list(prompt))
    ids[:, width:] = torch.tensor(tree.tokens, dtype=torch.long)
    seen, positions = _sight([len(prompt) for prompt in prompts], width, tree, shared)
    given: dict[str, Any] = {}
    if beginning is not None:
        given = {"past_key_values": _repeated(beginning, len(prompts)), "use_cache": True}
    with _last_columns(model, 1 + len(tree.tokens)):
        output = model(
            input_ids=ids.to(device),
            attention_mask=masks_of(model, seen.to(device), positions.to(device)),
            position_ids=positions[:, shared:].to(device),
            **(given or {"use_cache": False}),
        )
    return _nats(output.logits, tree)


def _sight(lengths: Sequence[int], width: int, tree: _Tree, shared: int) -> tuple[Tensor, Tensor]:
    """Which keys each new token may look at, bool (rows, new, keys), and the position of every key, (rows, keys)."""
    import torch

    rows = len(lengths)
    padding = torch.tensor([width - length for length in lengths])[:, None]
    columns = torch.arange(width)[None, :]
    ends = torch.tensor(lengths)[:, None] + shared
    prompt = (columns - padding + shared).clamp(min=0)
    labels = ends + torch.tensor(tree.depth, dtype=torch.long)[None, :]
    positions = torch.cat([torch.arange(shared)[None, :].expand(rows, -1), prompt, labels], dim=1)
    real = torch.cat(
        [
            torch.ones(rows, shared, dtype=torch.bool),
            columns >= padding,
            torch.ones(rows, len(tree.tokens), dtype=torch.bool),
        ],
        dim=1,
    )
    branch = torch.tensor([-1] * (shared + width) + tree.label)
    own = branch[shared:, None]
    on_the_way = (branch[None, :] == -1) | (branch[None, :] == own)
    order = torch.arange(shared + width + len(tree.tokens))
    earlier = order[None, :] <= order[shared:, None]
    seen = real[:, None, :] & (on_the_way & earlier)[None]
    # Padding looks at itself: attention to nothing would be no number.
    itself = order[None, :] == order[shared:, None]
    return seen | itself[None], positions


def _repeated(beginning: Any, rows: int) -> Any:
    from transformers import DynamicCache

    return DynamicCache(
        [(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1)) for layer in beginning.layers]
    )


def _nats(logits: Tensor, tree: _Tree) -> list[list[float]]:
    """From logits (rows, 1 + tokens of the tree, vocabulary)."""
    import torch

    label, column, token = (torch.tensor(each, device=logits.device) for each in zip(*tree.wanted, strict=True))
    scores = logits.float()
    nats = scores[:, column, token] - scores.logsumexp(dim=-1)[:, column]
    sums = torch.zeros((len(logits), tree.labels), device=logits.device).index_add(1, label, nats)
    return sums.tolist()


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
