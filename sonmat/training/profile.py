"""Where a fit's time and memory go, found out on a few of its own steps.

In: the job of a fit and its method. Out: a `Profile` and a trace that browsers show (https://ui.perfetto.dev). It runs the method's
own `fit` on the job's own rows, in a scratch folder, and listens at the seams that every job has: its task, its events, its wish to
pause. Steps are timed first and traced afterwards, because tracing slows them down: the trace gives the shares, the timing the
seconds. It computes nothing in another way and leaves no model behind.
"""

from __future__ import annotations

import math
import re
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from sonmat.core.errors import Paused
from sonmat.core.protocols import Batch, FitJob, Method, Row, RowLosses, Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, Spec
from sonmat.inference.device import detect_device, peak_memory
from sonmat.training.settings import TrainingSettings

if TYPE_CHECKING:
    from torch import nn
    from torch.profiler import profile

WARM_UP_STEPS, TIMED_STEPS, TRACED_STEPS = 3, 5, 2
"""Memory is laid out and kernels are chosen in the first steps, which are slower."""
MOST_STEPS = WARM_UP_STEPS + TIMED_STEPS + TRACED_STEPS
MOST_TIMED_SECONDS: Final = 60.0
"""Where steps are slow, fewer are timed."""

Part = Literal["data", "forward", "attention", "output_layer", "backward", "optimiser", "other"]
PARTS: Final[tuple[Part, ...]] = ("data", "forward", "attention", "output_layer", "backward", "optimiser", "other")

DATA: Final = "sonmat: data"
"""What a trace calls the making of batches."""
ATTENTION: Final = "sonmat: attention"
"""What a trace calls attention within a layer that is computed as a whole."""
_FORWARD: Final = "sonmat: forward"
_PATTERNS: Final[tuple[tuple[re.Pattern[str], Part], ...]] = (
    (re.compile(rf"scaled_dot_product|ScaledDotProduct|flash_attention|^_Products(Backward)?$|^{ATTENTION}$"), "attention"),
    (re.compile(r"^_OutputLoss(Backward)?$"), "output_layer"),
    (re.compile(r"^Optimizer\.(step|zero_grad)#"), "optimiser"),
    (re.compile(rf"^{DATA}$"), "data"),
    (re.compile(rf"^{_FORWARD}$"), "forward"),
    (re.compile(r"^autograd::engine::evaluate_function"), "backward"),
)
_PRODUCTS: Final = frozenset({"aten::mm", "aten::addmm", "aten::bmm", "aten::baddbmm", "aten::mkldnn_convolution"})


@dataclass(frozen=True)
class Profile:
    """What a few steps showed."""

    step_seconds: float
    """Mean of the timed steps."""
    parts: dict[Part, float]
    """Share of a step's time by part; they sum to 1."""
    tokens_per_second: float
    """Real tokens, without padding; a picture counts as many as its row is long."""
    padding: float
    """Share of what was computed that was padding, 0 to 1."""
    products_per_second: float
    """Floating-point operations of matrix products a second in the timed steps."""
    machine_rate: float
    """The same of one large product: what this machine can do at best. 0 where it is unknown."""
    load_seconds: float
    """Loading the base and encoding the rows."""
    validation_seconds: float
    checkpoint_seconds: float
    peaks: dict[str, int]
    """Peak bytes of the process so far, at the end of loading, validation, checkpoint and steps."""
    timed_steps: int
    total_steps: int
    """Of the whole training as its settings say, if nothing stops it early."""
    looks: int
    """Validations of the whole training, the one before the first step included."""
    kernels: dict[str, str] = field(default_factory=dict)
    """What computes each part of the model, as `training.kernels` chose."""

    @property
    def machine_share(self) -> float | None:
        """What the products of a step reach of what the machine can do; None where one of both is unknown."""
        return self.products_per_second / self.machine_rate if self.machine_rate and self.products_per_second else None


def profile_fit(method: Method, job: FitJob, trace: Path) -> Profile:
    """Take a few steps of `job` in a scratch folder and write the trace of the last ones to `trace`, a .json.gz.

    Args:
        job: as for `method.fit`, with settings of training; its folders are not touched.
    Raises:
        Paused: `job.should_pause()` was true.
        ModelError, ResourceError, TrainingDiverged: as for `method.fit`.
    """
    settings = job.settings
    assert isinstance(settings, TrainingSettings), "only methods that train have steps"
    machine_rate = detect_device(measure=True).flops_per_second
    with tempfile.TemporaryDirectory(dir=trace.parent, prefix=".profile-") as scratch:
        folder, trace_part = Path(scratch) / "model", Path(scratch) / "trace.json.gz"
        folder.mkdir()
        watch = _Watch(job, trace_part)
        # More epochs than steps are needed, so that the steps never come to an end by themselves, and no validation among them.
        endless = settings.model_copy(update={"epochs": max(settings.epochs, MOST_STEPS + 1), "validate_every": 1 << 30})
        watched = replace(
            job,
            task=cast(Task, _WatchedTask(job.task, watch)),
            settings=endless,
            folder=folder,
            work=Path(scratch) / "work",
            emit=watch.hear,
            should_pause=watch.asks_for_the_end,
        )
        try:
            method.fit(watched)
        except Paused:
            if not watch.complete:
                raise
        trace_part.replace(trace)
    return watch.profile(machine_rate, epochs_taken_for=endless.epochs)


class _Watch:
    """What is heard and seen of a fit, in the order in which it happens."""

    def __init__(self, job: FitJob, trace: Path) -> None:
        self.job, self.trace = job, trace
        self.began = time.perf_counter()
        self.validation_began = self.validation_ended = self.training_began = 0.0
        self.seconds: list[float] = []
        self.tokens: list[int] = []
        self.padded: list[int] = []
        self.padded_now = 0
        self.total_steps = 0
        self.peaks: dict[str, int] = {}
        self.kernels: dict[str, str] = {}
        self.tracer: profile | None = None
        self.timed_until = 0
        self.traced: Sequence[Any] = ()
        self.complete = False

    def hear(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        """The job's events."""
        if kind == "validation" and not self.seconds:
            self.validation_ended = time.perf_counter()
            self.peaks["validation"] = peak_memory()
        elif kind == "kernels":
            self.kernels = {name: str(value) for name, value in data.items()}
        elif kind == "step":
            self.total_steps = int(data["total"])
            self.seconds.append(float(data["seconds"]))
            self.tokens.append(int(data["tokens"]))
            self.padded.append(self.padded_now)
            self.padded_now = 0
            done = len(self.seconds)
            self.job.emit(
                "progress", done=done, total=MOST_STEPS, seconds_left=round((MOST_STEPS - done) * self.seconds[-1], 1)
            )

    def has_loaded(self) -> None:
        """The first batch is made: of validation rows, because the untrained model is looked at first."""
        if not self.validation_began:
            self.validation_began = time.perf_counter()
            self.peaks["load"] = peak_memory()

    def trains(self, batch: Batch) -> None:
        if not self.training_began:
            self.training_began = time.perf_counter()
            self.peaks["checkpoint"] = peak_memory()
        self.padded_now += batch["input_ids"].numel() if "input_ids" in batch else 0

    def asks_for_the_end(self) -> bool:
        """Asked by the loop before every step: the moment to begin and to end tracing."""
        if self.job.should_pause():
            return True
        timed = len(self.seconds) - WARM_UP_STEPS
        if self.tracer is None:
            if timed >= TIMED_STEPS or (timed >= 1 and sum(self.seconds) > MOST_TIMED_SECONDS):
                self._start_tracing()
        elif len(self.seconds) - self.timed_until >= TRACED_STEPS:
            self._stop_tracing(self.tracer)
        return self.complete

    def _start_tracing(self) -> None:
        from torch.profiler import ProfilerActivity, profile

        self.timed_until = len(self.seconds)
        # Before tracing, which takes memory of its own.
        self.peaks["steps"] = peak_memory()
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self.job.device.kind == "cuda" else [])]
        self.tracer = profile(activities=activities, with_flops=True)
        self.tracer.start()

    def _stop_tracing(self, tracer: profile) -> None:
        tracer.stop()
        self.traced = tuple(tracer.events() or ())
        tracer.export_chrome_trace(str(self.trace))
        self.complete = True

    def profile(self, machine_rate: float, epochs_taken_for: int) -> Profile:
        timed, traced = slice(WARM_UP_STEPS, self.timed_until), slice(self.timed_until, None)
        seconds, tokens, padded = sum(self.seconds[timed]), sum(self.tokens[timed]), sum(self.padded[timed])
        operations = sum(event.flops or 0 for event in self.traced if event.name in _PRODUCTS)
        settings = self.job.settings
        assert isinstance(settings, TrainingSettings)
        steps = round(self.total_steps * settings.epochs / epochs_taken_for)
        validation_began = self.validation_began or self.validation_ended
        return Profile(
            step_seconds=seconds / len(self.seconds[timed]),
            parts=shares_of(self.traced, sum(self.seconds[traced]), self.job.device.kind == "cuda"),
            tokens_per_second=tokens / seconds,
            padding=max(0.0, 1 - tokens / padded) if padded else 0.0,
            products_per_second=operations / max(sum(self.tokens[traced]), 1) * tokens / seconds,
            machine_rate=machine_rate,
            load_seconds=validation_began - self.began,
            validation_seconds=self.validation_ended - validation_began,
            checkpoint_seconds=max(0.0, self.training_began - self.validation_ended),
            peaks=self.peaks,
            timed_steps=len(self.seconds[timed]),
            total_steps=steps,
            looks=1 + (math.ceil(steps / settings.validate_every) if settings.validate_every else settings.epochs),
            kernels=self.kernels,
        )


def shares_of(events: Sequence[Any], wall_seconds: float, accelerated: bool) -> dict[Part, float]:
    """The share of `wall_seconds` that each part took, from the events of a trace; what no part has is "other".

    Each event's own time goes to the innermost part that it is in, so that attention within the forward and the backward pass
    counts as attention. On an accelerator it is the time of its kernels that counts.
    """
    seconds = dict.fromkeys(PARTS, 0.0)
    for event in events:
        part = _part_of(event)
        if part != "other":
            own = event.self_device_time_total if accelerated else event.self_cpu_time_total
            seconds[part] += max(own, 0.0) / 1e6
    whole = max(wall_seconds, sum(seconds.values()), 1e-9)
    seconds["other"] = whole - sum(seconds.values())
    return {part: value / whole for part, value in seconds.items()}


def _part_of(event: Any) -> Part:
    while event is not None:
        part = _part_named(event.name)
        if part is not None:
            return part
        event = event.cpu_parent
    return "other"


@cache
def _part_named(name: str) -> Part | None:
    return next((part for pattern, part in _PATTERNS if pattern.search(name)), None)


class _WatchedTask:
    """The task of the job, which says when it is called and marks its work in the trace."""

    def __init__(self, task: Task, watch: _Watch) -> None:
        self._task, self._watch = task, watch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def encode(self, example: Example, processor: Any, spec: Spec) -> Row:
        with _marked(DATA):
            return self._task.encode(example, processor, spec)

    def encode_input(self, input: Json, processor: Any, spec: Spec) -> Row:
        with _marked(DATA):
            return self._task.encode_input(input, processor, spec)

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        self._watch.has_loaded()
        with _marked(DATA):
            return self._task.collate(rows, processor)

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
        import torch

        self._watch.has_loaded()
        if torch.is_grad_enabled():
            self._watch.trains(batch)
        with _marked(_FORWARD):
            return self._task.losses(model, batch)


@contextmanager
def _marked(name: str) -> Iterator[None]:
    from torch.profiler import record_function

    with record_function(name):
        yield
