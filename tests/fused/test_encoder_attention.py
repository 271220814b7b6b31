"""Attention of encoders by one kernel: equal to attention written out in float64, with padding and dropout, forward and backward."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForSequenceClassification, BertConfig

from sonmat.training.fused import attention, encoder_passes
from sonmat.training.fused.encoder import attends_in_tiles, fuse_encoder
from sonmat.training.fused.encoder_attention import EncoderAttention, has_attention, real_tokens
from sonmat.training.fused.encoder_passes import Dropping

compiled = pytest.mark.skipif(
    not has_attention(torch.bfloat16, torch.device("cpu"), 32),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)

ROWS = {
    "one token": [1],
    "short ones and an odd one": [5, 3, 1],
    "a tile and a bit": [49, 48, 2],
    "several tiles and blocks": [130, 65, 127],
}
HEADS = [(1, 32), (3, 32), (2, 64), (1, 96), (2, 128)]
SCALE = 0.17


def made(lengths: list[int], heads: int, size: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(5)
    tokens = len(lengths) * max(lengths)
    return torch.randn(tokens, 3 * heads * size).bfloat16(), torch.randn(tokens, heads * size).bfloat16()


def by_kernel(
    lengths: list[int], heads: int, size: int, flat: Tensor, upstream: Tensor, dropping: Dropping
) -> list[Tensor]:
    asked = EncoderAttention(torch.tensor(lengths), max(lengths), heads, size, SCALE, dropping)
    mixed, sums = asked.forward(flat)
    return [mixed, asked.backward(flat, mixed, sums, upstream)]


def left_by_dropout(lengths: list[int], heads: int, dropping: Dropping) -> Tensor:
    """What the kernel for whole matrices of scores keeps, (rows, heads, queries, keys): 0 or 1 / (1 - share)."""
    shape = (len(lengths), heads, max(lengths))
    shares, used = encoder_passes.softmax(
        torch.zeros(*shape, max(lengths), dtype=torch.bfloat16), None, shape, 1.0, dropping
    )
    return (used != 0).double() / (1 - dropping.share) if dropping.share else torch.ones_like(shares, dtype=torch.float64)


def written_out(
    lengths: list[int], heads: int, size: int, flat: Tensor, upstream: Tensor, dropping: Dropping
) -> list[Tensor]:
    exact = flat.double().requires_grad_()
    query, key, value = exact.view(len(lengths), max(lengths), 3, heads, size).permute(2, 0, 3, 1, 4)
    hidden = torch.arange(max(lengths))[None] >= torch.tensor(lengths)[:, None]
    scores = (query @ key.transpose(2, 3) * SCALE).masked_fill(hidden[:, None, None], -torch.inf)
    used = scores.softmax(dim=-1) * left_by_dropout(lengths, heads, dropping)
    mixed = (used @ value).transpose(1, 2).reshape(upstream.shape)
    mixed.backward(upstream.double())
    assert exact.grad is not None
    return [mixed.detach(), exact.grad]


@compiled
@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("sizes", HEADS)
def test_it_equals_attention_written_out(rows: str, sizes: tuple[int, int], share: float) -> None:
    lengths, dropping = ROWS[rows], Dropping(share, 77 if share else 0)
    flat, upstream = made(lengths, *sizes)
    both = (calls(lengths, *sizes, flat, upstream, dropping) for calls in (by_kernel, written_out))
    for found, expected in zip(*both, strict=True):
        error = (found.double() - expected).norm() / expected.norm()
        # Shares, multiplied with what dropout keeps of one, and the result are rounded to 8 bits on the way.
        assert error < 0.008
        assert (found.double() - expected).abs().max() < 0.04 * expected.abs().max()


@compiled
def test_dropout_drops_its_share_and_other_seeds_drop_others() -> None:
    lengths, heads, size = [256], 4, 32
    flat, _ = made(lengths, heads, size)
    # Equal shares of values that are all one: what a query is given says how many keys it was left.
    flat[:, : 2 * heads * size], flat[:, 2 * heads * size :] = 0, 1
    left = []
    for seed in (1, 2):
        asked = EncoderAttention(torch.tensor(lengths), 256, heads, size, SCALE, Dropping(0.25, seed))
        left.append(asked.forward(flat)[0].float().view(256, heads, size)[..., 0] * 0.75)
    # Six standard errors of 262,144 draws, and the rounding of a result.
    assert abs(float(left[0].mean()) - 0.75) < 6 * (0.1875 / 2**18) ** 0.5 + 0.002
    assert float(left[0].std()) == pytest.approx((0.1875 / 256) ** 0.5, rel=0.15)
    assert not torch.equal(left[0], left[1])


@compiled
def test_it_gives_the_same_to_the_bit_however_threads_share_the_work() -> None:
    lengths, sizes = ROWS["several tiles and blocks"], (3, 32)
    given = made(lengths, *sizes)
    before = torch.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            found.append(by_kernel(lengths, *sizes, *given, Dropping(0.1, 3)))
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(one, other) for one, other in zip(*found, strict=True))


@compiled
def test_keys_that_are_padding_are_not_read_and_get_no_gradient() -> None:
    lengths, (heads, size) = [7, 3], (2, 32)
    flat, upstream = made(lengths, heads, size)
    clean = by_kernel(lengths, heads, size, flat, upstream, Dropping(0.0, 0))
    width = heads * size
    flat[7 + 3 :, width:] = torch.nan
    found = by_kernel(lengths, heads, size, flat, upstream, Dropping(0.0, 0))
    assert all(torch.equal(one, other) for one, other in zip(found, clean, strict=True))
    assert torch.all(found[1][7 + 3 :, width:] == 0)


@compiled
def test_what_is_not_a_number_reaches_its_row_and_no_other() -> None:
    lengths = [4, 4]
    flat, upstream = made(lengths, 1, 32)
    flat[5, 32] = torch.nan
    mixed, of_flat = by_kernel(lengths, 1, 32, flat, upstream, Dropping(0.0, 0))
    assert mixed[4:].isnan().any(dim=1).all()
    assert not mixed[:4].isnan().any()
    assert not of_flat[:4].isnan().any()


MASK = torch.arange(6)[None] < torch.tensor([[6], [4], [1]])


def test_padding_behind_is_counted() -> None:
    for mask in (MASK[:, None, None], MASK[:, None, None].expand(3, 1, 6, 6), MASK[:, None, None].repeat(1, 1, 6, 1)):
        assert real_tokens(mask, 3, 6).tolist() == [6, 4, 1]  # type: ignore[union-attr]
    assert real_tokens(None, 2, 6).tolist() == [6, 6]  # type: ignore[union-attr]
    assert real_tokens(MASK[1:2, None, None], 3, 6).tolist() == [4, 4, 4]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "mask",
    [
        MASK.flip(1)[:, None, None],
        torch.tensor([[True, False, True, True, False, False]])[:, None, None],
        torch.zeros(3, 1, 1, 6, dtype=torch.bool),
        torch.ones(6, 6, dtype=torch.bool).tril()[None, None],
        MASK[:, None, None].float(),
        MASK[:, None, None].expand(3, 2, 6, 6),
        MASK[:, None, None, :5],
    ],
    ids=["padding before", "a hole", "nothing is seen", "causal", "added to scores", "by head", "other keys"],
)
def test_masks_that_say_something_else_are_left_to_others(mask: Tensor) -> None:
    assert real_tokens(mask, 3, 6) is None


def test_other_heads_and_types_are_left_to_others() -> None:
    cpu = torch.device("cpu")
    assert not has_attention(torch.bfloat16, cpu, 48)
    assert not has_attention(torch.bfloat16, cpu, 1024)
    assert not has_attention(torch.float32, cpu, 32)


def bert(dropout: float = 0.0) -> Any:
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=50, hidden_size=64, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, num_labels=3,
        max_position_embeddings=128, hidden_dropout_prob=0.0, attention_probs_dropout_prob=dropout, classifier_dropout=0.0,
    )  # fmt: skip
    config._attn_implementation = "sdpa"
    return AutoModelForSequenceClassification.from_config(config).train()


def outcome(model: Any, autocast: bool) -> dict[str, Tensor]:
    torch.manual_seed(1)
    ids, mask = torch.randint(4, 50, (3, 70)), torch.ones(3, 70, dtype=torch.long)
    mask[0, 33:], mask[2, 69:] = 0, 0
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        logits = model(input_ids=ids, attention_mask=mask).logits.float()
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2])).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
    return {"logits": logits.detach(), **gradients}


@compiled
def test_a_layer_computes_this_way_and_stays_near_the_exact_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention._InUse, "limits", attention.Limits())
    plain = bert()
    fused = copy.deepcopy(plain)
    assert not attends_in_tiles(plain, torch.bfloat16)
    fuse_encoder(fused)
    assert attends_in_tiles(fused, torch.bfloat16)
    assert not attends_in_tiles(fused, torch.float32)
    # By head and as matrices of scores it would go through here.
    monkeypatch.setattr(attention, "attend", None)
    exact, found = outcome(plain, autocast=False), outcome(fused, autocast=True)
    assert found.keys() == exact.keys()
    for name, expected in exact.items():
        likeness = torch.nn.functional.cosine_similarity(found[name].flatten(), expected.flatten(), dim=0)
        assert likeness > 0.99 or expected.abs().max() < 1e-4, f"{name}: {likeness}"


@compiled
def test_a_layer_drops_what_the_kernel_for_matrices_of_scores_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for tiles in (True, False):
        monkeypatch.setattr(attention._InUse, "limits", attention.Limits(tiles=tiles))
        model = bert(dropout=0.2)
        fuse_encoder(model)
        assert attends_in_tiles(model, torch.bfloat16) is tiles
        found.append(outcome(model, autocast=True))
    for name, expected in found[1].items():
        likeness = torch.nn.functional.cosine_similarity(found[0][name].flatten(), expected.flatten(), dim=0)
        assert likeness > 0.99 or expected.abs().max() < 1e-4, f"{name}: {likeness}"
