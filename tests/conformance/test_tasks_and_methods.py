"""Every task and method found keeps its contract, and the suites notice those that do not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from sonmat import plugins
from sonmat.conformance import check_method, check_task
from sonmat.core.protocols import Batch, FitJob, FitResult, Method, Row, RowLosses, Task
from sonmat.core.values import Spec
from sonmat.methods.head_only import HeadOnly
from sonmat.tasks.chat import Chat
from sonmat.tasks.text_classification import TextClassification

TASKS = [task.name for task in plugins.every("tasks")]
METHODS = [method.name for method in plugins.every("methods")]


@pytest.mark.parametrize("name", TASKS)
def test_every_task_keeps_the_contract(name: str) -> None:
    check_task(plugins.find("tasks", name))


@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_contract_on_text_classification(name: str) -> None:
    check_method(plugins.find("methods", name), plugins.find("tasks", "text-classification"))


@pytest.mark.real
@pytest.mark.parametrize("task", sorted(set(TASKS) - {"text-classification"}))
@pytest.mark.parametrize("name", METHODS)
def test_every_method_keeps_the_contract_on_other_tasks(name: str, task: str) -> None:
    check_method(plugins.find("methods", name), plugins.find("tasks", task))


def test_a_mean_inside_the_losses_is_noticed() -> None:
    class Averaging(TextClassification):
        def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
            right = super().losses(model, batch)
            return RowLosses(right.sums / len(right.sums), right.items)

    with pytest.raises(AssertionError, match="split"):
        check_task(Averaging())


def test_a_prompt_that_differs_from_training_is_noticed() -> None:
    class Talkative(Chat):
        def encode_input(self, input: dict[str, Any], processor: Any, spec: Spec) -> Row:
            row = super().encode_input(input, processor, spec)
            return Row({"input_ids": [*row.arrays["input_ids"][1:], 1]}, row.length)

    with pytest.raises(AssertionError, match="beginning"):
        check_task(Talkative())


def test_a_task_that_cannot_learn_is_noticed() -> None:
    class Deaf(TextClassification):
        def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
            batch = super().collate(rows, processor)
            nothing = batch["input_ids"] * 0
            return {**batch, "input_ids": nothing, "attention_mask": nothing + 1}

    with pytest.raises(AssertionError, match="loss"):
        check_task(Deaf())


def test_a_task_that_answers_labels_that_do_not_exist_is_noticed() -> None:
    class Inventive(TextClassification):
        def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Any]:
            return super().decode(model, batch, processor, Spec(labels=("x", "y", "z")))

    with pytest.raises(AssertionError, match="does not exist"):
        check_task(Inventive())


class _Wrapped(HeadOnly):
    """Head-only tuning with a fault."""

    def __init__(self, fault: str) -> None:
        self.fault = fault

    def fit(self, job: FitJob) -> FitResult:
        result = super().fit(job)
        if self.fault == "moves frozen weights":
            _nudge(job.folder / "model.safetensors", "embeddings")
        if self.fault == "changes the base" and job.base is not None:
            (Path(job.base.path) / "note.txt").write_text("x")
        if self.fault == "declares nothing":
            return FitResult(steps=result.steps, selection=result.selection)
        return result


def _nudge(file: Path, part: str) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    name = next(name for name in tensors if part in name)
    tensors[name] = tensors[name] + 1
    save_file(tensors, file, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("moves frozen weights", "moved"),
        ("changes the base", "base model's folder"),
        ("declares nothing", "no weight trains"),
    ],
)
def test_a_method_with_a_fault_is_noticed(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_method(_Wrapped(fault), plugins.find("tasks", "text-classification"))


def test_a_method_that_ignores_a_pause_is_noticed() -> None:
    class Restless(HeadOnly):
        def fit(self, job: FitJob) -> FitResult:
            from dataclasses import replace

            return super().fit(replace(job, should_pause=lambda: False))

    with pytest.raises(AssertionError, match="pause"):
        check_method(Restless(), plugins.find("tasks", "text-classification"))


def test_something_of_the_wrong_shape_is_no_method() -> None:
    class Nothing:
        name = "nothing"

    method: Any = Nothing()
    with pytest.raises(AssertionError, match="lacks"):
        check_method(method, plugins.find("tasks", "chat"))


def test_plugins_fit_their_protocols_for_the_type_checker_too() -> None:
    task: Task = plugins.find("tasks", "chat")
    method: Method = plugins.find("methods", "lora")
    assert (task.name, method.name) == ("chat", "lora")
