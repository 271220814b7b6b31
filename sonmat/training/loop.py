"""The only optimisation loop. It knows weights, losses and steps; not tasks' meaning, methods or run directories.

    for every step:  sum of losses and items over all forward passes and processes → one division → clip → AdamW
    now and then:    validate, keep the best weights, checkpoint; on divergence go back to the checkpoint at a lower rate

The same rows, order and settings give the same weights however a step is cut into forward passes or spread over processes,
and however often the run was killed and resumed, because order and randomness depend on (seed, epoch, step) alone.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from sonmat.core.errors import Paused, TrainingDiverged
from sonmat.core.protocols import Batch, Emit, Row, RowLosses
from sonmat.core.text import Text
from sonmat.core.values import Device
from sonmat.inference.predictor import autocast
from sonmat.inference.rows import Rows
from sonmat.training import checkpoint
from sonmat.training.accelerators import adamw, moved
from sonmat.training.agreeing import any_wishes, of_the_first
from sonmat.training.ahead import Ahead
from sonmat.training.batching import Epochs, OrderOfRows, mixed_seed, steps_of_epoch
from sonmat.training.budget import USUAL_TOKENS, Budget, Workbench, settle
from sonmat.training.schedule import rate_at
from sonmat.training.settings import TrainingSettings
from sonmat.training.weights import to_training_mode

if TYPE_CHECKING:
    from accelerate import Accelerator

MOST_BACK_OFFS = 3
BACK_OFF_FACTOR = 0.5
CHECKPOINT_SECONDS = 60.0
SAVING_SHARE = 0.1
"""Checkpoints between validations take at most this share of the time."""
FIRST_STEPS = 5
"""Losses of so many first steps, and of the first look, say where the loss began."""


@dataclass(frozen=True)
class Validation:
    """What one look at the validation rows gave. `value` decides which checkpoint is the best."""

    metric: str
    value: float
    higher_is_better: bool
    loss: float
    """Nats per item."""
    collapsed: bool = False
    """Whether nearly all answers are the same although the references are not."""

    @property
    def merit(self) -> tuple[float, float]:
        """Of two validations the one with the greater merit is better; equal metrics are told apart by the loss."""
        return (self.value if self.higher_is_better else -self.value, -self.loss)

    @property
    def measures(self) -> dict[str, float]:
        """All that was measured, by name, for the learning curve."""
        return {self.metric: self.value, "loss": self.loss}


@dataclass(frozen=True)
class Outcome:
    steps: int
    best_step: int
    measures: dict[str, float]
    stopped: Text | None


@dataclass
class _Progress:
    """Where the optimisation stands: everything that a checkpoint holds besides tensors."""

    step: int = 0
    rate_scale: float = 1.0
    back_offs: int = 0
    best_step: int = -1
    best_value: float = math.nan
    """The selection metric, turned so that higher is better."""
    best_loss: float = math.nan
    best_measures: dict[str, float] = field(default_factory=dict)
    best_collapsed: bool = False
    waited: int = 0
    """Validations since the best one."""
    first_loss: float = math.nan
    average_loss: float = math.nan


@dataclass(frozen=True)
class _StepResult:
    loss: float
    gradient_norm: float
    tokens: int

    @property
    def finite(self) -> bool:
        return math.isfinite(self.loss) and math.isfinite(self.gradient_norm)


def optimise(
    model: nn.Module,
    losses: Callable[[nn.Module, Batch], RowLosses],
    collate: Callable[[Sequence[Row]], Batch],
    rows: Rows[Any],
    validate: Callable[[], Validation],
    settings: TrainingSettings,
    *,
    seed: int,
    device: Device,
    work: Path,
    emit: Emit,
    should_pause: Callable[[], bool] = lambda: False,
    order: OrderOfRows = steps_of_epoch,
    weights: Sequence[float] | None = None,
    pack: Callable[[Sequence[Row]], Batch] | None = None,
    usual_tokens: int = USUAL_TOKENS,
    shared_budget: Path | None = None,
    threads_ahead: int = 0,
    checkpoint_seconds: float = CHECKPOINT_SECONDS,
) -> Outcome:
    """Train the parameters of `model` that require gradients, in place, and leave the best validated ones in it.

    Args:
        losses: sums and counts per row of a batch, float32 of shape (rows,).
        validate: called in evaluation mode, before the first step (so that no training is a choice too) and then as
            `settings.validate_every` says.
        weights: how many times an epoch sees each row on average; once if left out.
        pack: `collate` without padding, where the model computes such batches; taken only where that is faster.
        usual_tokens: of a forward pass, where settings give none and no probe finds better.
        shared_budget: file in which such trainings leave one another what a probe has found.
        threads_ahead: encode the rows of the next forward pass while the present one is computed.
        work: folder of the checkpoints; an earlier, unfinished call with the same arguments is continued from there.
    Raises:
        Paused: `should_pause()` was true; a checkpoint is written.
        TrainingDiverged: the loss is not finite or explodes, even after going back to lower rates, and no validated
            weights are worth keeping.
        ResourceError: the disk is full.
        RunError: the call to be continued was another version's, gave rows in another order or trained other weights.
    """
    epochs = Epochs(rows.lengths, settings.batch_size, settings.epochs, seed, order, weights)
    run = _Optimisation(model, losses, collate, rows, validate, settings, seed, device, work, emit, epochs)
    run.resume()
    run.settle_budget(pack, usual_tokens, shared_budget, threads_ahead)
    run.started = run.last_save = time.perf_counter()
    while run.progress.step < run.total_steps:
        # Asked before every step, because a run may be killed between its last look and its end.
        if run.progress.waited >= settings.patience:
            return run.finish(
                Text(
                    en=f"Stopped early: no better validation for {settings.patience} looks.",
                    ko=f"조기 종료: 검증 결과가 {settings.patience}번 연속 나아지지 않았습니다.",
                )
            )
        if any_wishes(run.accelerator, should_pause()):
            run.save()
            raise Paused(
                Text(
                    en=f"Paused at step {run.progress.step} of {run.total_steps}.",
                    ko=f"{run.total_steps}단계 중 {run.progress.step}단계에서 멈췄습니다.",
                )
            )
        result = run.take_step()
        if not result.finite or run.exploded(result.loss):
            stopped = run.back_off(result)
            if stopped is not None:
                return run.finish(stopped)
            continue
        run.account(result)
        if run.validation_is_due():
            run.look()
        if run.checkpoint_is_due(checkpoint_seconds):
            run.save()
    return run.finish(None)


class _Optimisation:
    """The state of one call of `optimise`."""

    def __init__(
        self,
        model: nn.Module,
        losses: Callable[[nn.Module, Batch], RowLosses],
        collate: Callable[[Sequence[Row]], Batch],
        rows: Rows[Any],
        validate: Callable[[], Validation],
        settings: TrainingSettings,
        seed: int,
        device: Device,
        work: Path,
        emit: Emit,
        epochs: Epochs,
    ) -> None:
        self.accelerator = _accelerator(device)
        self.settings, self.seed, self.device, self.emit, self.epochs = settings, seed, device, emit, epochs
        self.rows, self.collate, self.validate = rows, collate, validate
        self.checkpoint_file, self.best_file = work / "checkpoint.pt", work / "best.pt"
        # In evaluation mode between steps, so that a step knows whether it has to change it.
        self.model = model.eval().to(self.accelerator.device)
        self.trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.objective, self.optimizer = self.accelerator.prepare(
            _Objective(self.model, losses), adamw(self.model, settings, device)
        )
        self.losses, self.work = losses, work
        self.bench: Workbench
        self.budget: Budget
        self.total_steps = epochs.total_steps
        self.progress = _Progress()
        self.started, self.started_step, self.last_report, self.last_save = time.perf_counter(), 0, 0.0, 0.0
        self.save_seconds = 0.0
        self.holds_best = False

    def resume(self) -> None:
        """Continue from a checkpoint, or look at the untrained weights and write the first one."""
        if self.accelerator.is_main_process:
            checkpoint.clear(self.work)
        saved = self._last_checkpoint()
        if saved is None:
            self.look()
            return
        checkpoint.require_same_training(self.checkpoint_file, saved, self.model, self.epochs.fingerprint)
        self._restore(saved)
        self.started_step = self.progress.step
        self.emit("resumed", step=self.progress.step)

    def settle_budget(
        self, pack: Callable[[Sequence[Row]], Batch] | None, usual_tokens: int, shared: Path | None, ahead: int
    ) -> None:
        """Find out how many tokens a forward pass holds; weights, order and randomness stay what they are."""
        processes = self.accelerator.num_processes
        encoding = Ahead(self.rows.__getitem__, ahead) if ahead else None
        self.bench = Workbench(
            self.model, self.losses, self.rows, self.collate, pack, self.epochs, self.device, processes, encoding
        )
        given, own = self.settings.micro_batch_tokens, self.work / "budget.json"
        self.budget = settle(self.bench, given, usual_tokens, own, shared, self.accelerator, self.emit)

    def take_step(self) -> _StepResult:
        """One optimiser step over all rows of the step; the weights stay as they were if anything is not finite."""
        start = time.perf_counter()
        step_rows = self.epochs.step_rows(self.progress.step)
        passes = self.bench.passes(step_rows.rows, self.budget)
        if not self.model.training:
            to_training_mode(self.model)
        loss, items = self._accumulate(passes)
        norm = self._average_and_clip(items)
        result = _StepResult(loss / max(items, 1.0), norm, self._tokens(passes))
        rate = (
            self.settings.learning_rate
            * self.progress.rate_scale
            * rate_at(self.progress.step, self.total_steps, self.settings)
        )
        if result.finite:
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
            self.holds_best = False
        self.optimizer.zero_grad()
        self.emit(
            "step",
            step=self.progress.step + 1,
            total=self.total_steps,
            epoch=step_rows.epoch + 1,
            loss=result.loss if result.finite else None,
            learning_rate=rate,
            gradient_norm=result.gradient_norm if result.finite else None,
            tokens=result.tokens,
            seconds=round(time.perf_counter() - start, 4),
        )
        return result

    def _average_and_clip(self, items: float) -> float:
        """Gradients as means over all items of the step, cut to `clip_norm`, in one pass over memory; returns how long they were."""
        gradients = [parameter.grad for parameter in self.trained if parameter.grad is not None]
        # DDP averages over processes; undone here.
        scale = self.accelerator.num_processes / max(items, 1.0)
        norm: float = float(torch.nn.utils.get_total_norm(gradients)) * scale
        torch._foreach_mul_(gradients, scale * min(1.0, self.settings.clip_norm / (norm + 1e-6)))
        return norm

    def _accumulate(self, passes: list[list[int]]) -> tuple[float, float]:
        """Gradients of the summed loss of all passes; returns the loss summed over all processes, and its items."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        mine = passes[rank::world]
        # A process without rows still takes part in the exchange of gradients, with a weight of nothing.
        weight = 1.0 if mine else 0.0
        mine = mine or [passes[0][:1]]
        totals = torch.zeros(2, device=self.accelerator.device)
        for number, indices in enumerate(mine):
            batch = moved(self.bench.made(indices, self.budget.packed), self.accelerator.device)
            torch.manual_seed(mixed_seed(self.seed, self.progress.step, rank, number))
            last = number == len(mine) - 1
            if self.bench.ahead is not None:
                self.bench.ahead.request(self._first_pass_of_next_step() if last else mine[number + 1])
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.objective):
                with autocast(self.device):
                    pair = self.objective(batch) * weight
                self.accelerator.backward(pair[0])
            totals += pair.detach()
        if world > 1:
            totals = self.accelerator.reduce(totals, "sum")
        loss, items = totals.tolist()
        return loss, items

    def _first_pass_of_next_step(self) -> list[int]:
        step = self.progress.step + 1
        if step >= self.total_steps:
            return []
        passes = self.bench.passes(self.epochs.step_rows(step).rows, self.budget)
        return passes[self.accelerator.process_index % len(passes)]

    def exploded(self, loss: float) -> bool:
        """Whether the smoothed loss has left where it began: over twice the first losses and one nat more."""
        progress = self.progress
        average = loss if math.isnan(progress.average_loss) else 0.9 * progress.average_loss + 0.1 * loss
        return not math.isnan(progress.first_loss) and average > 2 * progress.first_loss + 1

    def account(self, result: _StepResult) -> None:
        progress = self.progress
        progress.average_loss = (
            result.loss if math.isnan(progress.average_loss) else 0.9 * progress.average_loss + 0.1 * result.loss
        )
        if progress.step < FIRST_STEPS:
            progress.first_loss = max(progress.first_loss, result.loss)
        progress.step += 1
        now = time.perf_counter()
        if now - self.last_report >= 1 or progress.step == self.total_steps:
            self.last_report = now
            pace = (now - self.started) / (progress.step - self.started_step)
            self.emit(
                "progress",
                done=progress.step,
                total=self.total_steps,
                seconds_left=round(pace * (self.total_steps - progress.step), 1),
            )

    def validation_is_due(self) -> bool:
        step, every = self.progress.step, self.settings.validate_every
        return step == self.total_steps or (step % every == 0 if every else self.epochs.ends_with(step))

    def checkpoint_is_due(self, seconds: float) -> bool:
        waited = time.perf_counter() - self.last_save
        return any_wishes(self.accelerator, waited >= max(seconds, self.save_seconds / SAVING_SHARE))

    def look(self) -> None:
        """Validate; keep the weights if they are the best so far; write a checkpoint."""
        progress = self.progress
        self.model.eval()
        seen = of_the_first(self.accelerator, self.validate())
        if progress.step == 0:
            progress.first_loss = seen.loss
        better = (
            progress.best_step < 0
            or math.isnan(progress.best_value)
            or seen.merit > (progress.best_value, -progress.best_loss)
        )
        self.emit(
            "validation",
            step=progress.step,
            epoch=self.epochs.done_after(progress.step),
            best=better,
            collapsed=seen.collapsed,
            **seen.measures,
        )
        if better:
            progress.best_step, progress.waited = progress.step, 0
            progress.best_value, progress.best_loss = seen.merit[0], seen.loss
            progress.best_measures, progress.best_collapsed = dict(seen.measures), seen.collapsed
        else:
            progress.waited += 1
        self.holds_best = better
        self.save(best=better)

    def back_off(self, result: _StepResult) -> Text | None:
        """Go back to the last checkpoint at a lower rate; after too many times, say why training must end."""
        loss = "not finite" if not result.finite else f"{result.loss:.3g}"
        at, back_offs = self.progress.step + 1, self.progress.back_offs + 1
        saved = self._last_checkpoint()
        if back_offs > MOST_BACK_OFFS or saved is None:
            reason = Text(
                en=f"Training diverged at step {at} (loss {loss}), even at a lower learning rate.",
                ko=f"{at}단계에서 학습이 발산했습니다(손실 {loss}). 학습률을 낮춰도 마찬가지입니다.",
            )
            if self.progress.best_step > 0:
                return reason
            raise TrainingDiverged(
                reason,
                Text(
                    en="Look at the data's outliers, or set a lower learning_rate (a tenth of the present one).",
                    ko="데이터의 이상값을 살펴보거나 learning_rate를 지금의 10분의 1로 낮춰 보세요.",
                ),
            )
        scale = self.progress.rate_scale * BACK_OFF_FACTOR
        self._restore(saved)
        self.progress.rate_scale, self.progress.back_offs = scale, back_offs
        self.emit(
            "backed_off",
            Text(
                en=f"The loss at step {at} was {loss}: back to step {self.progress.step} at {scale:.3g} of the learning rate.",
                ko=f"{at}단계의 손실이 {loss}입니다. {self.progress.step}단계로 돌아가 학습률을 {scale:.3g}배로 낮춥니다.",
            ),
            step=self.progress.step,
            rate_scale=scale,
        )
        self.save()
        return None

    def save(self, best: bool = False) -> None:
        start = time.perf_counter()
        if self.accelerator.is_main_process:
            content = {
                "order": self.epochs.fingerprint,
                "progress": asdict(self.progress),
                "weights": checkpoint.trained_state(self.model),
            }
            if self.progress.step < self.total_steps:
                # Two thirds of a checkpoint, of no use behind the last step.
                content["optimizer"] = self.optimizer.state_dict()
            checkpoint.save(self.checkpoint_file, content, self.best_file if best else None)
        self.accelerator.wait_for_everyone()
        self.last_save = time.perf_counter()
        self.save_seconds = self.last_save - start

    def finish(self, stopped: Text | None) -> Outcome:
        """Put the best weights into the model."""
        if not self.holds_best:
            best = checkpoint.load(self.best_file, in_parts=True)
            if best is not None:
                checkpoint.load_trained_state(self.model, best["weights"])
        self.model.eval()
        if stopped is not None:
            self.emit("stopped", stopped, step=self.progress.step)
        if self.progress.best_step == 0:
            self.emit("no_improvement", _no_improvement(), step=self.progress.step)
        elif self.progress.best_collapsed:
            self.emit("collapsed", _collapsed(), step=self.progress.best_step)
        return Outcome(self.progress.step, self.progress.best_step, self.progress.best_measures, stopped)

    def _last_checkpoint(self) -> dict[str, Any] | None:
        """What was saved last; no process goes on, and writes the next one, before all have read it."""
        saved = checkpoint.load(self.checkpoint_file)
        self.accelerator.wait_for_everyone()
        return saved

    def _restore(self, saved: dict[str, Any]) -> None:
        checkpoint.load_trained_state(self.model, saved["weights"])
        self.holds_best = False
        if "optimizer" in saved:
            self.optimizer.load_state_dict(saved["optimizer"])
        self.progress = _Progress(**saved["progress"])

    def _tokens(self, passes: list[list[int]]) -> int:
        return sum(self.rows.lengths[index] for indices in passes for index in indices)


class _Objective(nn.Module):
    """The whole computation of a loss as one module, so that a distributed wrapper sees all of it."""

    def __init__(self, model: nn.Module, losses: Callable[[nn.Module, Batch], RowLosses]) -> None:
        super().__init__()
        self.model = model
        self.losses = losses

    def forward(self, batch: Batch) -> Tensor:
        """float32 of shape (2,): the sum of all losses in nats, and the number of items it sums."""
        found = self.losses(self.model, batch)
        return torch.stack([found.sums.float().sum(), found.items.float().sum()])


def _no_improvement() -> Text:
    return Text(
        en="No training was better than none: the untrained weights are kept. A lower learning_rate or more rows may help.",
        ko="학습 전보다 나아진 적이 없어 처음 가중치를 그대로 둡니다. learning_rate를 낮추거나 행을 늘려 보세요.",
    )


def _collapsed() -> Text:
    return Text(
        en="The best weights give nearly the same answer to everything (collapsed). Try a lower learning_rate.",
        ko="가장 나은 가중치도 거의 모든 입력에 같은 답을 합니다(붕괴). learning_rate를 낮춰 보세요.",
    )


def _accelerator(device: Device) -> Accelerator:
    from accelerate import Accelerator

    return Accelerator(cpu=device.kind == "cpu", mixed_precision="no")
