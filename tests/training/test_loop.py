"""The loop's invariants: exact under any split of a step, under resume and over processes; equal to Trainer; never silent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from sonmat.core.errors import Paused, ResourceError, TrainingDiverged
from sonmat.core.protocols import Batch, Row, RowLosses
from sonmat.inference.rows import Rows
from sonmat.training import checkpoint
from sonmat.training.batching import StepRows, steps_of_epoch
from sonmat.training.loop import Outcome, Validation, optimise
from sonmat.training.schedule import rate_at
from sonmat.training.settings import TrainingSettings
from tests.training.tiny_jobs import CPU, Heard

ROWS = 40


class Regression(nn.Module):
    """Two layers, so that gradients are not trivial."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(dropout), nn.Linear(8, 1))

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.net(x)
        return found


def encode(index: int) -> Row:
    generator = torch.Generator().manual_seed(index)
    x = torch.randn(4, generator=generator)
    return Row({"x": x.tolist(), "y": float(x.sum()), "items": 1 + index % 3}, length=1 + index % 7)


def collate(rows: Sequence[Row]) -> Batch:
    return {name: torch.tensor([row.arrays[name] for row in rows]) for name in ("x", "y", "items")}


def losses(model: nn.Module, batch: Batch) -> RowLosses:
    """Rows count for 1 to 3 items, as answers of different length do."""
    squared = (model(batch["x"])[:, 0] - batch["y"]) ** 2
    return RowLosses(squared * batch["items"], batch["items"].float())


def validator(model: nn.Module) -> Callable[[], Validation]:
    batch = collate([encode(1000 + index) for index in range(16)])

    def look() -> Validation:
        with torch.no_grad():
            found = losses(model, batch)
        loss = float(found.sums.sum() / found.items.sum())
        return Validation("loss", loss, False, loss)

    return look


def train(
    work: Path, model: nn.Module | None = None, emit: Heard | None = None, data: int = ROWS, **options: Any
) -> tuple[nn.Module, Outcome, Heard]:
    heard = emit or Heard()
    model = model or Regression()
    loop = {
        name: options.pop(name)
        for name in (
            "should_pause",
            "checkpoint_seconds",
            "order",
            "losses",
            "weights",
            "usual_tokens",
            "shared_budget",
            "threads_ahead",
        )
        if name in options
    }
    settings = TrainingSettings(**{"learning_rate": 1e-2, "epochs": 3, "batch_size": 8, "patience": 9, **options})
    objective = loop.pop("losses", losses)
    outcome = optimise(
        model, objective, collate, Rows(range(data), encode), validator(model), settings,
        seed=3, device=CPU, work=work, emit=heard, **loop,
    )  # fmt: skip
    return model, outcome, heard


def weights(model: nn.Module) -> Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_any_split_of_a_step_into_forward_passes_gives_the_same_weights(tmp_path: Path) -> None:
    whole, _, _ = train(tmp_path / "a", micro_batch_tokens=10_000)
    cut, _, _ = train(tmp_path / "b", micro_batch_tokens=8)
    single, _, _ = train(tmp_path / "c", micro_batch_tokens=1)
    assert torch.allclose(weights(whole), weights(cut), atol=1e-6)
    assert torch.allclose(weights(whole), weights(single), atol=1e-6)


def test_the_gradient_is_that_of_the_mean_over_all_items_however_a_step_is_cut(tmp_path: Path) -> None:
    """AdamW and clipping forgive a wrong scale, so the gradient's own length is compared, with the one worked out by hand."""
    model = Regression()
    first = steps_of_epoch(Rows(range(ROWS), encode).lengths, 8, 0, 3)[0]
    found = losses(model, collate([encode(index) for index in first.rows]))
    (found.sums.sum() / found.items.sum()).backward()
    by_hand = float(
        torch.cat([parameter.grad.flatten() for parameter in model.parameters() if parameter.grad is not None]).norm()
    )
    for number, tokens in enumerate((10_000, 8, 1)):
        _, _, heard = train(tmp_path / str(number), micro_batch_tokens=tokens, clip_norm=1e6)
        assert heard.of("step")[0]["gradient_norm"] == pytest.approx(by_hand, rel=1e-5)


def test_the_split_test_would_notice_a_mean_of_means(tmp_path: Path) -> None:
    def mean_per_pass(model: nn.Module, batch: Batch) -> RowLosses:
        right = losses(model, batch)
        return RowLosses(right.sums / right.items.sum() * len(right.items), torch.ones_like(right.items))

    whole, _, _ = train(tmp_path / "a", micro_batch_tokens=10_000, losses=mean_per_pass)
    cut, _, _ = train(tmp_path / "b", micro_batch_tokens=8, losses=mean_per_pass)
    assert not torch.allclose(weights(whole), weights(cut), atol=1e-6)


def test_a_killed_run_continues_on_the_identical_curve(tmp_path: Path) -> None:
    whole, outcome, heard = train(tmp_path / "whole", Regression(dropout=0.3))
    steps = 0

    def die_at_step_seven(kind: str, data: dict[str, Any]) -> None:
        nonlocal steps
        steps += kind == "step"
        if steps == 7:
            raise KeyboardInterrupt("killed")

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", Regression(dropout=0.3), Heard(die_at_step_seven), checkpoint_seconds=0.0)
    resumed, again, heard_again = train(tmp_path / "killed", Regression(dropout=0.3))
    assert torch.equal(weights(whole), weights(resumed))
    assert again == outcome
    assert heard_again.of("resumed")[0]["step"] in (5, 6)
    curve = {data["step"]: data["loss"] for data in heard.of("step")}
    assert all(curve[data["step"]] == data["loss"] for data in heard_again.of("step"))


def test_a_request_to_pause_saves_and_the_next_call_continues(tmp_path: Path) -> None:
    whole, _, _ = train(tmp_path / "whole")
    heard = Heard()
    with pytest.raises(Paused, match="5"):
        train(tmp_path / "paused", emit=heard, should_pause=lambda: len(heard.of("step")) == 5)
    resumed, _, again = train(tmp_path / "paused")
    assert again.of("resumed") == [{"step": 5}]
    assert torch.equal(weights(whole), weights(resumed))


def test_every_step_trains_what_trains_and_evaluates_what_is_frozen_also_when_it_continues(tmp_path: Path) -> None:
    seen: list[tuple[bool, bool]] = []

    class Half(Regression):
        def __init__(self) -> None:
            super().__init__()
            self.frozen = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.5)).requires_grad_(False)

    def noted(model: nn.Module, batch: Batch) -> RowLosses:
        # Looks at validation rows use other losses.
        seen.append((bool(model.net.training), bool(model.frozen.training)))  # type: ignore[union-attr]
        return losses(model, batch)

    for asked in (4, 10**9):
        begun = len(seen)
        # As it may come: all of it in training mode. A training that continues looks at no validation rows first.
        model, pauses = Half().train(), iter(range(10**9))
        try:
            train(tmp_path, model, losses=noted, should_pause=lambda p=pauses, a=asked: next(p) == a)
        except Paused:
            assert asked == 4
        assert set(seen[begun:]) == {(True, False)}


def test_the_same_seed_gives_the_same_weights(tmp_path: Path) -> None:
    first, _, _ = train(tmp_path / "a", Regression(dropout=0.2))
    second, _, _ = train(tmp_path / "b", Regression(dropout=0.2))
    assert torch.equal(weights(first), weights(second))


def test_the_best_validated_weights_are_kept_not_the_last(tmp_path: Path) -> None:
    model = Regression()
    seen: list[tuple[float, Tensor]] = []
    look = validator(model)

    def rising_after_two() -> Validation:
        value = [5.0, 1.0, 2.0, 3.0][len(seen)]
        seen.append((value, weights(model).clone()))
        return Validation("loss", value, False, look().loss)

    outcome = optimise(
        model, losses, collate, Rows(range(ROWS), encode), rising_after_two, TrainingSettings(epochs=3, batch_size=8),
        seed=0, device=CPU, work=tmp_path, emit=Heard(),
    )  # fmt: skip
    assert outcome.best_step == 5
    assert torch.equal(weights(model), seen[1][1])


def test_training_stops_early_when_validation_no_longer_improves(tmp_path: Path) -> None:
    model = Regression()
    worse = iter(range(100))
    outcome = optimise(
        model, losses, collate, Rows(range(ROWS), encode), lambda: Validation("f1", 1.0 - next(worse) / 100, True, 1.0),
        TrainingSettings(epochs=9, batch_size=8, patience=2), seed=0, device=CPU, work=tmp_path, emit=(heard := Heard()),
    )  # fmt: skip
    assert outcome.steps == 10
    assert outcome.best_step == 0
    assert outcome.stopped is not None
    assert len(heard.of("validation")) == 3


def test_a_run_killed_after_its_last_look_stops_there_too_when_it_continues(tmp_path: Path) -> None:
    def run(values: list[float]) -> Outcome:
        look = iter(values)
        return optimise(
            Regression(), losses, collate, Rows(range(ROWS), encode), lambda: Validation("f1", next(look), True, 1.0),
            TrainingSettings(epochs=9, batch_size=8, patience=2), seed=0, device=CPU, work=tmp_path, emit=Heard(),
        )  # fmt: skip

    first = run([1.0, 0.9, 0.8])
    assert run([2.0] * 9) == first


def test_of_equal_metrics_the_lower_loss_is_better() -> None:
    assert Validation("f1", 0.5, True, 1.0).merit > Validation("f1", 0.5, True, 2.0).merit
    assert Validation("loss", 0.4, False, 9.0).merit > Validation("loss", 0.5, False, 1.0).merit


def test_a_loss_that_is_not_finite_sends_training_back_at_a_lower_rate(tmp_path: Path) -> None:
    calls = 0

    def poisoned(model: nn.Module, batch: Batch) -> RowLosses:
        nonlocal calls
        calls += model.training
        found = losses(model, batch)
        return RowLosses(found.sums * (math.nan if calls == 8 else 1.0), found.items)

    model, outcome, heard = train(tmp_path, losses=poisoned)
    assert [data["rate_scale"] for data in heard.of("backed_off")] == [0.5]
    assert heard.of("backed_off")[0]["step"] == 5
    assert bool(weights(model).isfinite().all())
    assert outcome.steps == 15
    assert heard.of("step")[-1]["learning_rate"] < 0.5 * 1e-2


def test_training_that_explodes_even_at_lower_rates_ends_with_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    def hopeless(model: nn.Module, batch: Batch) -> RowLosses:
        found = losses(model, batch)
        return RowLosses(found.sums * (math.inf if model.training else 1.0), found.items)

    with pytest.raises(TrainingDiverged, match="learning_rate"):
        train(tmp_path, losses=hopeless)


def test_an_exploding_finite_loss_is_noticed_too(tmp_path: Path) -> None:
    calls = 0

    def growing(model: nn.Module, batch: Batch) -> RowLosses:
        nonlocal calls
        calls += model.training
        found = losses(model, batch)
        return RowLosses(found.sums * (100.0 if 7 <= calls <= 8 else 1.0), found.items)

    _, outcome, heard = train(tmp_path, losses=growing)
    assert [data["rate_scale"] for data in heard.of("backed_off")] == [0.5, 0.25]
    assert outcome.measures["loss"] < heard.of("validation")[0]["loss"]


def test_long_hard_rows_after_short_easy_ones_are_no_divergence(tmp_path: Path) -> None:
    """A step holds rows of like length, so the first loss may be small by chance; the first look says what is usual."""
    steps = 0

    def uneven(model: nn.Module, batch: Batch) -> RowLosses:
        nonlocal steps
        steps += model.training
        found = losses(model, batch)
        return RowLosses(found.sums * 0.0 + found.items * (0.4 if model.training and steps == 1 else 2.2), found.items)

    model = Regression()
    outcome = optimise(
        model, uneven, collate, Rows(range(ROWS), encode), lambda: Validation("loss", 2.0, False, 2.0),
        TrainingSettings(epochs=6, batch_size=8, patience=9), seed=0, device=CPU, work=tmp_path, emit=(heard := Heard()),
    )  # fmt: skip
    assert heard.of("backed_off") == []
    assert outcome.steps == 30


def test_training_that_never_helps_is_said_and_leaves_the_untrained_weights(tmp_path: Path) -> None:
    model = Regression()
    before = weights(model).clone()
    worse = iter(range(100))
    optimise(
        model, losses, collate, Rows(range(ROWS), encode), lambda: Validation("f1", 1.0 - next(worse) / 100, True, 1.0),
        TrainingSettings(epochs=2, batch_size=8), seed=0, device=CPU, work=tmp_path, emit=(heard := Heard()),
    )  # fmt: skip
    assert heard.of("no_improvement")
    assert torch.equal(weights(model), before)


def test_a_collapse_of_the_best_weights_is_said(tmp_path: Path) -> None:
    model, values = Regression(), iter([3.0, 2.0, 1.0, 0.5])
    optimise(
        model, losses, collate, Rows(range(ROWS), encode), lambda: Validation("loss", next(values), False, 1.0, collapsed=True),
        TrainingSettings(epochs=3, batch_size=8), seed=0, device=CPU, work=tmp_path, emit=(heard := Heard()),
    )  # fmt: skip
    assert heard.of("collapsed") == [{"step": 15}]


def test_a_full_disk_keeps_the_previous_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(path, {"step": 1})

    def no_space(content: Any, stream: Any) -> None:
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", no_space)
    with pytest.raises(ResourceError, match="No space left"):
        checkpoint.save(path, {"step": 2})
    assert checkpoint.load(path) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_when_the_best_is_copied_keeps_the_previous_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, best = tmp_path / "checkpoint.pt", tmp_path / "best.pt"
    checkpoint.save(path, {"step": 1}, best)

    def no_links(*_: Any) -> None:
        raise OSError(1, "Operation not permitted")

    def no_space(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.link", no_links)
    monkeypatch.setattr("shutil.copyfile", no_space)
    with pytest.raises(ResourceError, match="No space left"):
        checkpoint.save(path, {"step": 2}, best)
    assert checkpoint.load(path) == checkpoint.load(best) == {"step": 1}
    assert set(tmp_path.iterdir()) == {path, best}


def test_what_a_killed_save_left_is_removed_when_the_training_goes_on(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.pt.1.part").write_bytes(b"half")
    (tmp_path / ".best.pt.1.part").write_bytes(b"half")
    train(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint.pt", "best.pt", "budget.json"}


@pytest.mark.parametrize("links", [True, False])
def test_the_best_weights_stay_when_the_checkpoint_goes_on(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not links:
        monkeypatch.setattr("os.link", lambda *_: (_ for _ in ()).throw(OSError(1, "Operation not permitted")))
    path, best = tmp_path / "checkpoint.pt", tmp_path / "best.pt"
    checkpoint.save(path, {"step": 1}, best)
    checkpoint.save(path, {"step": 2})
    assert (checkpoint.load(path), checkpoint.load(best, in_parts=True)) == ({"step": 2}, {"step": 1})
    checkpoint.save(path, {"step": 3}, best)
    assert checkpoint.load(best) == {"step": 3}


@pytest.mark.parametrize("best_look", [0, 2, 3])
def test_the_weights_in_the_end_are_those_of_the_best_look(best_look: int, tmp_path: Path) -> None:
    model, seen = Regression(), list[Tensor]()

    def validate() -> Validation:
        seen.append(weights(model).clone())
        return Validation("loss", float(len(seen) - 1 != best_look), False, 1.0)

    outcome = optimise(
        model, losses, collate, Rows(range(ROWS), encode), validate, TrainingSettings(epochs=3, batch_size=8, learning_rate=0.1),
        seed=0, device=CPU, work=tmp_path, emit=Heard(),
    )  # fmt: skip
    assert outcome.best_step == best_look * outcome.steps // 3
    assert torch.equal(weights(model), seen[best_look])
    assert all(not torch.equal(weights(model), other) for at, other in enumerate(seen) if at != best_look)


def test_an_explosion_behind_the_best_look_does_not_leave_its_weights(tmp_path: Path) -> None:
    model, seen = Regression(), list[Tensor]()

    def validate() -> Validation:
        seen.append(weights(model).clone())
        return Validation("loss", 1.0 / len(seen), False, 1.0)

    def exploding(model: nn.Module, batch: Batch) -> RowLosses:
        found = losses(model, batch)
        # Finite, so that the step is taken; too large, so that it is not counted.
        return replace(found, sums=found.sums * 1e6) if len(seen) > 1 else found

    outcome = optimise(
        model, exploding, collate, Rows(range(ROWS), encode), validate, TrainingSettings(epochs=3, batch_size=8),
        seed=0, device=CPU, work=tmp_path, emit=(heard := Heard()),
    )  # fmt: skip
    assert heard.of("backed_off")
    assert outcome.stopped is not None
    assert torch.equal(weights(model), seen[-1])


def test_rates_follow_transformers_schedules() -> None:
    from transformers import get_scheduler

    for schedule, name in (("linear", "linear"), ("cosine", "cosine"), ("constant", "constant_with_warmup")):
        settings = TrainingSettings(schedule=schedule, warmup_ratio=0.2)
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
        oracle = get_scheduler(name, optimizer, num_warmup_steps=6, num_training_steps=30)
        for step in range(30):
            assert rate_at(step, 30, settings) == pytest.approx(oracle.get_last_lr()[0], abs=1e-12)
            optimizer.step()
            oracle.step()


def test_biases_and_norms_do_not_decay(tmp_path: Path) -> None:
    def silent(model: nn.Module, batch: Batch) -> RowLosses:
        found = losses(model, batch)
        return RowLosses(found.sums * 0.0, found.items)

    model = Regression()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    rows = Rows(range(8), encode)
    optimise(
        model, silent, collate, rows, lambda: Validation("x", -float(weights(model).norm()), True, 0.0),
        TrainingSettings(epochs=1, batch_size=8, weight_decay=0.5, learning_rate=0.1, warmup_ratio=0.0),
        seed=0, device=CPU, work=tmp_path, emit=Heard(),
    )  # fmt: skip
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name]) == name.endswith("bias")


def sequential(lengths: Sequence[int], batch_size: int, epoch: int, seed: int) -> list[StepRows]:
    return [
        StepRows(epoch, tuple(range(at, min(at + batch_size, len(lengths))))) for at in range(0, len(lengths), batch_size)
    ]


def test_losses_and_weights_equal_those_of_transformers_trainer(tmp_path: Path) -> None:
    """The oracle, where it is right: equal batches, no accumulation, one item a row."""
    from torch.utils.data import SequentialSampler
    from transformers import Trainer, TrainingArguments

    class WithLoss(Regression):
        def forward(self, x: Tensor, y: Tensor | None = None) -> Any:
            found = self.net(x)
            return found if y is None else {"loss": ((found[:, 0] - y) ** 2).mean()}

    class InOrder(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, *_: Any) -> Any:
            return SequentialSampler(self.train_dataset)

    def one_item(model: nn.Module, batch: Batch) -> RowLosses:
        squared = (model(batch["x"])[:, 0] - batch["y"]) ** 2
        return RowLosses(squared, torch.ones_like(squared))

    settings: dict[str, Any] = {"learning_rate": 3e-3, "weight_decay": 0.1, "epochs": 2, "batch_size": 8}
    _, _, heard = train(tmp_path / "ours", losses=one_item, order=sequential, warmup_ratio=0.2, **settings)
    theirs = WithLoss()
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "theirs"), per_device_train_batch_size=8, num_train_epochs=2, learning_rate=3e-3,
        weight_decay=0.1, warmup_steps=2, logging_steps=1, report_to=[], save_strategy="no", use_cpu=True,
        disable_tqdm=True, max_grad_norm=1.0, remove_unused_columns=False, dataloader_pin_memory=False,
        lr_scheduler_type="linear",
    )  # fmt: skip
    data = [{"x": encode(index).arrays["x"], "y": encode(index).arrays["y"]} for index in range(ROWS)]

    def stack(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        return {name: torch.tensor([row[name] for row in rows]) for name in ("x", "y")}

    trainer = InOrder(model=theirs, args=arguments, train_dataset=data, data_collator=stack)
    trainer.train()
    their_losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert [data["loss"] for data in heard.of("step")] == pytest.approx(their_losses, abs=2e-4)
    final = checkpoint.load(tmp_path / "ours" / "checkpoint.pt")
    assert final is not None
    for name, parameter in theirs.named_parameters():
        assert torch.allclose(final["weights"][name], parameter, atol=1e-6)
