"""How likely several continuations of a prompt are, many prompts at a time: each prompt is read once, whatever follows it.

In: prompts and continuations as token ids. Out: the nats of every continuation. What all prompts begin with is read once. Behind a
prompt its continuations stand as a tree, in which a beginning that several have stands once: each token sees the prompt and what
stands before it on its own branch (tree attention, Miao et al. 2024, "SpecInfer", section 4). It takes models whose attention can
be told what to see (`slots.fits_slots`), and gives what reading every continuation by itself gives, up to the rounding of matrix
products of another shape.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import DynamicCache

from sonmat.inference.slots import masks_of
from sonmat.inference.writing import most_rows_behind, shared_tokens

TOKENS_AT_ONCE: Final = 2048
"""Padded tokens, continuations included, that are read in one pass."""
LOGITS_AT_ONCE: Final = 1 << 26
"""Numbers that the output layer gives in one pass (128 MB in bfloat16), or what one prompt's continuations need."""
WIDENED_AT_ONCE: Final = 1 << 23
"""Of these in float32 at a time."""


@dataclass(frozen=True)
class BranchNats:
    index: int
    """Position of the prompt."""
    nats: list[float]
    """Log-likelihood of each continuation, 0 or less."""
    seconds: float


def branch_nats(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    branches: Sequence[Sequence[Sequence[int]]],
    computing: Callable[[], AbstractContextManager[Any]],
) -> Iterator[BranchNats]:
    """The nats of each continuation behind each prompt, the longest first, each group as soon as it is computed.

    Args:
        prompts: with a token or more each.
        branches: of every prompt its continuations, with a token or more each.
    """
    if not prompts:
        return
    start = time.perf_counter()
    shared = shared_tokens(prompts)
    trees = _trees_of(branches)
    with computing():
        beginning = _read_beginning(model, prompts[0][:shared]) if shared else None
    before = (time.perf_counter() - start) / len(prompts)
    vocabulary = int(model.get_output_embeddings().weight.shape[0])  # type: ignore[operator]
    most_rows = len(prompts) if beginning is None else most_rows_behind(beginning)
    most_columns = max(1, LOGITS_AT_ONCE // vocabulary)
    for group in _groups([len(prompt) - shared for prompt in prompts], trees, most_columns, most_rows):
        start = time.perf_counter()
        with computing():
            nats = _read_group(
                model, [prompts[index][shared:] for index in group], [trees[index] for index in group], beginning, shared
            )
        seconds = before + (time.perf_counter() - start) / len(group)
        for index, row in zip(group, nats, strict=True):
            yield BranchNats(index, row, seconds)


def tokens_read(prompts: Sequence[Sequence[int]], branches: Sequence[Sequence[Sequence[int]]]) -> int:
    """How many tokens `branch_nats` reads, without padding."""
    shared = shared_tokens(prompts)
    return shared + sum(
        len(prompt) - shared + len(_tree_of(each).tokens) for prompt, each in zip(prompts, branches, strict=True)
    )


@dataclass(frozen=True)
class _Tree:
    """The tokens of all continuations but their last ones; what several begin with stands once."""

    tokens: list[int]
    parent: list[int]
    """Place of the token before, -1 behind the prompt."""
    depth: list[int]
    wanted: list[tuple[int, int, int]]
    """Of every token of every continuation: the continuation, the column that predicts it (0 is the prompt's last), and the token."""
    branches: int

    @property
    def columns(self) -> int:
        """Columns that predict something."""
        return 1 + len(self.tokens)


def _trees_of(branches: Sequence[Sequence[Sequence[int]]]) -> list[_Tree]:
    """The tree behind each prompt. Classes are one and the same object behind every prompt: their tree is made once."""
    made: dict[int, _Tree] = {}
    for each in branches:
        if id(each) not in made:
            made[id(each)] = _tree_of(each)
    return [made[id(each)] for each in branches]


def _tree_of(branches: Sequence[Sequence[int]]) -> _Tree:
    places: dict[tuple[int, int], int] = {}
    tree = _Tree([], [], [], [], len(branches))
    for number, written in enumerate(branches):
        before = -1
        for depth, token in enumerate(written):
            tree.wanted.append((number, before + 1, token))
            if depth == len(written) - 1:
                break
            if (before, token) not in places:
                places[before, token] = len(tree.tokens)
                tree.tokens.append(token)
                tree.parent.append(before)
                tree.depth.append(depth)
            before = places[before, token]
    return tree


def _groups(lengths: Sequence[int], trees: Sequence[_Tree], most_columns: int, most_rows: int) -> Iterator[list[int]]:
    """Positions of prompts that are read together: like in length, the longest first."""
    group: list[int] = []
    width = wide = columns = 0
    for index in sorted(range(len(lengths)), key=lambda index: -(lengths[index] + len(trees[index].tokens))):
        wider, taller = max(width, lengths[index]), max(wide, len(trees[index].tokens))
        more = columns + trees[index].columns
        full = len(group) == most_rows or more > most_columns or (wider + taller) * (len(group) + 1) > TOKENS_AT_ONCE
        if group and full:
            yield group
            group, wider, taller, more = [], lengths[index], len(trees[index].tokens), trees[index].columns
        group.append(index)
        width, wide, columns = wider, taller, more
    if group:
        yield group


def _read_beginning(model: nn.Module, ids: Sequence[int]) -> DynamicCache:
    cache = DynamicCache()
    given = torch.tensor([list(ids)], device=next(model.parameters()).device)
    with _columns_only(model, torch.tensor([0]), torch.tensor([len(ids) - 1])):
        model(input_ids=given, past_key_values=cache, use_cache=True)
    return cache


def _read_group(
    model: nn.Module,
    prompts: Sequence[Sequence[int]],
    trees: Sequence[_Tree],
    beginning: DynamicCache | None,
    shared: int,
) -> list[list[float]]:
    """Prompts are padded on the left, so that all end in one column and the trees begin in the next."""
    device = next(model.parameters()).device
    width, wide = max(map(len, prompts)), max(len(tree.tokens) for tree in trees)
    ids = torch.zeros((len(prompts), width + wide), dtype=torch.long)
    for row, (prompt, tree) in enumerate(zip(prompts, trees, strict=True)):
        ids[row, width - len(prompt) : width] = torch.tensor(list(prompt))
        ids[row, width : width + len(tree.tokens)] = torch.tensor(tree.tokens, dtype=torch.long)
    seen, positions = _sight([len(prompt) for prompt in prompts], trees, width, wide, shared)
    given: dict[str, Any] = {}
    if beginning is not None:
        given = {"past_key_values": _repeated(beginning, len(prompts)), "use_cache": True}
    rows = torch.tensor([row for row, tree in enumerate(trees) for _ in range(tree.columns)])
    columns = torch.tensor([width - 1 + column for tree in trees for column in range(tree.columns)])
    with _columns_only(model, rows.to(device), columns.to(device)):
        output = model(
            input_ids=ids.to(device),
            attention_mask=masks_of(model, seen.to(device), positions.to(device)),
            position_ids=positions[:, shared:].to(device),
            **(given or {"use_cache": False}),
        )
    return _nats(output.logits[0], trees)


def _sight(lengths: Sequence[int], trees: Sequence[_Tree], width: int, wide: int, shared: int) -> tuple[Tensor, Tensor]:
    """Which keys each new token may look at, bool (rows, new, keys), and the position of every key, (rows, keys)."""
    rows, keys = len(lengths), shared + width + wide
    seen = torch.zeros((rows, width + wide, keys), dtype=torch.bool)
    positions = torch.zeros((rows, keys), dtype=torch.long)
    positions[:, :shared] = torch.arange(shared)
    for row, (length, tree) in enumerate(zip(lengths, trees, strict=True)):
        first, count = width - length, len(tree.tokens)
        seen[row, first:, :shared] = True
        seen[row, first:width, shared + first : shared + width] = torch.ones(length, length, dtype=torch.bool).tril()
        seen[row, width : width + count, shared + first : shared + width] = True
        seen[row, width : width + count, shared + width : shared + width + count] = _before(tree)
        positions[row, shared + first : shared + width] = shared + torch.arange(length)
        positions[row, shared + width : shared + width + count] = (
            shared + length + torch.tensor(tree.depth, dtype=torch.long)
        )
    # Padding looks at itself: attention to nothing would be no number.
    own = torch.arange(width + wide)
    seen[:, own, shared + own] = True
    return seen, positions


def _before(tree: _Tree) -> Tensor:
    """Of each token of the tree itself and those before it on its branch, bool (tokens, tokens)."""
    seen = torch.eye(len(tree.tokens), dtype=torch.bool)
    for place, parent in enumerate(tree.parent):
        if parent >= 0:
            seen[place] |= seen[parent]
    return seen


def _repeated(beginning: DynamicCache, rows: int) -> DynamicCache:
    return DynamicCache(
        [(layer.keys.expand(rows, -1, -1, -1), layer.values.expand(rows, -1, -1, -1)) for layer in beginning.layers]
    )


def _nats(logits: Tensor, trees: Sequence[_Tree]) -> list[list[float]]:
    """From logits (columns of all trees, vocabulary)."""
    found: list[list[float]] = []
    pieces = logits.split(max(1, WIDENED_AT_ONCE // logits.shape[-1]))
    totals = torch.cat([piece.float().logsumexp(dim=-1) for piece in pieces])
    first = 0
    for tree in trees:
        branch, column, token = (torch.tensor(each, device=logits.device) for each in zip(*tree.wanted, strict=True))
        nats = logits[first + column, token].float() - totals[first + column]
        found.append(torch.zeros(tree.branches, device=logits.device).index_add(0, branch, nats).tolist())
        first += tree.columns
    return found


@contextmanager
def _columns_only(model: nn.Module, rows: Tensor, columns: Tensor) -> Iterator[None]:
    """Show the output layer these positions alone, as one row in memory of their own, for the reasons that `writing` has."""

    def pick(_: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][rows, columns][None].contiguous(), *inputs[1:])

    hook = model.get_output_embeddings().register_forward_pre_hook(pick)  # type: ignore[operator]
    try:
        yield
    finally:
        hook.remove()
