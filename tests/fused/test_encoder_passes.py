"""The encoder's kernels compute what PyTorch computes; dropout drops its share, alike in both directions, whatever the threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from sonmat.training.fused import attention
from sonmat.training.fused import encoder_passes as passes
from sonmat.training.fused.encoder_passes import Dropping
from sonmat.training.fused.native.library import library

pytestmark = pytest.mark.skipif(library() is None, reason="no C compiler")
BF16 = torch.bfloat16
NOTHING = Dropping(0.0, 0)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(BF16)


def close(found: Tensor, expected: Tensor, tolerance: float = 0.01) -> None:
    torch.testing.assert_close(found.double(), expected.double(), rtol=tolerance, atol=tolerance)


def gradients(function: Callable[..., Tensor], upstream: Tensor, *inputs: Tensor) -> list[Tensor]:
    wide = [each.double().requires_grad_() for each in inputs]
    return list(torch.autograd.grad(function(*wide), wide, upstream.double()))


@pytest.mark.parametrize("mask", ["none", "by row", "by row and query", "minus infinity"])
@pytest.mark.parametrize("keys", [1, 7, 33, 300])
def test_shares_and_their_gradient_are_those_of_softmax(keys: int, mask: str) -> None:
    rows, heads, queries, scale = 3, 2, 5, 0.3
    scores = random(rows, heads, queries, keys) * 4
    added: Tensor | None = None
    if mask != "none":
        width = 1 if mask == "by row" else queries
        hidden = torch.rand(rows, 1, width, keys, generator=torch.Generator().manual_seed(1)) < 0.4
        hidden[..., 0] = False
        least = -torch.inf if mask == "minus infinity" else torch.finfo(BF16).min
        added = torch.zeros(hidden.shape, dtype=BF16).masked_fill_(hidden, least)
    assert passes.fits_softmax(scores, added, 0.0)

    def reference(scores: Tensor) -> Tensor:
        return torch.softmax(scores * scale + (added.double() if added is not None else 0.0), dim=-1)

    shares, used = passes.softmax(scores.clone(), added, (rows, heads, queries), scale, NOTHING)
    assert used is shares
    close(shares, reference(scores.double()))
    if added is not None:
        assert not shares[(added < -1).expand_as(shares)].any()
    upstream = random(rows, heads, queries, keys, seed=2)
    found = passes.softmax_backward(shares, upstream.clone(), scale, NOTHING)
    close(found, gradients(reference, upstream, scores)[0])


def test_masks_that_differ_by_head_and_rows_that_are_too_long_are_not_taken() -> None:
    scores = random(2, 3, 4, 4)
    assert not passes.fits_softmax(scores, random(2, 3, 4, 4), 0.0)
    assert not passes.fits_softmax(scores, random(2, 1, 4, 4).float(), 0.0)
    assert not passes.fits_softmax(random(1, 1, 1, passes.MOST_KEYS + 1), None, 0.0)
    assert not passes.fits(scores.float(), 0.0)
    assert not passes.fits(scores, 1.0)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_what_softmax_drops_is_the_share_asked_for_and_gets_no_gradient(share: float) -> None:
    dropping = Dropping(share, 77)
    lines, keys = 400, 500
    shares, used = passes.softmax(random(lines, keys), None, (1, 1, lines), 0.1, dropping)
    stays = used != 0
    assert shares.all()
    close(used[stays], (shares.double() / (1 - share))[stays])
    # Six standard errors, over all, by line and by column.
    assert abs(float(stays.float().mean()) - (1 - share)) < 6 * (share * (1 - share) / (lines * keys)) ** 0.5
    for axis, count in ((0, lines), (1, keys)):
        assert float(stays.float().mean(dim=axis).std()) == pytest.approx((share * (1 - share) / count) ** 0.5, rel=0.15)
    found = passes.softmax_backward(shares, (upstream := random(lines, keys, seed=3)).clone(), 0.1, dropping)
    kept = stays.double() / (1 - share)
    expected = gradients(lambda scores: torch.softmax(scores * 0.1, -1) * kept, upstream, random(lines, keys))[0]
    close(found, expected, 2e-4)


def test_draws_of_neighbours_and_of_seeds_have_nothing_to_do_with_one_another() -> None:
    def drawn(seed: int) -> Tensor:
        _, used = passes.softmax(random(300, 300), None, (1, 1, 300), 0.1, Dropping(0.5, seed))
        return (used != 0).double() * 2 - 1

    first = drawn(5)
    assert torch.equal(first, drawn(5))
    bound = 6 / 300
    for other in (drawn(6), drawn(5 + 2**32), first.roll(1, 0), first.roll(1, 1), first.roll((1, 1), (0, 1)), first.t()):
        assert abs(float((first * other).mean())) < bound


@pytest.mark.parametrize("share", [0.0, 0.2])
@pytest.mark.parametrize("tokens", [1, 64, 131])
def test_the_norm_of_a_sum_and_its_gradients_are_those_of_layer_norm(tokens: int, share: float) -> None:
    size, dropping = 40, Dropping(share, 9)
    x, beside, upstream = (random(tokens, size, seed=seed) for seed in (1, 2, 3))
    weight, bias = torch.rand(size) + 0.5, torch.rand(size)
    # What is dropped is seen where everything else is nothing.
    ones = torch.ones_like(x)
    passes.normed_sum(ones, torch.zeros_like(x), weight, bias, 1e-5, dropping)
    stays = ones.double()
    assert set(stays.unique().tolist()) == ({1.0} if not share else {0.0, 1.25})

    def reference(x: Tensor, beside: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return torch.nn.functional.layer_norm(x * stays + beside, (size,), weight, bias, 1e-5)

    summed = x.clone()
    normed, mean, inverse = passes.normed_sum(summed, beside, weight, bias, 1e-5, dropping)
    close(summed, x.double() * stays + beside.double())
    close(normed, reference(*(each.double() for each in (x, beside, weight, bias))), 0.02)
    of_beside, of_x, sums = passes.normed_sum_backward(upstream, summed, weight, mean, inverse, dropping)
    expected = gradients(reference, upstream, x, beside, weight, bias)
    close(of_x, expected[0], 0.03)
    close(of_beside, expected[1], 0.03)
    close(sums, torch.stack([expected[2], expected[3], of_x.double().sum(dim=0)]), 0.03)


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_and_its_gradient_are_pytorchs(approximate: str) -> None:
    x = torch.cat([torch.linspace(-12, 12, 4001), torch.tensor([0.0, -0.0, 60.0, -60.0, 3e38, -3e38])]).to(BF16)
    x = torch.cat([x, x.new_zeros(-len(x) % 13)]).view(-1, 13).repeat(3, 1)
    upstream = random(*x.shape)

    def reference(x: Tensor) -> Tensor:
        return torch.nn.functional.gelu(x, approximate=approximate)

    found = passes.gelu(x, approximate)
    assert torch.isfinite(found).all()
    # bf16 keeps 8 bits.
    torch.testing.assert_close(found.double(), reference(x.double()), rtol=2**-8, atol=1e-6)
    # Squares of the largest are infinite, also in PyTorch's gradient.
    x = x.clamp(-60, 60)
    of_x, sums = passes.gelu_backward(upstream, x, approximate)
    close(of_x, gradients(reference, upstream, x)[0], 0.005)
    close(sums, of_x.double().sum(dim=0), 1e-4)


def test_nothing_depends_on_the_number_of_threads() -> None:
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        dropping = Dropping(0.3, 4)
        _, used = passes.softmax(random(90, 40), None, (1, 1, 90), 1.0, dropping)
        summed = random(300, 24)
        normed, mean, inverse = passes.normed_sum(
            summed, random(300, 24, seed=1), torch.ones(24), torch.ones(24), 1e-5, dropping
        )
        back = passes.normed_sum_backward(random(300, 24, seed=2), summed, torch.ones(24), mean, inverse, dropping)
        found.append([used, normed, *back, *passes.gelu_backward(random(300, 24), random(300, 24, seed=3), "none")])
    torch.set_num_threads(1)
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def test_not_a_number_stays_not_a_number() -> None:
    broken = random(2, 8)
    broken[0, 3] = torch.nan
    assert passes.gelu(broken, "none").isnan().tolist() == broken.isnan().tolist()
    shares, _ = passes.softmax(broken.clone(), None, (1, 1, 2), 1.0, NOTHING)
    normed, *_ = passes.normed_sum(broken.clone(), random(2, 8), torch.ones(8), torch.ones(8), 1e-5, NOTHING)
    for found in (shares, normed):
        assert found.isnan().any(dim=1).tolist() == [True, False]


@pytest.mark.parametrize("share", [0.0, 0.3])
@pytest.mark.parametrize("groups", [1, 2])
def test_attention_by_kernels_has_the_gradient_of_its_own_draw(
    groups: int, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (2, 4, 9, 8)
    query, key, value = random(*shape), random(2, 4 // groups, 9, 8, seed=1), random(2, 4 // groups, 9, 8, seed=2)
    mask = torch.ones(2, 1, 9, 9, dtype=torch.bool)
    mask[0, :, :, 6:] = False
    monkeypatch.setattr(Dropping, "of", classmethod(lambda cls, share: cls(share, 12) if share else cls(0.0, 0)))
    _, used = passes.softmax(torch.zeros(2 * 4 * 9, 9, dtype=BF16), None, (2, 4, 9), 1.0, Dropping(share, 12))
    stays = (used != 0).double().view(2, 4, 9, 9) / (1 - share)

    def reference(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        keys, values = (each.repeat_interleave(groups, dim=1) for each in (key, value))
        scores = (query @ keys.transpose(-1, -2) * 8**-0.5).masked_fill(~mask, -torch.inf)
        return ((torch.softmax(scores, -1) * stays) @ values).transpose(1, 2)

    module: Any = torch.nn.Identity().train()
    inputs = [each.clone().requires_grad_() for each in (query, key, value)]
    mixed, _ = attention.attend(module, inputs[0], inputs[1], inputs[2], mask, dropout=share, is_causal=False)
    close(mixed, reference(*(each.double() for each in (query, key, value))), 0.03)
    upstream = random(*mixed.shape, seed=5)
    found = torch.autograd.grad(mixed, inputs, upstream)
    for one, expected in zip(found, gradients(reference, upstream, query, key, value), strict=True):
        close(one, expected, 0.06)


@pytest.mark.parametrize("tokens", [1, 64, 65, 300])
def test_columns_are_summed_over_all_tokens(tokens: int) -> None:
    x = random(tokens, 37)
    torch.testing.assert_close(passes.column_sums(x).double(), x.double().sum(dim=0), rtol=1e-5, atol=1e-4)
