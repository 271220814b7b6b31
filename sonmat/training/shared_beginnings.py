"""Which rows of a forward pass begin alike, so that their common tokens need computing once: a system prompt, a document, a dialogue.

In a causal model a token depends on those before it alone. Tokens that several rows begin with are therefore the same in all of
them, at every layer, as long as nothing is dropped at random; and what flows back to them is the sum over the rows. In: rows of token
ids. Out: groups of rows, and how many tokens each group shares. `packing` lays them out, `fused.decoder` computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from typing import Final

from sonmat.core.protocols import Row

IGNORED: Final = -100
LEAST_SAVED: Final = 16
"""Tokens that a group must save; fewer do not repay the smaller products of attention."""


@dataclass(frozen=True)
class Together:
    """Rows that share their first `length` tokens; 0 for rows that share nothing."""

    length: int
    rows: tuple[int, ...]


def beginnings(rows: Sequence[Row]) -> list[Together]:
    """Every row once: those that share nothing, in their order, then groups; of all ways to group, one that saves the most tokens.

    What a group shares ends before the last token that is not predicted, so that each row keeps the token that predicts its first
    supervised one.
    """
    ids = [list(row.arrays["input_ids"]) for row in rows]
    longest = [_tokens_before_answers(row) for row in rows]
    order = sorted(range(len(rows)), key=lambda row: ids[row])
    alike = [_common(ids[one], ids[other]) for one, other in pairwise(order)]
    # saved[end]: most tokens that the first `end` rows in order can save, and where the last group among them begins.
    saved: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(order) + 1):
        best, length = (saved[end - 1][0], end - 1), longest[order[end - 1]]
        for start in range(end - 2, -1, -1):
            length = min(length, longest[order[start]], alike[start])
            gain = (end - start - 1) * length
            if length == 0:
                break
            if gain >= LEAST_SAVED and saved[start][0] + gain > best[0]:
                best = (saved[start][0] + gain, start)
        saved.append(best)
    return _groups(order, longest, alike, saved)


def _groups(
    order: Sequence[int], longest: Sequence[int], alike: Sequence[int], saved: Sequence[tuple[int, int]]
) -> list[Together]:
    alone: list[int] = []
    groups: list[Together] = []
    end = len(order)
    while end:
        start = saved[end][1]
        members = order[start:end]
        if len(members) == 1:
            alone.extend(members)
        else:
            length = min(*(longest[row] for row in members), *alike[start : end - 1])
            groups.append(Together(length, tuple(sorted(members))))
        end = start
    groups.sort(key=lambda group: group.rows)
    return [*([Together(0, tuple(sorted(alone)))] if alone else []), *groups]


def _tokens_before_answers(row: Row) -> int:
    """How many tokens of a row may be shared."""
    labels = row.arrays["labels"]
    # Nothing predicts the first token, whatever its label.
    first = next((place for place in range(1, len(labels)) if labels[place] != IGNORED), row.length)
    return max(first - 1, 0)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
