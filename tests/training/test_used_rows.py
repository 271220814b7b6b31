"""Embeddings trained by the rows in use end where AdamW on the whole matrix ends."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sonmat.core.protocols import Batch
from sonmat.training import used_rows
from sonmat.training.used_rows import only_used_rows

ROWS, PADDING = 40, 1
IDS = (torch.tensor([[3, 9, 9], [7, 12, PADDING]]), torch.tensor([[3, 30, 7]]), torch.tensor([[9, 12, 12]]))


class Model(nn.Module):
    """Embeddings and a layer behind them, as Transformers' models give access to them."""

    def __init__(self, tied: bool = False) -> None:
        super().__init__()
        self.embedding = nn.Embedding(ROWS, 6, padding_idx=PADDING)
        self.layer = nn.Linear(6, ROWS if tied else 2, bias=False)
        if tied:
            self.layer.weight = self.embedding.weight

    def get_input_embeddings(self) -> nn.Embedding:
        return self.embedding

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.layer(self.embedding(ids).mean(dim=1)).tanh()
        return found


@pytest.fixture(autouse=True)
def small_matrices_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(used_rows, "SMALLEST", 1)


def batches() -> Iterator[Batch]:
    yield from ({"input_ids": ids} for ids in IDS)


def train(model: nn.Module, steps: int = 12) -> list[float]:
    """Lengths of the gradients of each step."""
    optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.0, weight_decay=0.3, fused=True)
    lengths = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.05 * (step + 1) / steps
        model(IDS[step % len(IDS)]).square().sum().backward()
        lengths.append(float(nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 0.5)))
        optimiser.step()
        optimiser.zero_grad()
    return lengths


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-6)])
def test_rows_in_use_and_the_others_end_where_adamw_puts_them(dtype: torch.dtype, tolerance: float) -> None:
    torch.manual_seed(0)
    plain = Model().to(dtype)
    nn.init.normal_(plain.embedding.weight)
    mine = copy.deepcopy(plain)
    before = plain.embedding.weight.detach().clone()
    expected = train(plain)
    with only_used_rows(mine, batches(), [PADDING]) as applied:
        assert applied
        found = train(mine)
        inside = _evaluated(mine)
    assert found == pytest.approx(expected, rel=1e-5)
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(dict(mine.named_parameters())[name], parameter, rtol=tolerance, atol=tolerance)
    torch.testing.assert_close(inside, _evaluated(plain), rtol=1e-5, atol=tolerance)
    moved = (plain.embedding.weight - before).abs().sum(dim=1)
    assert (moved > 0).all(), "rows that are never used decay"


def _evaluated(model: Model) -> Tensor:
    """What all ids, those never trained on too, are turned into."""
    with torch.inference_mode():
        found: Tensor = model.embedding(torch.arange(ROWS)).clone()
    return found


def test_only_rows_in_use_have_gradients_and_moments() -> None:
    model = Model()
    with only_used_rows(model, batches(), [PADDING]):
        sizes = {name: p.numel() for name, p in model.named_parameters() if p.requires_grad}
    assert sizes == {"embedding.used_rows": 6 * 6, "embedding.unused_factor": 1, "layer.weight": 12}


def test_the_model_has_its_old_parameters_again() -> None:
    model = Model()
    names, weight = list(model.state_dict()), model.embedding.weight
    with pytest.raises(KeyError), only_used_rows(model, batches(), []):
        raise KeyError
    assert list(model.state_dict()) == names
    assert model.embedding.weight is weight
    assert weight.requires_grad
    assert "forward" not in vars(model.embedding)


def test_an_id_that_was_not_announced_is_refused() -> None:
    model = Model()
    with only_used_rows(model, batches(), []), pytest.raises(IndexError):
        model(torch.tensor([[3, 25]]))


@pytest.mark.parametrize("case", ["tied to the output", "frozen", "nearly all in use", "no ids"])
def test_other_embeddings_train_whole(case: str) -> None:
    model: Any = Model(tied=case == "tied to the output")
    if case == "frozen":
        model.embedding.requires_grad_(False)
    named: list[Batch] = [{"input_ids": torch.arange(30)[None]}] if case == "nearly all in use" else list(batches())
    if case == "no ids":
        named = [{"pixels": torch.zeros(1)}]
    with only_used_rows(model, iter(named), []) as applied:
        assert not applied
        assert "embedding.used_rows" not in dict(model.named_parameters())
