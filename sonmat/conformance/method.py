"""What every method must keep: only declared weights move, saving loses nothing, resuming is exact, tuning changes answers."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sonmat import plugins
from sonmat.core.errors import Paused
from sonmat.core.protocols import FitJob, FitResult, Method, No, Predictor, Question, SavedModel, Task
from sonmat.core.text import Text
from sonmat.core.values import Device, Json, ModelFacts
from sonmat.plugins import missing_members

CPU = Device(kind="cpu", cores=1, memory_bytes=8 << 30, bf16=False)
FAST = {"learning_rate": 1e-2, "epochs": 3, "batch_size": 4, "patience": 9, "warmup_ratio": 0.0}
"""Settings that teach a tiny model something, as far as the method has them."""


def check_method(method: Method, task: Task) -> bool:
    """Hold `method` to its contract on the tiny model of `task`; returns whether it supports the task at all.

    Raises:
        AssertionError: it breaks the contract; the message says where.
    """
    lacking = missing_members(method, "methods")
    assert not lacking, f"{method!r} is no method: it lacks {lacking}"
    with tempfile.TemporaryDirectory(prefix="sonmat-check-") as name:
        folder = Path(name)
        base = tiny_base(task, folder / "base")
        supported = method.supports(task, base if method.needs_base else None, CPU)
        if isinstance(supported, No):
            assert supported.reason.en, f"{method.name}: refuses {task.name} without a reason"
            assert supported.reason.ko, f"{method.name}: refuses {task.name} without a reason in Korean"
            return False
        before = _fingerprint(Path(base.path))
        result, events = _fit(method, task, base, folder / "whole")
        assert _fingerprint(Path(base.path)) == before, f"{method.name}: changes the base model's folder"
        answers = _answers(method, task, base, folder / "whole")
        assert answers == _answers(method, task, base, folder / "whole"), f"{method.name}: two loads answer differently"
        for answer in answers.values():
            task.Output.model_validate(answer)
        _heeds_questions(method, task, base, folder / "whole" / "model")
        if method.role == "tuned":
            _learns(method, base, result, events)
            _only_declared_weights_moved(method, base, folder / "whole" / "model", result)
            _resumes(method, task, base, folder, answers, events)
    return True


def tiny_base(task: Task, folder: Path) -> ModelFacts:
    """The task's random tiny model, saved as a base model is: without the task's own labels."""
    import transformers

    tiny = task.tiny()
    torch.manual_seed(0)
    model = getattr(transformers, task.auto_model).from_config(tiny.config)
    model.save_pretrained(folder)
    tiny.processor.save_pretrained(folder)
    config = tiny.config.to_dict()
    return ModelFacts(
        name="tiny",
        path=str(folder),
        origin="tiny",
        checksum="tiny",
        family=plugins.family_of("tiny", config).name,
        model_type=str(config.get("model_type", "")),
        parameters=model.num_parameters(),
        hidden_size=int(config.get("hidden_size", 0)),
        layers=int(config.get("num_hidden_layers", 0)),
        vocabulary=int(config.get("vocab_size", 0) or 0),
        max_positions=64,
    )


def _fit(
    method: Method, task: Task, base: ModelFacts, folder: Path, should_pause: Callable[[int], bool] = lambda step: False
) -> tuple[FitResult, list[tuple[str, Json]]]:
    """Fit on the tiny rows; `should_pause` is given the number of steps seen so far."""
    tiny = task.tiny()
    events: list[tuple[str, Json]] = []

    def emit(kind: str, message: Text | None = None, /, **data: Any) -> None:
        events.append((kind, data))

    def pause() -> bool:
        return should_pause(sum(kind == "step" for kind, _ in events))

    (folder / "model").mkdir(parents=True, exist_ok=True)
    known = method.Settings.model_fields
    job = FitJob(
        task=task,
        spec=tiny.spec,
        base=base if method.needs_base else None,
        family=plugins.find("families", base.family) if method.needs_base else None,
        settings=method.Settings.model_validate({name: value for name, value in FAST.items() if name in known}),
        train=tiny.examples,
        validation=tiny.examples,
        selection=plugins.find("metrics", task.selection_metric),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=emit,
        should_pause=pause,
    )
    return method.fit(job), events


def load_tiny(method: Method, task: Task, base: ModelFacts, folder: Path) -> Predictor:
    """The predictor of a model that was fitted into `folder`."""
    return method.load(
        SavedModel(
            folder=folder,
            method=method.name,
            task=task,
            spec=task.tiny().spec,
            base=base if method.needs_base else None,
            family=plugins.find("families", base.family) if method.needs_base else None,
            settings=method.Settings(),
            device=CPU,
        )
    )


def _answers(method: Method, task: Task, base: ModelFacts, folder: Path) -> dict[str, Json]:
    questions = [Question(example.id, example.input) for example in task.tiny().examples]
    found = {p.row: p.output for p in load_tiny(method, task, base, folder / "model").answer(questions)}
    assert set(found) == {question.row for question in questions}, f"{method.name}: not every question is answered once"
    return found


def _heeds_questions(method: Method, task: Task, base: ModelFacts, model: Path) -> None:
    """A question that asks for the likelihood alone is not answered, and no answer is longer than its question allows."""
    predictor = load_tiny(method, task, base, model)
    examples = task.tiny().examples[:4]
    both = list(
        predictor.answer(
            [
                Question(f"{example.id} {write}", example.input, example.target, write=write, max_new_tokens=1)
                for example in examples
                for write in (True, False)
            ]
        )
    )
    asked = {f"{example.id} {write}" for example in examples for write in (True, False)}
    assert {prediction.row for prediction in both} == asked, f"{method.name}: not every question is answered once"
    for prediction in both:
        if prediction.row.endswith("False"):
            assert prediction.output == {}, f"{method.name}: writes an answer where only the likelihood was asked for"
        assert prediction.tokens <= 1, f"{method.name}: writes {prediction.tokens} tokens where one was allowed"


def _learns(method: Method, base: ModelFacts, result: FitResult, events: list[tuple[str, Json]]) -> None:
    """Weights train, and the validated loss falls from where the untrained model began."""
    assert result.steps > 0, f"{method.name}: no step was taken"
    assert result.trained_parameters > 0, f"{method.name}: no weight trains"
    assert result.trained_parameters <= 2 * base.parameters, f"{method.name}: says that more weights train than there are"
    loss = result.selection.get("loss")
    assert loss is not None, f"{method.name}: reports no validation loss"
    first = next(data for kind, data in events if kind == "validation")
    assert first["step"] == 0, f"{method.name}: does not look at the untrained model first"
    assert loss < first["loss"], f"{method.name}: the loss does not fall ({first['loss']:.4f} to {loss:.4f})"


def _only_declared_weights_moved(method: Method, base: ModelFacts, saved: Path, result: FitResult) -> None:
    """A whole model in the folder differs from its base in no more numbers than the method says it trained."""
    from safetensors.torch import load_file

    if not (saved / "model.safetensors").is_file():
        return
    before, after = load_file(Path(base.path) / "model.safetensors"), load_file(saved / "model.safetensors")
    moved = [name for name, tensor in after.items() if name not in before or not torch.equal(tensor, before[name])]
    count = sum(after[name].numel() for name in moved)
    assert count <= result.trained_parameters, (
        f"{method.name}: says it trains {result.trained_parameters} numbers, and {count} moved: {', '.join(sorted(moved))}"
    )


def _resumes(
    method: Method, task: Task, base: ModelFacts, folder: Path, answers: dict[str, Json], events: list[tuple[str, Json]]
) -> None:
    """Paused after two steps and continued, a fit ends with the same losses and the same answers."""
    where = folder / "resumed"
    try:
        _fit(method, task, base, where, should_pause=lambda step: step == 2)
    except Paused:
        pass
    else:
        raise AssertionError(f"{method.name}: does not pause when asked")
    _, later = _fit(method, task, base, where)
    assert any(kind == "resumed" for kind, _ in later), f"{method.name}: starts again instead of continuing"
    curve = {data["step"]: data["loss"] for kind, data in events if kind == "step"}
    for kind, data in later:
        if kind == "step":
            assert data["loss"] == curve[data["step"]], f"{method.name}: step {data['step']} differs after resuming"
    assert _answers(method, task, base, where) == answers, f"{method.name}: answers differ after resuming"


def _fingerprint(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
