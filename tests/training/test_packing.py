"""Packed rows: losses and gradients are those of each row alone, and no row sees another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
import transformers
from torch import Tensor, nn

from sonmat import plugins
from sonmat.core.protocols import Batch, Row, RowLosses
from sonmat.inference.rows import Rows
from sonmat.training import packing
from sonmat.training.batching import Epochs, steps_of_epoch
from sonmat.training.budget import Budget, Trial, Workbench, _Probe, _timed_steps
from sonmat.training.fused import attention
from sonmat.training.packing import pack
from sonmat.training.varlen import rows_apart
from tests.training.tiny_jobs import CPU

LENGTHS = (9, 9, 7, 4, 4, 4, 2)
FAMILIES = ("llama", "gemma3")


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def model_of(family: str, blocks: bool = True) -> Any:
    torch.manual_seed(0)
    config = plugins.find("families", family).tiny()
    assert config is not None
    if family == "gemma3":
        config.sliding_window = 3
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float64)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.3)
    if blocks:
        model.set_attn_implementation(attention.register())
        packing.use_blocks(model)
        assert model.config._attn_implementation == packing.NAME
    return model.train()


def some_rows(lengths: tuple[int, ...] = LENGTHS, seed: int = 0) -> list[Row]:
    chance = torch.Generator().manual_seed(seed)
    rows = []
    for length in lengths:
        ids = torch.randint(1, 40, (length,), generator=chance).tolist()
        # The first token is supervised too: nothing predicts it, also not the row before.
        rows.append(Row({"input_ids": ids, "labels": [ids[0], *[-100] * (length // 3), *ids[1 + length // 3 :]]}, length))
    return rows


class _Tokenizer:
    pad_token_id = 0


def losses(model: nn.Module, batch: Batch) -> RowLosses:
    return plugins.find("tasks", "chat").losses(model, batch)


def padded(rows: list[Row]) -> Batch:
    return plugins.find("tasks", "chat").collate(rows, _Tokenizer())


def gradients(model: nn.Module, batches: list[Batch]) -> tuple[Tensor, Tensor]:
    """Losses by row, and the gradient of their sum."""
    model.zero_grad()
    found = [losses(model, batch) for batch in batches]
    sums = torch.cat([each.sums for each in found])
    sums.sum().backward()
    return sums.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])


@pytest.mark.parametrize("blocks", [True, False], ids=["our blocks", "SDPA under the mask of Transformers"])
@pytest.mark.parametrize("family", FAMILIES)
def test_packed_rows_have_the_losses_and_gradients_of_each_row_alone(family: str, blocks: bool) -> None:
    model, rows = model_of(family, blocks), some_rows()
    alone, of_alone = gradients(model, [padded([row]) for row in rows])
    together, of_together = gradients(model, [pack(rows)])
    # Losses come in float32, whatever the products are computed in.
    assert torch.allclose(together.double(), alone.double(), rtol=1e-6)
    assert torch.allclose(of_together, of_alone, rtol=1e-5, atol=1e-6 * float(of_alone.abs().max()))


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_of_packed_rows_are_those_of_each_row_alone_to_the_last_digits(family: str) -> None:
    model, rows = model_of(family), some_rows()
    decoder = model.get_decoder()
    batch = pack(rows)
    with torch.no_grad():
        with rows_apart(model, batch) as arguments:
            packed = decoder(input_ids=batch["input_ids"], use_cache=False, **arguments)
        alone = [decoder(input_ids=torch.tensor([row.arrays["input_ids"]]), use_cache=False) for row in rows]
    expected = torch.cat([each.last_hidden_state[0] for each in alone])
    assert torch.allclose(packed.last_hidden_state[0], expected, rtol=1e-9, atol=1e-9)


def test_another_row_changes_nothing_about_its_neighbours() -> None:
    model, rows = model_of("llama"), some_rows()
    changed = [*rows[:2], *some_rows(LENGTHS[2:3], seed=9), *rows[3:]]
    with torch.no_grad():
        before, after = losses(model, pack(rows)).sums, losses(model, pack(changed)).sums
    others = [index for index in range(len(rows)) if index != 2]
    assert torch.equal(before[others], after[others])
    assert before[2] != after[2]


def test_the_test_would_notice_rows_that_see_one_another() -> None:
    model, rows = model_of("llama", blocks=False), some_rows()
    batch = pack(rows)
    without = {**batch, "position_ids": torch.arange(sum(LENGTHS))[None]}
    with torch.no_grad():
        alone = torch.cat([losses(model, padded([row])).sums for row in rows])
        assert not torch.allclose(losses(model, without).sums, alone, rtol=1e-3)


def test_the_first_token_of_a_row_is_not_asked_of_the_row_before() -> None:
    model, rows = model_of("llama"), some_rows()
    with torch.no_grad():
        items = losses(model, pack(rows)).items
    assert items.tolist() == [sum(label != -100 for label in row.arrays["labels"][1:]) for row in rows]


def bench_of(model: nn.Module, makes: Any = pack) -> Workbench:
    kept = some_rows(LENGTHS * 4)
    rows = Rows(range(len(kept)), lambda index: kept[index])
    epochs = Epochs(rows.lengths, 7, 1, 0, steps_of_epoch)
    return Workbench(model, losses, rows, padded, makes, epochs, CPU, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seconds", "taken"), [(0.5, True), (0.99, False), (2.0, False)])
def test_packing_is_taken_only_where_it_is_faster(monkeypatch: pytest.MonkeyPatch, seconds: float, taken: bool) -> None:
    bench = bench_of(model_of("llama"))
    probe = _Probe(bench, _timed_steps(bench), 1e9)
    probe.trials.append(Trial(Budget(32), 1.0, 0))
    monkeypatch.setattr(_Probe, "try_out", lambda self, budget: Trial(budget, seconds, 0))
    assert probe.packed(Budget(32)) == Budget(32, packed=taken)


def test_packing_that_mixes_rows_is_never_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def contaminated(rows: list[Row]) -> Batch:
        batch = pack(rows)
        return {**batch, "position_ids": torch.arange(batch["input_ids"].shape[1])[None]}

    bench = replace(bench_of(model_of("llama", blocks=False)), pack=contaminated)  # type: ignore[arg-type]
    probe = _Probe(bench, _timed_steps(bench), 1e9)
    probe.trials.append(Trial(Budget(32), 1.0, 0))
    monkeypatch.setattr(_Probe, "try_out", lambda self, budget: Trial(budget, 0.1, 0))
    assert probe.packed(Budget(32)) == Budget(32)
