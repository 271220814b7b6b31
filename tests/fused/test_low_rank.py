"""Products with LoRA's small matrices by kernels: equal to products written out in float64, layer by layer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from sonmat.training.fused.low_rank import _ByKernels, _InOneMatrix, small_products

BF16 = torch.bfloat16
SCALE = 2.0
compiled = pytest.mark.skipif(
    not isinstance(small_products([2], 8, torch.empty(1, dtype=BF16)), _ByKernels),
    reason="no C compiler, or a processor that does not multiply pairs of bfloat16",
)
WIDTHS = [[2], [50, 34], [192, 64, 64]]
pytestmark = [
    pytest.mark.parametrize("rank", [8, 16, 40]),
    pytest.mark.parametrize("widths", WIDTHS, ids=str),
    pytest.mark.parametrize("tokens", [1, 45, 301]),
]


class Case:
    """Matrices as a group has them: small ones in columns behind wide ones."""

    def __init__(self, widths: list[int], rank: int, tokens: int) -> None:
        torch.manual_seed(5)
        self.width, self.rank = sum(widths), rank
        self.wide = torch.randn(tokens, self.width + rank * len(widths)).to(BF16)
        self.x = torch.randn(tokens, 70).to(BF16)
        self.ups = [torch.randn(width, rank) * 0.1 for width in widths]
        self.products = small_products(widths, rank, self.wide)
        self.products.take(self.ups, SCALE)
        rounded = [(up * SCALE).to(BF16).double() for up in self.ups]
        self.block = torch.block_diag(*rounded)

    @property
    def outputs(self) -> Tensor:
        return self.wide[:, : self.width]

    @property
    def small(self) -> Tensor:
        return self.wide[:, self.width :]

    def is_by_kernels(self) -> bool:
        return isinstance(self.products, _ByKernels)


def close(found: Tensor, expected: Tensor, tolerance: float) -> bool:
    return float((found.double() - expected).norm() / expected.norm()) < tolerance


@compiled
def test_small_products_are_added_to_outputs(rank: int, widths: list[int], tokens: int) -> None:
    case = Case(widths, rank, tokens)
    assert case.is_by_kernels()
    expected, untouched = case.outputs.double() + case.small.double() @ case.block.t(), case.small.clone()
    case.products.add(case.outputs, case.small)
    assert close(case.outputs, expected, 4e-3)
    assert torch.equal(case.small, untouched)


@compiled
def test_what_flows_back_is_reduced(rank: int, widths: list[int], tokens: int) -> None:
    case = Case(widths, rank, tokens)
    expected, untouched = case.outputs.double() @ case.block, case.outputs.clone()
    case.products.reduce(case.outputs, case.small)
    assert close(case.small, expected, 4e-3)
    assert torch.equal(case.outputs, untouched)


@compiled
def test_gradients_are_float32(rank: int, widths: list[int], tokens: int) -> None:
    case = Case(widths, rank, tokens)
    downs = case.products.of_downs(case.small, case.x)
    ups = case.products.of_ups(case.outputs, case.small.contiguous(), SCALE)
    smalls, wides = case.small.double().split(rank, dim=1), case.outputs.double().split(widths, dim=1)
    for down, up, small, wide in zip(downs, ups, smalls, wides, strict=True):
        assert down.dtype == up.dtype == torch.float32
        assert close(down, small.t() @ case.x.double(), 1e-5)
        assert close(up, SCALE * wide.t() @ small, 1e-5)


def test_without_kernels_it_is_the_same(rank: int, widths: list[int], tokens: int) -> None:
    case = Case(widths, rank, tokens)
    plain = _InOneMatrix(widths, rank, case.wide.double())
    plain.take([up.double() for up in case.ups], SCALE)
    wide = case.wide.double()
    outputs, small = wide[:, : case.width], wide[:, case.width :]
    downs, ups = plain.of_downs(small, case.x.double()), plain.of_ups(outputs, small, SCALE)
    for number, (down, up) in enumerate(zip(downs, ups, strict=True)):
        own = small[:, number * rank : (number + 1) * rank]
        assert torch.allclose(down, own.t() @ case.x.double())
        assert torch.allclose(up, SCALE * outputs.split(widths, dim=1)[number].t() @ own)
    block = torch.block_diag(*(up.double() * SCALE for up in case.ups))
    expected = outputs + small @ block.t()
    plain.add(outputs, small)
    assert torch.allclose(outputs, expected)
    plain.reduce(outputs, small)
    assert torch.allclose(small, expected @ block)
