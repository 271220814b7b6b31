"""Which rows of a pass share the products of attention, and by what angles their tokens are turned: once a pass, for all layers.

In: where rows begin, which of them continue a common beginning, cosine and sine of positions. Out: a `Layout`. Rows of like length
stand below one another, with little padding; rows that continue a beginning look at its keys and at their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

import torch
from torch import Tensor

from sonmat.training.fused.last import Last
from sonmat.training.fused.passes import Heads
from sonmat.training.fused.row_attention import RowAttention, has_attention

LIKE_LENGTH: Final = 1.25
"""Rows share a product of attention up to this ratio of their lengths."""
Sizes = tuple[int, int, int]
"""Heads of keys and values, heads of queries for each of them, numbers of a head."""
_Segment = tuple[int, int, int, int]
"""First token, tokens, and first token and tokens of what it continues; 0 tokens where it continues nothing."""


@dataclass(frozen=True)
class Layout:
    rows: RowAttention | None
    """Where one kernel takes all rows; otherwise they go by `heads`."""
    heads: tuple[Heads, ...]
    """Empty where one kernel takes all rows. A beginning stands before the rows that continue it."""
    cosine: Tensor
    """Shape (tokens, size of a head), in the compute type; `sine` likewise."""
    sine: Tensor
    longest: int
    """Most tokens that a query looks at."""


class Layouts:
    """The last layout that was asked for: all layers of a pass ask for the same one."""

    def __init__(self) -> None:
        self._last: Last[Layout] = Last()

    def of(
        self,
        turns: tuple[Tensor, Tensor],
        shape: tuple[int, int],
        dtype: torch.dtype,
        sizes: Sizes,
        begins: Tensor | None,
        row_of_segment: Tensor | None,
    ) -> Layout:
        """
        Args:
            turns: cosine and sine of every position, shape (1 or rows, tokens, size of a head); one object for all layers.
            shape: rows and tokens of the batch.
            begins: where the rows or segments of a packed batch begin, and the end of the last; None for a padded batch.
            row_of_segment: the row of each segment, -1 for a beginning that the rows behind it continue.
        """
        return self._last.of(
            turns[0], (shape, dtype, sizes), lambda: _laid_out(turns, shape, dtype, sizes, begins, row_of_segment)
        )


def _laid_out(
    turns: tuple[Tensor, Tensor],
    shape: tuple[int, int],
    dtype: torch.dtype,
    sizes: Sizes,
    begins: Tensor | None,
    row_of_segment: Tensor | None,
) -> Layout:
    rows, width = shape
    starts = list(range(0, (rows + 1) * width, width)) if begins is None else begins.tolist()
    owners = [0] * (len(starts) - 1) if row_of_segment is None else row_of_segment.tolist()
    segments: list[_Segment] = []
    beginning = (0, 0)
    for (start, end), owner in zip(pairwise(starts), owners, strict=True):
        segments.append((start, end - start, *((0, 0) if owner < 0 else beginning)))
        if owner < 0:
            beginning = (start, end - start)
    cosine, sine = (each.to(dtype).expand(rows, -1, -1).reshape(rows * width, -1).contiguous() for each in turns)
    tiled = has_attention(dtype, cosine.device, sizes[2])
    together = RowAttention(torch.tensor(segments), cosine, sine, sizes) if tiled else None
    heads = () if tiled else _heads(segments, sizes)
    return Layout(together, heads, cosine, sine, max(tokens + before for _, tokens, _, before in segments))


def _heads(segments: Sequence[_Segment], sizes: Sizes) -> tuple[Heads, ...]:
    """Neighbours of like length that continue the same; a beginning stands alone."""
    begun = {beginning for _, _, beginning, before in segments if before}
    found: list[Heads] = []
    for (beginning, _), neighbours in groupby(segments, key=lambda segment: (segment[2:], segment[0] in begun)):
        rows = list(neighbours)
        starts = [start for start, _, _, _ in rows] + [rows[-1][0] + rows[-1][1]]
        found += [Heads(torch.tensor(part), most, *sizes, beginning) for part, most in alike(starts)]
    return tuple(found)


def alike(starts: Sequence[int]) -> list[tuple[list[int], int]]:
    """Neighbouring rows of like length: where those of each group begin and the last one ends, and their greatest length."""
    groups: list[tuple[list[int], int]] = []
    shortest = 0
    for start, end in pairwise(starts):
        length = end - start
        if groups:
            bounds, longest = groups[-1]
            low, high = min(shortest, length), max(longest, length)
            if high <= LIKE_LENGTH * low + 8:
                groups[-1] = ([*bounds, end], high)
                shortest = low
                continue
        groups.append(([start, end], length))
        shortest = length
    return groups
