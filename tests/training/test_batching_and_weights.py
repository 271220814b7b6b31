"""Order, cuts of a step, and which weights train."""

from __future__ import annotations

import math
import random
import statistics
from collections import Counter
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.protocols import Row
from sonmat.inference import rows as rows_module
from sonmat.inference.rows import Rows
from sonmat.training import batching
from sonmat.training.batching import (
    Epochs,
    OrderOfRows,
    StepRows,
    draws_of_epoch,
    forward_passes,
    mixed_steps_of_epoch,
    steps_of_epoch,
)
from sonmat.training.weights import head_names, set_dropout, to_training_mode, train_only
from tests.training.test_loop import ROWS, Regression, train
from tests.training.test_loop import weights as trained
from tests.training.tiny_jobs import Heard, tiny_job

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=200)


@pytest.mark.parametrize("order", [steps_of_epoch, mixed_steps_of_epoch])
@given(lengths=LENGTHS, size=st.integers(1, 40), epoch=st.integers(0, 5), seed=st.integers(0, 9))
def test_an_epoch_sees_every_row_once_in_steps_of_the_asked_size(
    order: OrderOfRows, lengths: list[int], size: int, epoch: int, seed: int
) -> None:
    steps = order(lengths, size, epoch, seed)
    assert sorted(index for step in steps for index in step.rows) == list(range(len(lengths)))
    assert all(len(step.rows) <= size for step in steps)
    assert len(steps) == -(-len(lengths) // size)
    assert steps == order(lengths, size, epoch, seed)


@pytest.mark.parametrize("order", [steps_of_epoch, mixed_steps_of_epoch])
def test_epochs_and_seeds_differ_in_their_order(order: OrderOfRows) -> None:
    lengths = [5] * 64
    assert order(lengths, 8, 0, 0) != order(lengths, 8, 1, 0)
    assert order(lengths, 8, 0, 0) != order(lengths, 8, 0, 1)


def test_steps_of_mixed_rows_weigh_alike() -> None:
    lengths = [1 + (index * 37) % 100 for index in range(256)]

    def spread(order: OrderOfRows) -> float:
        tokens = [sum(lengths[index] for index in step.rows) for step in order(lengths, 16, 0, 0)]
        return statistics.pstdev(tokens) / statistics.fmean(tokens)

    # Sixteen rows at random: a quarter of the spread of one, which is 0.57 here.
    assert spread(mixed_steps_of_epoch) < 0.2 < 0.5 < spread(steps_of_epoch)


@pytest.mark.parametrize(("task", "mixed"), [("chat", True), ("text-classification", False)])
def test_rows_of_any_length_share_a_step_where_they_can_be_packed(
    task: str, mixed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def noted(order: OrderOfRows, name: str) -> OrderOfRows:
        return lambda *given: called.append(name) or order(*given)  # type: ignore[func-returns-value]

    monkeypatch.setattr(batching, "mixed_steps_of_epoch", noted(mixed_steps_of_epoch, "mixed"))
    monkeypatch.setattr(batching, "steps_of_epoch", noted(steps_of_epoch, "alike"))
    plugins.find("methods", "full").fit(tiny_job(task, "full", tmp_path, Heard(), epochs=1))
    assert set(called) == {"mixed" if mixed else "alike"}


@given(LENGTHS, st.integers(1, 2000), st.integers(1, 4))
def test_forward_passes_hold_every_row_once_within_the_budget(lengths: list[int], budget: int, at_least: int) -> None:
    passes = forward_passes(range(len(lengths)), lengths, budget, at_least)
    assert sorted(index for rows in passes for index in rows) == list(range(len(lengths)))
    assert len(passes) >= min(at_least, len(lengths))
    for rows in passes:
        assert len(rows) == 1 or max(lengths[index] for index in rows) * len(rows) <= budget


def test_no_pass_is_a_small_rest_of_its_step() -> None:
    assert [len(rows) for rows in forward_passes(range(11), [100] * 11, 1000)] == [6, 5]
    assert [len(rows) for rows in forward_passes(range(4), [1065, 40, 30, 10], 1100, packed=True)] == [1, 3]
    lengths = [240, 210, 180, 150, 120, 90, 60, 35]
    passes = forward_passes(range(8), lengths, 1024, packed=True)
    assert [sum(lengths[row] for row in rows) for rows in passes] == [630, 455]


WEIGHTS = st.lists(st.floats(0.05, 4), min_size=1, max_size=60)


@given(WEIGHTS, st.integers(0, 5), st.integers(0, 9))
def test_an_epoch_draws_each_row_as_often_as_its_weight_rounded_up_or_down(
    weights: list[float], epoch: int, seed: int
) -> None:
    draws = draws_of_epoch(weights, epoch, seed)
    for row, weight in enumerate(weights):
        assert math.floor(weight) <= draws.count(row) <= math.ceil(weight)
    assert draws == draws_of_epoch(weights, epoch, seed)


def test_over_many_epochs_a_row_is_seen_as_often_as_it_weighs() -> None:
    weights = [0.25, 1.0, 1.5, 3.1]
    seen = Counter(row for epoch in range(4000) for row in draws_of_epoch(weights, epoch, 0))
    # Three standard errors of a coin thrown 4,000 times are 0.024.
    assert [seen[row] / 4000 for row in range(4)] == pytest.approx(weights, abs=0.024)


def every_step(epochs: Epochs) -> list[StepRows]:
    return [epochs.step_rows(step) for step in range(epochs.total_steps)]


@given(LENGTHS, st.integers(1, 20))
def test_a_weight_of_one_changes_nothing_to_the_bit(lengths: list[int], size: int) -> None:
    plain = [step for epoch in range(3) for step in steps_of_epoch(lengths, size, epoch, 7)]
    for weights in (None, [1.0] * len(lengths)):
        assert every_step(Epochs(lengths, size, 3, 7, steps_of_epoch, weights)) == plain


@given(LENGTHS, st.integers(1, 20), st.randoms(use_true_random=False))
def test_steps_of_weighted_rows_hold_exactly_the_draws_and_any_step_can_be_asked_first(
    lengths: list[int], size: int, chance: random.Random
) -> None:
    weights = [chance.choice([0.3, 1.0, 2.5]) for _ in lengths]

    def made() -> Epochs:
        return Epochs(lengths, size, 3, 7, steps_of_epoch, weights)

    steps = every_step(made())
    for epoch in range(3):
        rows = [row for step in steps if step.epoch == epoch for row in step.rows]
        assert sorted(rows) == draws_of_epoch(weights, epoch, 7)
    for step in chance.sample(range(len(steps)), min(5, len(steps))):
        # A resumed training begins in the middle.
        assert made().step_rows(step) == steps[step]
    ends = [step for step in range(len(steps) + 1) if made().ends_with(step)]
    assert ends == [
        step for step in range(1, len(steps) + 1) if step == len(steps) or steps[step].epoch > steps[step - 1].epoch
    ]
    assert made().done_after(len(steps)) == 3


def test_a_weighted_training_resumes_exactly_and_differs_from_an_unweighted_one(tmp_path: Path) -> None:
    weights = [(0.5, 1.0, 2.3)[row % 3] for row in range(ROWS)]
    whole, outcome, _ = train(tmp_path / "a", weights=weights)
    calls = iter(range(1000))
    model = Regression()
    with pytest.raises(Paused):
        train(tmp_path / "b", model, weights=weights, should_pause=lambda: next(calls) == 7)
    resumed, again, heard = train(tmp_path / "b", weights=weights)
    assert heard.of("resumed")
    assert again.steps == outcome.steps
    assert torch.equal(trained(whole), trained(resumed))
    assert not torch.equal(trained(whole), trained(train(tmp_path / "c")[0]))


def test_small_rows_are_kept_and_large_ones_encoded_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows_module, "ROWS_KEPT_BYTES", 100)
    asked: list[int] = []

    def encode(index: int) -> Row:
        asked.append(index)
        return Row({"input_ids": [index] * 5}, length=5)

    rows = Rows(range(4), encode)
    assert rows.lengths == [5, 5, 5, 5]
    asked.clear()
    assert [rows[index].arrays["input_ids"][0] for index in range(4)] == [0, 1, 2, 3]
    assert asked == [2, 3]
    asked.clear()
    assert Rows(range(4), encode, same_length=True).lengths == [5] * 4
    assert asked == [0]


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, num_labels=3
    )
    model: nn.Module = transformers.BertForSequenceClassification(config)
    return model


def test_the_head_of_a_classifier_is_what_lies_outside_the_body_and_what_is_new() -> None:
    assert head_names(bert(), {"bert.pooler.dense.weight", "not.there"}) == {
        "classifier.weight", "classifier.bias", "bert.pooler.dense.weight"
    }  # fmt: skip


def test_a_language_model_has_no_new_head() -> None:
    config = transformers.LlamaConfig(
        vocab_size=20, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    assert head_names(transformers.LlamaForCausalLM(config)) == frozenset()


def test_only_named_weights_train_and_a_wrong_name_is_an_error() -> None:
    model = bert()
    assert train_only(model, {"classifier.weight"}) == 48
    assert [name for name, weight in model.named_parameters() if weight.requires_grad] == ["classifier.weight"]
    with pytest.raises(ValueError, match="classifierr"):
        train_only(model, {"classifierr.weight"})


def test_a_dropout_setting_reaches_every_layer() -> None:
    model = bert()
    set_dropout(model, 0.37)
    assert {module.p for module in model.modules() if isinstance(module, nn.Dropout)} == {0.37}
    ids = torch.arange(8)[None]
    model.train()
    assert not torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)
    set_dropout(model, 0.0)
    assert torch.equal(model(input_ids=ids).logits, model(input_ids=ids).logits)


def test_frozen_layers_and_batch_norms_stay_in_evaluation_mode() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    before = model[1].running_mean.clone()  # type: ignore[operator]
    to_training_mode(model)
    assert [module.training for module in model] == [False, False, True, True]
    model[1](torch.randn(4, 2, 3, 3) + 5)
    assert torch.equal(model[1].running_mean, before)  # type: ignore[arg-type]
