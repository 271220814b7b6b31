"""Loading a base model for a task, telling its new head from its pretrained body, and choosing which weights train."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.core.values import Spec
from sonmat.inference.quiet import quiet_transformers

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class LoadedBase:
    model: nn.Module
    processor: Any
    new: frozenset[str]
    """Names of parameters that the folder did not hold, so that they are random."""
    head: frozenset[str]
    """Names of parameters that pretraining has not set, or that lie outside the pretrained body: the task's output layer."""


def load_base(task: Task, spec: Spec, folder: Path | str, seed: int, dtype: torch.dtype | None = None) -> LoadedBase:
    """The base at `folder` with the task's output layer, and its tokenizer or image processor; see `load_model`.

    Raises:
        ModelError: the folder holds no model for this task.
    """
    model, new = load_model(task, spec, folder, seed, dtype)
    return LoadedBase(model, load_processor(task, folder), new, head_names(model, new))


def load_model(
    task: Task, spec: Spec, folder: Path | str, seed: int, dtype: torch.dtype | None = None
) -> tuple[Any, frozenset[str]]:
    """The model at `folder` in `dtype` (fp32 if left out), and names of parameters that the folder did not hold.

    A new layer's weights depend on `seed` alone.

    Raises:
        ModelError: the folder holds no model for this task.
    """
    import torch
    import transformers

    torch.manual_seed(seed)
    auto_model = getattr(transformers, task.auto_model)
    try:
        with quiet_transformers():
            model, report = auto_model.from_pretrained(
                str(folder),
                **task.configure(spec),
                dtype=dtype or torch.float32,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
            )
    except (ValueError, OSError, KeyError) as error:
        raise ModelError(
            Text(
                en=f"{folder} cannot be loaded as {task.auto_model}: {error}",
                ko=f"{folder}을(를) {task.auto_model}(으)로 불러올 수 없습니다: {error}",
            ),
            Text(
                en=f"Choose a base model made for {task.name}: `sonmat models list`.",
                ko=f"{task.title.ko} 과제에 맞는 기본 모델을 고르세요: `sonmat models list`.",
            ),
        ) from error
    mismatched = {key[0] if isinstance(key, tuple) else key for key in report["mismatched_keys"]}
    return model, frozenset(report["missing_keys"]) | mismatched


def load_processor(task: Task, folder: Path | str) -> Any:
    """The tokenizer or image processor that belongs to the model at `folder`."""
    import transformers

    with quiet_transformers():
        return getattr(transformers, task.auto_processor).from_pretrained(str(folder))


def head_names(model: nn.Module, new: Iterable[str] = ()) -> frozenset[str]:
    """Names in `new` and of all parameters outside the pretrained body; for a language model, of none outside it."""
    names = {name for name, _ in model.named_parameters()}
    prefix = str(getattr(model, "base_model_prefix", ""))
    outside: set[str] = set()
    if prefix and model.get_output_embeddings() is None:  # type: ignore[operator]
        outside = {name for name in names if not name.startswith(f"{prefix}.")}
    return frozenset((set(new) & names) | outside)


def train_only(model: nn.Module, names: Iterable[str]) -> int:
    """Freeze every parameter but `names`; returns how many numbers train.

    Raises:
        ValueError: a name is not a parameter of the model.
    """
    wanted = set(names)
    unknown = wanted - {name for name, _ in model.named_parameters()}
    if unknown:
        raise ValueError(f"not parameters of the model: {sorted(unknown)}")
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name in wanted)
    return trained_parameters(model)


def trained_parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def set_dropout(model: nn.Module, share: float) -> None:
    """Set every dropout layer of `model`, and the shares that attention reads from its configuration."""
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
        for attribute in ("dropout_prob", "attention_dropout"):
            if isinstance(getattr(module, attribute, None), float):
                setattr(module, attribute, share)


def to_training_mode(model: nn.Module) -> None:
    """Training mode for what trains; evaluation mode for frozen modules and for every batch normalisation.

    A frozen module's dropout would only add noise. A batch normalisation in training mode would make a step depend on how
    it is cut into forward passes, and move statistics of layers that are declared frozen.
    """
    from torch import nn

    model.train()
    # Called after every look at validation rows, so it goes over names once instead of over each module's parameters.
    holding, training = set[str](), set[str]()
    for name, parameter in model.named_parameters(remove_duplicate=False):
        above = set(_prefixes(name))
        holding |= above
        if parameter.requires_grad:
            training |= above
    for name, module in model.named_modules():
        frozen = name in holding and name not in training
        if module.training and (frozen or isinstance(module, nn.modules.batchnorm._BatchNorm)):
            module.eval()


def _prefixes(name: str) -> Iterator[str]:
    """Names of the modules that the parameter `name` lies in, up to the model itself, ''."""
    while name:
        name = name.rpartition(".")[0]
        yield name
