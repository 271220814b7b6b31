"""How a base encodes the rows of a task: its longest row, the text that pretraining put first, and rows as training will see them.

In: a task, a base, what the user asked for. Out: a `Spec`, or a function from an example to its `Row`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sonmat import plugins
from sonmat.core.protocols import Row, Task
from sonmat.core.values import Example, ModelFacts, Spec
from sonmat.inference.encoding import encoder
from sonmat.training.tuning import give_template
from sonmat.training.weights import load_processor

DEFAULT_MAX_TOKENS: Final = {"encoder": 512, "causal": 1024}
"""Longest row unless the recipe says more; costs of attention and memory grow with it."""


def spec_for(task: Task, spec: Spec, base: ModelFacts, max_tokens: int | None) -> Spec:
    """The task's spec with what the base model adds; `max_tokens` is the user's, None where none was given."""
    family = plugins.find("families", base.family)
    usual = DEFAULT_MAX_TOKENS["causal" if task.generates or base.chat else "encoder"]
    longest = min(max_tokens or usual, base.max_positions)
    return spec.model_copy(update={"max_tokens": longest, "text_prefix": family.text_prefix})


def row_encoder(task: Task, base: ModelFacts, max_tokens: int | None) -> Callable[[Example], Row] | None:
    """Encodes a row as training with `base` will; None where inputs are no text."""
    if task.modality != "text":
        return None
    processor = load_processor(task, base.path)
    give_template(plugins.find("families", base.family), processor)
    return encoder(task, processor, spec_for(task, Spec(), base, max_tokens))
