"""What lies behind a predictor: the model that it asks, and the untuned base of a tuned model.

In: a predictor, or a model and the facts of its base. Out: `NeuralPredictor`, or the base as it was before training. An adapter is
taken off for the while, which costs no memory; of a model whose own weights were trained, the base is loaded beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Predictor
from sonmat.core.text import Text
from sonmat.core.values import ModelFacts
from sonmat.inference.predictor import NeuralPredictor
from sonmat.inference.quiet import quiet_transformers

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Wrapping(Protocol):
    """A predictor that passes questions on to another."""

    def loaded(self) -> Predictor: ...


def neural_behind(predictor: Predictor) -> NeuralPredictor:
    """The loaded model that `predictor` asks.

    Raises:
        ModelError: it asks none of this machine.
    """
    behind = predictor
    while isinstance(behind, Wrapping):
        behind = behind.loaded()
    if isinstance(behind, NeuralPredictor):
        return behind
    raise ModelError(
        Text(
            en="This arm has no model on this machine whose weights could be looked at.",
            ko="이 후보에는 가중치를 들여다볼 모델이 이 컴퓨터에 없습니다.",
        )
    )


def untuned(model: Any, base: ModelFacts, auto_model: str) -> Callable[[], AbstractContextManager[nn.Module]]:
    """Opens the base of `model`, in its own compute type; whatever is computed inside is the base's.

    Args:
        auto_model: name of the Transformers class to load a base with that must lie beside the model.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        return lambda: _without_adapter(model)
    beside = _loaded(base, auto_model, model)
    return lambda: nullcontext(beside)


def _loaded(base: ModelFacts, auto_model: str, like: Any) -> nn.Module:
    """The base, its matrices and vectors of the types and on the device of those of `like`."""
    import torch
    import transformers

    with quiet_transformers():
        model = getattr(transformers, auto_model).from_pretrained(base.path, dtype=torch.float32)
    types = {min(parameter.ndim, 2): parameter.dtype for parameter in like.parameters()}
    for parameter in model.parameters():
        parameter.data = parameter.data.to(types[min(parameter.ndim, 2)])
    return model.eval().to(next(like.parameters()).device)  # type: ignore[no-any-return]


def body_of(model: Any) -> nn.Module:
    """The pretrained body of a Transformers model, under its adapter and without its head."""
    from peft import PeftModel

    whole = model.get_base_model() if isinstance(model, PeftModel) else model
    return whole.base_model  # type: ignore[no-any-return]


@contextmanager
def _without_adapter(model: Any) -> Iterator[nn.Module]:
    with model.disable_adapter():
        yield model
