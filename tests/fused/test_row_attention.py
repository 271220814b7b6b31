"""Attention of flat rows by one kernel: equal to attention written out in float64, row by row, forward and backward."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sonmat.training.fused.row_attention import RowAttention, has_attention

compiled = pytest.mark.skipif(
    not has_attention(torch.bfloat16, torch.device("cpu"), 64),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)

LAYOUTS = {
    "one row": [(0, 37, 0, 0)],
    "one token": [(0, 1, 0, 0)],
    "rows of every length": [(0, 1, 0, 0), (1, 2, 0, 0), (3, 64, 0, 0), (67, 65, 0, 0), (132, 17, 0, 0)],
    "longer than a tile and a block": [(0, 301, 0, 0)],
    "rows behind a beginning": [(2, 21, 0, 0), (23, 40, 2, 21), (63, 3, 2, 21), (66, 70, 2, 21)],
    "two beginnings and a row alone": [
        (0, 5, 0, 0), (5, 9, 0, 5), (14, 8, 0, 5), (22, 66, 0, 0), (88, 4, 22, 66), (92, 31, 22, 66), (123, 12, 0, 0),
    ],
}  # fmt: skip
HEADS = [(1, 1, 64), (3, 3, 64), (2, 1, 128), (1, 5, 64)]


def made(segments: list[tuple[int, int, int, int]], sizes: tuple[int, int, int]) -> dict[str, Tensor]:
    shared, group, size = sizes
    tokens, width = max(start + count for start, count, _, _ in segments), (shared * group + 2 * shared) * size
    torch.manual_seed(3)
    angles = torch.rand(tokens, size // 2).repeat(1, 2) * 6
    return {
        # Wider than what is read, as the products of LoRA are.
        "flat": torch.randn(tokens, width + 16).bfloat16(),
        "cosine": angles.cos().bfloat16(),
        "sine": angles.sin().bfloat16(),
        "upstream": torch.randn(tokens, shared * group * size).bfloat16(),
    }


def by_kernel(
    segments: list[tuple[int, int, int, int]], sizes: tuple[int, int, int], given: dict[str, Tensor], scale: float
) -> tuple[Tensor, Tensor]:
    attention = RowAttention(torch.tensor(segments), given["cosine"], given["sine"], sizes)
    mixed = torch.full_like(given["upstream"], torch.nan)
    of_flat = torch.full_like(given["flat"], 7.0)
    covered = [slice(start, start + count) for start, count, _, _ in segments]
    sums = attention.forward(given["flat"], scale, mixed)
    attention.backward(given["flat"], scale, mixed, sums, given["upstream"], of_flat)
    width = (sizes[0] * sizes[1] + 2 * sizes[0]) * sizes[2]
    assert torch.all(of_flat[:, width:] == 7.0), "columns behind those of attention are somebody else's"
    return torch.cat([mixed[part] for part in covered]), torch.cat([of_flat[part, :width] for part in covered])


def written_out(
    segments: list[tuple[int, int, int, int]], sizes: tuple[int, int, int], given: dict[str, Tensor], scale: float
) -> tuple[Tensor, Tensor]:
    shared, group, size = sizes
    heads = shared * group
    flat = given["flat"].double().requires_grad_()
    cosine, sine = given["cosine"].double()[:, None], given["sine"].double()[:, None]
    queries, keys, values, _ = flat.split([heads * size, shared * size, shared * size, 16], dim=1)
    queries, keys, values = (each.unflatten(1, (-1, size)) for each in (queries, keys, values))
    half = size // 2
    queries, keys = (
        each * cosine + torch.cat([-each[..., half:], each[..., :half]], dim=-1) * sine for each in (queries, keys)
    )
    mixed: list[Tensor] = []
    for start, count, beginning, before in segments:
        own = torch.arange(start, start + count)
        seen = torch.cat([torch.arange(beginning, beginning + before), own])
        hidden = torch.arange(len(seen))[None] > before + torch.arange(count)[:, None]
        of_row = []
        for head in range(heads):
            scores = queries[own, head] @ keys[seen, head // group].t() * scale
            of_row.append(scores.masked_fill(hidden, -torch.inf).softmax(dim=-1) @ values[seen, head // group])
        mixed.append(torch.cat(of_row, dim=1))
    covered = torch.cat([torch.arange(start, start + count) for start, count, _, _ in segments])
    together = torch.cat(mixed)
    together.backward(given["upstream"].double()[covered])
    assert flat.grad is not None
    return together.detach(), flat.grad[covered, : (heads + 2 * shared) * size]


@compiled
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("sizes", HEADS)
def test_it_equals_attention_written_out(layout: str, sizes: tuple[int, int, int]) -> None:
    segments = LAYOUTS[layout]
    given = made(segments, sizes)
    for found, expected in zip(
        by_kernel(segments, sizes, given, 0.13), written_out(segments, sizes, given, 0.13), strict=True
    ):
        error = (found.double() - expected).norm() / expected.norm()
        # Queries, keys and shares are rounded to 8 bits on the way, and so is the result.
        assert error < 0.006
        assert (found.double() - expected).abs().max() < 0.04 * expected.abs().max()


@compiled
def test_it_gives_the_same_to_the_bit_however_threads_share_the_work() -> None:
    segments, sizes = LAYOUTS["two beginnings and a row alone"], (3, 3, 64)
    given = made(segments, sizes)
    first, again = (by_kernel(segments, sizes, given, 0.13) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))


@compiled
def test_what_is_not_a_number_reaches_the_rows_that_see_it_and_no_others() -> None:
    segments, sizes = LAYOUTS["rows of every length"], (1, 1, 64)
    given = made(segments, sizes)
    given["flat"][10, 64] = torch.nan
    mixed, _ = by_kernel(segments, sizes, given, 0.13)
    broken = mixed.isnan().any(dim=1)
    assert broken.nonzero().flatten().tolist() == list(range(10, 67))


def test_heads_of_other_sizes_and_other_types_are_left_to_others() -> None:
    assert not has_attention(torch.bfloat16, torch.device("cpu"), 80)
    assert not has_attention(torch.float32, torch.device("cpu"), 64)
