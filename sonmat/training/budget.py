"""How many padded tokens one forward pass holds: found by a probe on the job's own rows, because it depends on machine and model.

In: what a training step uses (model, losses, collation, the order of rows). Out: a `Budget`: the one under which a few forward and
backward passes took the least time for a real token and stayed within the memory allowed. A larger budget means fewer, larger
products, but also activations that leave the cache; on a processor both matter (docs/performance.md).

A probe changes nothing: no weight, gradient, random state, optimiser state or order, so that training is to the bit that under the
same budget given by hand. What it found is kept in the job's work folder, so that a resumed run goes on with it, and in the run's
cache for folds and further settings. It is left out where the run is too short to repay it; then the usual budget is taken.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from sonmat.core.protocols import Batch, Emit, Row, RowLosses
from sonmat.core.values import Device
from sonmat.inference.device import peak_memory
from sonmat.inference.predictor import autocast
from sonmat.inference.rows import Rows
from sonmat.runs.files import atomic_write
from sonmat.training.agreeing import of_the_first
from sonmat.training.ahead import Ahead
from sonmat.training.batching import Epochs, StepRows, forward_passes
from sonmat.training.budget_told import said, unit_of
from sonmat.training.weights import to_training_mode

if TYPE_CHECKING:
    import torch
    from accelerate import Accelerator
    from torch import Tensor, nn

USUAL_TOKENS: Final = 4096
USUAL_TOKENS_GENERATING: Final = 1536
"""Of a language model more gain nothing on a processor, and take more memory (docs/log.md)."""
SMALLEST: Final = 512
LARGEST: Final = {"cpu": 8192, "mps": 8192, "cuda": 131072}
TIMED_STEPS: Final = 3
MOST_OF_THE_RUN: Final = 0.05
"""Share of a training's tokens that a probe may compute."""
LEAST_GAIN: Final = 0.03
"""A candidate must be faster by this share; less is the machine's own unrest."""
MOST_MEMORY: Final = 0.8
"""Share of the device's memory that a pass may bring the process to."""
LITTLE_PADDING: Final = 0.01
"""Share under which packing has nothing to gain."""

Reason = Literal["given", "kept", "short", "alike", "probed"]


@dataclass(frozen=True)
class Budget:
    tokens: int
    """Most tokens of a forward pass, padding included."""
    packed: bool = False
    """Whether the rows of a pass lie behind one another, without padding."""


@dataclass(frozen=True)
class Trial:
    """What a candidate came to."""

    budget: Budget
    seconds_per_token: float
    """Of real tokens; infinite where it did not fit into memory."""
    peak_bytes: int
    """Of the process, or of the allocator of an accelerator, until then."""


@dataclass(frozen=True)
class Workbench:
    """What forward and backward passes take."""

    model: nn.Module
    losses: Callable[[nn.Module, Batch], RowLosses]
    rows: Rows[Any]
    collate: Callable[[Sequence[Row]], Batch]
    pack: Callable[[Sequence[Row]], Batch] | None
    """Makes a batch without padding; None where the model or its task has none."""
    epochs: Epochs
    device: Device
    processes: int
    ahead: Ahead | None = None
    """Encodes the rows of the next pass; each row is encoded when it is needed if left out."""

    @property
    def packs_at_once(self) -> bool:
        """Whether rows of varying length are computed without padding and as fast, so that there is nothing to find out: by kernels
        of a GPU, or where decoder layers are computed as a whole."""
        if self.pack is None or self.device.kind == "cuda":
            return self.pack is not None
        from sonmat.training.fused.decoder import has_whole_layers

        return has_whole_layers(self.model)

    def made(self, indices: Sequence[int], packed: bool) -> Batch:
        rows = [(self.ahead or self.rows)[index] for index in indices]
        return self.pack(rows) if packed and self.pack is not None else self.collate(rows)

    def batch(self, indices: Sequence[int], packed: bool, where: torch.device) -> Batch:
        return {name: tensor.to(where) for name, tensor in self.made(indices, packed).items()}

    def passes(self, rows: Sequence[int], budget: Budget) -> list[list[int]]:
        return forward_passes(rows, self.rows.lengths, budget.tokens, self.processes, budget.packed)


def usual_tokens(generates: bool) -> int:
    """The budget where none was found: for a task whose model writes, and for others."""
    return USUAL_TOKENS_GENERATING if generates else USUAL_TOKENS


def settle(
    bench: Workbench,
    given: int | None,
    usual: int,
    own: Path,
    shared: Path | None,
    accelerator: Accelerator,
    emit: Emit,
) -> Budget:
    """The budget of this training: given, kept from before or found now. Every process gets what the first one found.

    Args:
        own: file that a resumed training finds its budget in.
        shared: file of trainings that take as long for a token, such as the folds of a cross-validation.
    """
    packed = bench.packs_at_once
    found: tuple[Budget, Reason, list[Trial]] = (
        (Budget(given, packed), "given", []) if given is not None else (Budget(usual, packed), "short", [])
    )
    if given is None and accelerator.is_main_process:
        found = _kept_or_found(bench, usual, own, shared)
    budget, reason, trials = of_the_first(accelerator, found)
    padding, shared_part = padding_share(bench, budget), shared_share(bench, budget)
    emit(
        "budget",
        said(budget, reason, trials, padding, shared_part, unit_of(bench.rows)),
        tokens=budget.tokens,
        packed=budget.packed,
        padding=round(padding, 4),
        shared=round(shared_part, 4),
        reason=reason,
        trials=[_told(trial) for trial in trials],
    )
    return budget


def padding_share(bench: Workbench, budget: Budget) -> float:
    """Share of the tokens computed in the first epoch that are padding."""
    lengths = bench.rows.lengths
    passes = [indices for step in bench.epochs.first_epoch() for indices in bench.passes(step.rows, budget)]
    real = sum(lengths[index] for indices in passes for index in indices)
    return 0.0 if budget.packed or not real else 1 - real / sum(_padded(indices, lengths) for indices in passes)


def shared_share(bench: Workbench, budget: Budget) -> float:
    """Share of the tokens of a few steps that several rows of a pass begin with and that are therefore not computed again."""
    if not budget.packed:
        return 0.0
    passes = [indices for step in _timed_steps(bench) for indices in bench.passes(step.rows, budget)]
    real = sum(bench.rows.lengths[index] for indices in passes for index in indices)
    computed = sum(bench.made(indices, packed=True)["input_ids"].numel() for indices in passes)
    return 1 - computed / real if real else 0.0


def _kept_or_found(bench: Workbench, usual: int, own: Path, shared: Path | None) -> tuple[Budget, Reason, list[Trial]]:
    for file in (own, shared):
        if file is not None and (kept := _read(file, bench)) is not None:
            _write(own, kept)
            return kept, "kept", []
    budget, reason, trials = find(bench, usual)
    for file in (own, shared):
        # What too few rows are taken with is nothing that others should go by.
        if file is not None and (file is own or reason == "probed"):
            _write(file, budget)
    return budget, reason, trials


def find(bench: Workbench, usual: int) -> tuple[Budget, Reason, list[Trial]]:
    """Try the usual budget and its neighbours, each twice or half the one before, as long as they get faster."""
    timed = _timed_steps(bench)
    candidates = _different(bench, timed, usual)
    packed = bench.packs_at_once
    if len(candidates) < 2 and (bench.pack is None or packed):
        return Budget(usual, packed), "alike", []
    lengths = bench.rows.lengths
    whole = sum(lengths[index] for step in bench.epochs.first_epoch() for index in step.rows)
    probe = _Probe(bench, timed, MOST_OF_THE_RUN * whole * bench.epochs.count)
    first = min(candidates, key=lambda tokens: abs(math.log(tokens / usual)))
    if not probe.affords(Budget(first, packed), trials=3):
        return Budget(usual, packed), "short", []
    with _unchanged(bench.model):
        best = probe.climb(first, candidates)
        if (
            bench.pack is not None
            and not packed
            and _padding_of(bench, timed, best) > LITTLE_PADDING
            and probe.affords(Budget(best.tokens, True))
        ):
            best = probe.packed(best)
    return best, "probed", probe.trials


class _Probe:
    """Times candidates and remembers the best."""

    def __init__(self, bench: Workbench, timed: Sequence[StepRows], room: float) -> None:
        import torch

        self.bench, self.timed = bench, timed
        self.room = room
        """Tokens that may still be computed."""
        self.trials: list[Trial] = []
        self.longest: dict[Budget, list[int]] = {}
        self.where = next(bench.model.parameters()).device
        self.most_bytes = MOST_MEMORY * bench.device.memory_bytes if bench.device.memory_bytes else math.inf
        trained = sum(parameter.numel() for parameter in bench.model.parameters() if parameter.requires_grad)
        # AdamW's moments are not there yet.
        self.still_to_come = 8 * trained
        self.on_cuda = self.where.type == "cuda"
        self.bytes_before = torch.cuda.memory_allocated() if self.on_cuda else peak_memory()

    def climb(self, first: int, candidates: Sequence[int]) -> Budget:
        # Twice, because all that a process does for the first time falls to the first one.
        packed = self.bench.packs_at_once
        best = min((self.try_out(Budget(first, packed)) for _ in range(2)), key=lambda trial: trial.seconds_per_token)
        self.trials = [best]
        smaller = [tokens for tokens in reversed(candidates) if tokens < first]
        larger = [tokens for tokens in candidates if tokens > first]
        # A processor's cache speaks for small passes, the many cores of an accelerator for large ones.
        directions = [larger, smaller] if self.on_cuda else [smaller, larger]
        if math.isinf(best.seconds_per_token):
            directions = [smaller]
        for direction in directions:
            before = best
            for tokens in direction:
                if not self.affords(Budget(tokens, packed)) or not self.will_fit(tokens, best):
                    break
                found = self.try_out(Budget(tokens, packed))
                if found.seconds_per_token > (1 - LEAST_GAIN) * best.seconds_per_token:
                    break
                best = found
            if best is not before:
                break
        return best.budget if math.isfinite(best.seconds_per_token) else Budget(1, packed)

    def packed(self, best: Budget) -> Budget:
        """The packed form of `best` if it is faster and, on the rows at hand, gives the same losses."""
        candidate = Budget(best.tokens, packed=True)
        if not self._same_losses(candidate):
            return best
        padded = next(trial for trial in self.trials if trial.budget == best)
        found = self.try_out(candidate)
        return candidate if found.seconds_per_token <= (1 - LEAST_GAIN) * padded.seconds_per_token else best

    def affords(self, budget: Budget, trials: int = 1) -> bool:
        return trials * self._cost(budget) <= self.room

    def will_fit(self, tokens: int, known: Trial) -> bool:
        """Whether `tokens` will need no more memory than allowed, going by what fewer took."""
        taken = max(known.peak_bytes - self.bytes_before, 0)
        return self.bytes_before + taken * tokens / known.budget.tokens + self.still_to_come <= self.most_bytes

    def try_out(self, budget: Budget) -> Trial:
        import torch

        self.room -= self._cost(budget)
        if self.on_cuda:
            torch.cuda.reset_peak_memory_stats()
        try:
            # The one that takes most memory goes first and is not timed: memory is laid out and kernels are chosen in it.
            self._compute(self._longest(budget), budget)
            tokens, start = 0, self._now()
            for step in self.timed:
                for indices in self.bench.passes(step.rows, budget):
                    self._compute(indices, budget)
                    tokens += sum(self.bench.rows.lengths[index] for index in indices)
            seconds = (self._now() - start) / max(tokens, 1)
        except RuntimeError as error:
            if not _is_out_of_memory(error):
                raise
            _forget_gradients(self.bench.model)
            if self.on_cuda:
                torch.cuda.empty_cache()
            seconds = math.inf
        _forget_gradients(self.bench.model)
        peak = int(torch.cuda.max_memory_allocated()) if self.on_cuda else peak_memory()
        if peak + self.still_to_come > self.most_bytes and peak > self.bytes_before:
            seconds = math.inf
        self.trials.append(Trial(budget, seconds, peak))
        return self.trials[-1]

    def _compute(self, indices: Sequence[int], budget: Budget) -> None:
        batch = self.bench.batch(indices, budget.packed, self.where)
        with autocast(self.bench.device):
            loss = self.bench.losses(self.bench.model, batch).sums.float().sum()
        loss.backward()

    def _same_losses(self, budget: Budget) -> bool:
        """Whether packed rows lose what padded ones lose: a model that mixes rows must not be trained so."""
        import torch

        indices = max(self.bench.passes(self.timed[-1].rows, budget), key=len)
        found: list[Tensor] = []
        with torch.no_grad(), autocast(self.bench.device):
            for packed in (False, True):
                batch = self.bench.batch(indices, packed, self.where)
                torch.manual_seed(0)
                found.append(self.bench.losses(self.bench.model.eval(), batch).sums.float())
        to_training_mode(self.bench.model)
        padded, other = found
        tolerance = 0.02 if self.bench.device.bf16 else 1e-3
        return padded.shape == other.shape and bool(torch.allclose(padded, other, rtol=tolerance, atol=tolerance))

    def _longest(self, budget: Budget) -> list[int]:
        """The pass of the first epoch that computes most tokens."""
        if budget in self.longest:
            return self.longest[budget]
        lengths = self.bench.rows.lengths
        passes = (indices for step in self.bench.epochs.first_epoch() for indices in self.bench.passes(step.rows, budget))
        self.longest[budget] = max(passes, key=lambda indices: _padded(indices, lengths))
        return self.longest[budget]

    def _cost(self, budget: Budget) -> int:
        """Tokens that trying it out computes."""
        lengths = self.bench.rows.lengths
        timed = sum(lengths[index] for step in self.timed for index in step.rows)
        return timed + _padded(self._longest(budget), lengths)

    def _now(self) -> float:
        if self.on_cuda:
            import torch

            torch.cuda.synchronize()
        return time.perf_counter()


@contextmanager
def _unchanged(model: nn.Module) -> Iterator[None]:
    """Training mode within; modes, gradients and random states are afterwards what they were."""
    import torch

    modes = {module: module.training for module in model.modules()}
    gradients = [parameter.grad for parameter in model.parameters()]
    _forget_gradients(model)
    with torch.random.fork_rng():
        to_training_mode(model)
        try:
            yield
        finally:
            for parameter, gradient in zip(model.parameters(), gradients, strict=True):
                parameter.grad = gradient
            for module, mode in modes.items():
                module.training = mode


def _forget_gradients(model: nn.Module) -> None:
    for parameter in model.parameters():
        parameter.grad = None


def _is_out_of_memory(error: RuntimeError) -> bool:
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error).lower()


def _timed_steps(bench: Workbench) -> list[StepRows]:
    """Steps of the first epoch, evenly from short to long rows; of large ones no more rows than the largest budget holds."""
    lengths = bench.rows.lengths
    steps = sorted(bench.epochs.first_epoch(), key=lambda step: sum(lengths[index] for index in step.rows))
    count = min(TIMED_STEPS, len(steps))
    chosen = [steps[(2 * number + 1) * len(steps) // (2 * count)] for number in range(count)]
    return [StepRows(step.epoch, tuple(_at_most(step.rows, lengths, LARGEST[bench.device.kind]))) for step in chosen]


def _at_most(rows: Sequence[int], lengths: Sequence[int], tokens: int) -> Iterator[int]:
    for number, index in enumerate(rows):
        tokens -= lengths[index]
        if tokens < 0 and number:
            return
        yield index


def _different(bench: Workbench, timed: Sequence[StepRows], usual: int) -> list[int]:
    """Budgets that cut the timed steps in different ways, each the smallest that cuts them so; ascending."""
    tokens, most = min(SMALLEST, usual), LARGEST[bench.device.kind]
    found: dict[str, int] = {}
    while tokens <= most:
        cut = [bench.passes(step.rows, Budget(tokens)) for step in timed]
        found.setdefault(repr(cut), tokens)
        tokens *= 2
    return list(found.values())


def _padding_of(bench: Workbench, steps: Sequence[StepRows], budget: Budget) -> float:
    lengths = bench.rows.lengths
    passes = [indices for step in steps for indices in bench.passes(step.rows, budget)]
    real = sum(lengths[index] for indices in passes for index in indices)
    return 1 - real / max(sum(_padded(indices, lengths) for indices in passes), 1)


def _padded(indices: Sequence[int], lengths: Sequence[int]) -> int:
    return max(lengths[index] for index in indices) * len(indices)


def _read(file: Path, bench: Workbench) -> Budget | None:
    try:
        kept = Budget(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return kept if bench.pack is not None or not kept.packed else None


def _write(file: Path, budget: Budget) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic_write(file, json.dumps(asdict(budget)))


def _told(trial: Trial) -> dict[str, Any]:
    fits = math.isfinite(trial.seconds_per_token)
    return {
        **asdict(trial.budget),
        "seconds_per_token": round(trial.seconds_per_token, 7) if fits else None,
        "peak_bytes": trial.peak_bytes,
    }
