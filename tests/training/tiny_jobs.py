"""Jobs on random tiny models, for tests of milliseconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers

from sonmat import plugins
from sonmat.core.protocols import FitJob, Task
from sonmat.core.text import Text
from sonmat.core.values import Device, ModelFacts

CPU = Device(kind="cpu", cores=1, memory_bytes=8 << 30, bf16=False)


class Heard:
    """An `Emit` that remembers."""

    def __init__(self, on_event: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.on_event = on_event

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        self.events.append((kind, data))
        if self.on_event is not None:
            self.on_event(kind, data)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [data for name, data in self.events if name == kind]


def save_tiny_base(task: Task, folder: Path) -> ModelFacts:
    """A random tiny model of the task's kind, saved as a base model is."""
    tiny = task.tiny()
    torch.manual_seed(0)
    model = getattr(transformers, task.auto_model).from_config(tiny.config)
    model.save_pretrained(folder)
    tiny.processor.save_pretrained(folder)
    return ModelFacts(
        name="tiny",
        path=str(folder),
        origin=str(folder),
        checksum="tiny",
        family=plugins.family_of("tiny", tiny.config.to_dict()).name,
        model_type=tiny.config.model_type,
        parameters=model.num_parameters(),
        hidden_size=tiny.config.hidden_size,
        layers=tiny.config.num_hidden_layers,
    )


def tiny_job(task_name: str, method_name: str, folder: Path, emit: Heard | None = None, **settings: Any) -> FitJob:
    """A fit of `method_name` on the task's tiny rows; the same folder again continues or repeats the same fit."""
    task, method = plugins.find("tasks", task_name), plugins.find("methods", method_name)
    base = save_tiny_base(task, folder / "base")
    tiny = task.tiny()
    (folder / "model").mkdir(exist_ok=True)
    return FitJob(
        task=task,
        spec=tiny.spec,
        base=base if method.needs_base else None,
        family=plugins.find("families", base.family) if method.needs_base else None,
        settings=method.Settings(**settings),
        train=tiny.examples,
        validation=tiny.examples,
        selection=plugins.find("metrics", task.selection_metric),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=emit or Heard(),
        should_pause=lambda: False,
    )
