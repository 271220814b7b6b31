"""The probe for the token budget: changes nothing, costs little, is kept, drops what does not fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from sonmat.core.errors import Paused
from sonmat.core.protocols import Batch, Row, RowLosses
from sonmat.inference.rows import Rows
from sonmat.training import budget as budgets
from sonmat.training.batching import Epochs, steps_of_epoch
from sonmat.training.budget import Budget, Trial, Workbench, find, padding_share
from sonmat.training.budget_told import said, unit_of
from tests.training.test_loop import Regression, collate, encode, losses, train, weights
from tests.training.tiny_jobs import CPU, Heard

Seconds = Callable[[int], float]


@pytest.fixture
def small_candidates(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the regression have 1 to 7 tokens; a probe may cost what it wants."""
    monkeypatch.setattr(budgets, "SMALLEST", 4)
    monkeypatch.setattr(budgets, "LARGEST", {"cpu": 64})
    monkeypatch.setattr(budgets, "MOST_OF_THE_RUN", 100.0)


def timed_as(monkeypatch: pytest.MonkeyPatch, seconds: Seconds, computes: bool = True) -> list[Budget]:
    """Let passes take what `seconds` says of their budget; returns the budgets as they are tried."""
    tried: list[Budget] = []
    real = budgets._Probe.try_out

    def try_out(self: Any, budget: Budget) -> Trial:
        tried.append(budget)
        peak = real(self, budget).peak_bytes if computes else 0
        if computes:
            self.trials.pop()
        self.trials.append(Trial(budget, seconds(budget.tokens), peak))
        last: Trial = self.trials[-1]
        return last

    monkeypatch.setattr(budgets._Probe, "try_out", try_out)
    return tried


def bench(model: nn.Module | None = None, objective: Any = losses, data: int = 400, device: Any = CPU) -> Workbench:
    rows = Rows(range(data), encode)
    epochs = Epochs(rows.lengths, 8, 3, 3, steps_of_epoch)
    return Workbench(model or Regression(), objective, rows, collate, None, epochs, device, 1)


@pytest.mark.usefixtures("small_candidates")
def test_a_probed_training_is_to_the_bit_that_under_the_same_budget_given_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = timed_as(monkeypatch, lambda tokens: 1.0 / tokens)
    probed, _, heard = train(tmp_path / "a", Regression(dropout=0.3), usual_tokens=16)
    found = heard.of("budget")[0]
    assert found["reason"] == "probed"
    assert found["tokens"] == 64
    assert len(tried) > 2
    given, _, _ = train(tmp_path / "b", Regression(dropout=0.3), micro_batch_tokens=64)
    assert torch.equal(weights(probed), weights(given))


@pytest.mark.usefixtures("small_candidates")
def test_a_probe_leaves_gradients_random_numbers_modes_and_weights_as_they_were() -> None:
    model = Regression(dropout=0.3).eval()
    first = next(model.parameters())
    first.grad = torch.ones_like(first)
    before, random, modes = weights(model).clone(), torch.get_rng_state(), [part.training for part in model.modules()]
    find(bench(model), usual=16)
    assert torch.equal(weights(model), before)
    assert torch.equal(torch.get_rng_state(), random)
    assert [part.training for part in model.modules()] == modes
    assert first.grad is not None
    assert bool((first.grad == 1).all())
    assert all(parameter.grad is None for parameter in list(model.parameters())[1:])


@pytest.mark.usefixtures("small_candidates")
@pytest.mark.parametrize(("fastest", "usual"), [(8, 32), (16, 16), (64, 16), (4, 16)])
def test_the_fastest_budget_is_found_from_the_usual_one(monkeypatch: pytest.MonkeyPatch, fastest: int, usual: int) -> None:
    timed_as(monkeypatch, lambda tokens: 1 + abs(tokens.bit_length() - fastest.bit_length()), computes=False)
    found, reason, _ = find(bench(), usual)
    assert (found, reason) == (Budget(fastest), "probed")


@pytest.mark.usefixtures("small_candidates")
def test_what_a_process_does_for_the_first_time_is_not_held_against_the_usual_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = iter([9.0])
    timed_as(monkeypatch, lambda tokens: next(first, 1.0), computes=False)
    found, _, trials = find(bench(), 16)
    assert found == Budget(16)
    assert [trial.seconds_per_token for trial in trials if trial.budget.tokens == 16] == [1.0]


@pytest.mark.usefixtures("small_candidates")
def test_a_gain_within_the_machines_unrest_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    timed_as(monkeypatch, lambda tokens: 1.0 if tokens == 16 else 0.98, computes=False)
    assert find(bench(), 16)[0] == Budget(16)


def test_a_run_too_short_to_repay_a_probe_takes_the_usual_budget_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budgets, "SMALLEST", 4)
    monkeypatch.setattr(budgets, "LARGEST", {"cpu": 64})
    tried = timed_as(monkeypatch, lambda tokens: 1.0)
    _, _, heard = train(tmp_path, usual_tokens=16)
    assert heard.of("budget")[0]["reason"] == "short"
    assert heard.of("budget")[0]["tokens"] == 16
    assert tried == []


def test_a_probe_computes_at_most_its_share_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "SMALLEST", 4)
    monkeypatch.setattr(budgets, "LARGEST", {"cpu": 64})
    seen = 0

    def counting(model: nn.Module, batch: Batch) -> RowLosses:
        nonlocal seen
        seen += int(sum(batch["items"]))
        return losses(model, batch)

    many = bench(objective=counting, data=4000)
    _, reason, trials = find(many, 16)
    assert reason == "probed"
    assert trials
    # The rows' items stand for their tokens; both are counted alike for the whole run.
    whole = 3 * sum(encode(index).arrays["items"] for index in range(4000))
    assert 0 < seen <= 1.3 * budgets.MOST_OF_THE_RUN * whole


@pytest.mark.usefixtures("small_candidates")
def test_a_candidate_that_does_not_fit_into_memory_is_dropped_not_a_crash() -> None:
    def hungry(model: nn.Module, batch: Batch) -> RowLosses:
        if len(batch["x"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return losses(model, batch)

    found, reason, trials = find(bench(objective=hungry), 16)
    assert reason == "probed"
    assert found.tokens < 16
    assert trials[0].seconds_per_token == float("inf")


@pytest.mark.usefixtures("small_candidates")
def test_where_nothing_fits_each_row_is_computed_alone() -> None:
    def never(model: nn.Module, batch: Batch) -> RowLosses:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    assert find(bench(objective=never), 16)[0] == Budget(1)


@pytest.mark.usefixtures("small_candidates")
def test_any_other_error_of_a_pass_is_not_taken_for_a_lack_of_memory() -> None:
    def broken(model: nn.Module, batch: Batch) -> RowLosses:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        find(bench(objective=broken), 16)


@pytest.mark.usefixtures("small_candidates")
def test_a_larger_budget_that_would_go_beyond_the_memory_allowed_is_never_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = iter([1000, 1000, 1000, 1400, 1400])
    monkeypatch.setattr(budgets, "peak_memory", lambda: next(peaks, 1400))
    tried: list[int] = []
    real = budgets._Probe.try_out

    def try_out(self: Any, budget: Budget) -> Trial:
        tried.append(budget.tokens)
        found = real(self, budget)
        self.trials[-1] = Trial(budget, 1.0 / budget.tokens, found.peak_bytes)
        last: Trial = self.trials[-1]
        return last

    monkeypatch.setattr(budgets._Probe, "try_out", try_out)
    monkeypatch.setattr(budgets, "MOST_MEMORY", 1.0)
    still = 8 * sum(parameter.numel() for parameter in Regression().parameters())
    find(bench(device=CPU.model_copy(update={"memory_bytes": 2000 + still})), 16)
    # After 32 has taken 400 bytes more, 64 would take 800: allowed; from 1,300 bytes on it would not be.
    assert 64 in tried
    tried.clear()
    peaks = iter([1000, 1000, 1000, 1000, 1400])
    find(bench(device=CPU.model_copy(update={"memory_bytes": 1700 + still})), 16)
    assert 32 in tried
    assert 64 not in tried


@pytest.mark.usefixtures("small_candidates")
def test_a_resumed_training_goes_on_with_the_budget_that_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timed_as(monkeypatch, lambda tokens: 1.0 / tokens)
    whole, _, _ = train(tmp_path / "whole", Regression(dropout=0.3), usual_tokens=16)
    heard = Heard()
    with pytest.raises(Paused):
        train(
            tmp_path / "paused",
            Regression(dropout=0.3),
            heard,
            usual_tokens=16,
            should_pause=lambda: len(heard.of("step")) == 7,
        )
    timed_as(monkeypatch, lambda tokens: float(tokens))
    resumed, _, again = train(tmp_path / "paused", Regression(dropout=0.3), usual_tokens=16)
    assert again.of("budget")[0]["reason"] == "kept"
    assert again.of("budget")[0]["tokens"] == 64
    assert torch.equal(weights(whole), weights(resumed))


@pytest.mark.usefixtures("small_candidates")
def test_folds_take_the_budget_that_the_first_has_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "cache" / "budget.json"
    tried = timed_as(monkeypatch, lambda tokens: 1.0 / tokens)
    train(tmp_path / "first", usual_tokens=16, shared_budget=shared)
    count = len(tried)
    _, _, heard = train(tmp_path / "second", usual_tokens=16, shared_budget=shared, data=32)
    assert heard.of("budget")[0]["reason"] == "kept"
    assert heard.of("budget")[0]["tokens"] == 64
    assert len(tried) == count


def test_a_budget_that_was_only_the_usual_one_is_not_handed_on(tmp_path: Path) -> None:
    shared = tmp_path / "budget.json"
    train(tmp_path / "work", shared_budget=shared)
    assert not shared.exists()
    assert json.loads((tmp_path / "work" / "budget.json").read_text(encoding="utf-8"))["packed"] is False


def test_the_share_of_padding_is_that_of_an_epoch() -> None:
    many = bench(data=40)
    for tokens in (1, 16, 10_000):
        real = padded = 0
        for step in steps_of_epoch(many.rows.lengths, 8, 0, 3):
            for indices in many.passes(step.rows, Budget(tokens)):
                real += sum(many.rows.lengths[index] for index in indices)
                padded += max(many.rows.lengths[index] for index in indices) * len(indices)
        assert padding_share(many, Budget(tokens)) == pytest.approx(1 - real / padded)
    assert padding_share(many, Budget(1)) == 0
    assert padding_share(many, Budget(10_000)) > 0
    assert padding_share(many, Budget(10_000, packed=True)) == 0


def told(lengths: list[int], same_length: bool, budget: Budget, trials: list[Trial]) -> tuple[str, str]:
    """The sentence about the budget, in both languages."""
    rows = Rows(lengths, lambda length: Row({}, length), same_length=same_length)
    words = said(budget, "probed" if trials else "given", trials, 0.25, 0.0, unit_of(rows))
    return words.en, words.ko


def test_the_budget_is_told_in_tokens_and_that_of_pictures_in_pictures() -> None:
    trials = [Trial(Budget(4096), 1e-4, 0), Trial(Budget(200), float("inf"), 0)]
    assert told([3, 9], False, Budget(4096), trials) == (
        "Passes of up to 4,096 tokens, 25.0% of it padding (the fastest that was tried: 4,096 0.10, 200 – ms a token).",
        "한 번에 최대 4,096토큰씩 계산합니다. 그중 채움이 25.0%입니다(시도한 것 중 가장 빠름: 토큰당 4,096 0.10, 200 – ms).",
    )
    assert told([196, 196], True, Budget(4096), trials) == (
        "Passes of up to 20 pictures (the fastest that was tried: 20 19.60, 1 – ms a picture).",
        "한 번에 최대 20장씩 계산합니다(시도한 것 중 가장 빠름: 장당 20 19.60, 1 – ms).",
    )
    assert told([196, 196], True, Budget(100), [])[0] == "Passes of up to 1 picture (as set)."
    assert (
        told([1, 1], True, Budget(64, packed=True), [])[0]
        == "Passes of up to 64 rows, without gaps, 25.0% of it padding (as set)."
    )
