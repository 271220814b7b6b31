"""Which rows of a forward pass begin alike, so that their common tokens need computing once: a system prompt, a document, a dialogue.

In a causal model a token depends on those before it alone. Tokens that several rows begin with are therefore the same in all of
them, at every layer, as long as nothing is dropped at random; and what flows back to them is the sum over the rows. In: rows of token
ids. Out: groups of rows, and how many tokens each group shares. `packing` lays them out, `fused.decoder` computes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
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

    Every group that saves something counts as `LEAST_SAVED` - 1 tokens. What it shares ends before the last token that is not
    predicted, so that each row keeps the token that predicts its first supervised one.
    """
    begun = [list(row.arrays["input_ids"][: _tokens_before_answers(row)]) for row in rows]
    order = sorted(range(len(rows)), key=begun.__getitem__)
    alike = [_common(begun[one], begun[other]) for one, other in pairwise(order)]
    found = _best(_branched(order, alike))
    alone = [Together(0, tuple(sorted(found.left)))] if found.left else []
    return [*alone, *sorted(found.groups, key=lambda group: group.rows)]


@dataclass(frozen=True, eq=False)
class _Branch:
    """Rows that begin with the same `length` tokens."""

    length: int
    rows: tuple[int, ...]
    """Those that have no more in common with any other."""
    branches: tuple[_Branch, ...]
    """Those of the others that have more in common."""


def _branched(order: Sequence[int], alike: Sequence[int]) -> _Branch:
    """
    Args:
        order: rows in the order of their tokens.
        alike: with how many tokens each begins as the next one does.
    """
    length, start = min(alike, default=0), 0
    rows: list[int] = []
    branches: list[_Branch] = []
    for end in (*(place + 1 for place, same in enumerate(alike) if same == length), len(order)):
        if end - start == 1:
            rows.append(order[start])
        else:
            branches.append(_branched(order[start:end], alike[start : end - 1]))
        start = end
    return _Branch(length, tuple(rows), tuple(branches))


@dataclass(frozen=True)
class _Grouped:
    saved: int
    groups: tuple[Together, ...]
    left: tuple[int, ...]
    """Rows that are in none of these groups."""


def _best(whole: _Branch) -> _Grouped:
    """A branch is a group of its rows, but for those of its branches' own groups, where that saves more than leaving them."""

    def parts(branch: _Branch, length: int) -> _Grouped:
        inner = [best(each, length) for each in branch.branches]
        return _Grouped(
            length * len(branch.rows) + sum(each.saved for each in inner),
            tuple(group for each in inner for group in each.groups),
            (*branch.rows, *(row for each in inner for row in each.left)),
        )

    @cache
    def best(branch: _Branch, outside: int) -> _Grouped:
        """Rows that are left share their first `outside` tokens with others."""
        apart = parts(branch, outside)
        if branch.length == outside:
            return apart
        found = parts(branch, branch.length)
        saved = found.saved - branch.length - (LEAST_SAVED - 1)
        if saved <= apart.saved:
            return apart
        return _Grouped(saved, (*found.groups, Together(branch.length, tuple(sorted(found.left)))), ())

    return best(whole, 0)


def _tokens_before_answers(row: Row) -> int:
    """How many tokens of a row may be shared."""
    labels = row.arrays["labels"]
    # Nothing predicts the first token, whatever its label.
    first = next((place for place in range(1, len(labels)) if labels[place] != IGNORED), row.length)
    return max(first - 1, 0)


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
