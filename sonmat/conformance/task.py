"""What every task must keep: rows round-trip, losses fall, any split gives the same gradient, answers are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from sonmat.core.protocols import Row, RowLosses, Task, Tiny
from sonmat.core.values import Spec
from sonmat.plugins import missing_members
from sonmat.training.weights import to_training_mode

if TYPE_CHECKING:
    from torch import nn

STEPS = 30
LEARNING_RATE = 1e-2


def check_task(task: Task) -> None:
    """Hold `task` to its contract on its own `tiny()` model and rows.

    Raises:
        AssertionError: it breaks the contract; the message says where.
    """
    lacking = missing_members(task, "tasks")
    assert not lacking, f"{task!r} is no task: it lacks {lacking}"
    tiny = task.tiny()
    assert len(tiny.examples) >= 4, f"{task.name}: tiny() needs at least 4 examples"
    _rows_are_valid(task, tiny)
    rows = [task.encode(example, tiny.processor, tiny.spec) for example in tiny.examples]
    model = _model(task, tiny)
    _inputs_begin_like_rows(task, tiny, rows)
    _any_split_gives_the_same_gradient(task, tiny, model, rows)
    _losses_fall(task, tiny, model, rows)
    _answers_are_valid(task, tiny, model)


def _rows_are_valid(task: Task, tiny: Tiny) -> None:
    for example in tiny.examples:
        for part, kind in ((example.input, task.Input), (example.target, task.Target)):
            again = kind.model_validate(part).model_dump(mode="json", exclude_unset=True)
            assert again == part, f"{task.name}: {kind.__name__} turns {part} into {again}"
    specified = task.specify(tiny.examples)
    assert isinstance(specified, Spec), f"{task.name}: specify() gives {type(specified).__name__}, not a Spec"
    assert specified.labels == tiny.spec.labels, (
        f"{task.name}: specify() finds labels {specified.labels}, tiny() has others"
    )


def _inputs_begin_like_rows(task: Task, tiny: Tiny, rows: list[Row]) -> None:
    """What is asked in serving is, token for token, the beginning of what was trained on."""
    for example, row in zip(tiny.examples, rows, strict=True):
        assert row.supervised > 0, f"{task.name}: a row without anything to learn"
        asked = task.encode_input(example.input, tiny.processor, tiny.spec)
        if "input_ids" in asked.arrays:
            beginning = list(row.arrays["input_ids"])[: asked.length]
            assert list(asked.arrays["input_ids"]) == beginning, f"{task.name}: the prompt is not the beginning of the row"


def _model(task: Task, tiny: Tiny) -> nn.Module:
    import transformers

    torch.manual_seed(0)
    config = tiny.config
    for name, value in task.configure(tiny.spec).items():
        setattr(config, name, value)
    model: nn.Module = getattr(transformers, task.auto_model).from_config(config)
    return model


def _any_split_gives_the_same_gradient(task: Task, tiny: Tiny, model: nn.Module, rows: list[Row]) -> None:
    model.eval()
    whole, items = _gradient(task, tiny, model, [rows])
    split, same_items = _gradient(task, tiny, model, [rows[:1], rows[1:3], rows[3:]])
    assert items == same_items, f"{task.name}: {items} items in one batch, {same_items} in three"
    worst = max(float((a - b).abs().max()) for a, b in zip(whole, split, strict=True))
    scale = max(float(gradient.abs().max()) for gradient in whole)
    assert worst <= 1e-4 * scale, (
        f"{task.name}: gradients differ by {worst:.2e} when a batch is split: a mean inside losses()?"
    )


def _gradient(task: Task, tiny: Tiny, model: nn.Module, batches: list[list[Row]]) -> tuple[list[torch.Tensor], float]:
    model.zero_grad()
    items = 0.0
    for rows in batches:
        found = task.losses(model, task.collate(rows, tiny.processor))
        _has_a_value_a_row(task, found, len(rows))
        found.sums.sum().backward()
        items += float(found.items.sum())
    gradients = [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]
    model.zero_grad()
    return gradients, items


def _has_a_value_a_row(task: Task, found: RowLosses, rows: int) -> None:
    for name, tensor in (("sums", found.sums), ("items", found.items)):
        assert tensor.shape == (rows,), f"{task.name}: losses().{name} has shape {tuple(tensor.shape)}, expected ({rows},)"
    assert bool((found.items > 0).all()), f"{task.name}: a row of the loss counts no items"


def _losses_fall(task: Task, tiny: Tiny, model: nn.Module, rows: list[Row]) -> None:
    to_training_mode(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE)
    batch = task.collate(rows, tiny.processor)
    seen = []
    for _ in range(STEPS):
        found = task.losses(model, batch)
        loss = found.sums.sum() / found.items.sum()
        seen.append(loss.item())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert seen[-1] < 0.8 * seen[0], f"{task.name}: {STEPS} steps bring the loss from {seen[0]:.3f} only to {seen[-1]:.3f}"


def _answers_are_valid(task: Task, tiny: Tiny, model: nn.Module) -> None:
    model.eval()
    rows = [task.encode_input(example.input, tiny.processor, tiny.spec) for example in tiny.examples]
    with torch.inference_mode():
        answers = task.decode(model, task.collate(rows, tiny.processor), tiny.processor, tiny.spec)
    assert len(answers) == len(rows), f"{task.name}: {len(answers)} answers to {len(rows)} rows"
    for answer in answers:
        task.Output.model_validate(answer.output)
        if answer.confidence is not None:
            assert 0 <= answer.confidence <= 1, f"{task.name}: confidence {answer.confidence}"
        if tiny.spec.labels:
            assert answer.output["label"] in tiny.spec.labels, f"{task.name}: answers a label that does not exist"
