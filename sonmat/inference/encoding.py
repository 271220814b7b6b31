"""How a base encodes the rows of a task, for whoever counts tokens before there is anything to train.

In: a task, the base's processor and spec. Out: a function from an example to its `Row`. It loads nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sonmat.core.protocols import Row, Task
from sonmat.core.values import Example, Spec


def encoder(task: Task, processor: Any, spec: Spec) -> Callable[[Example], Row] | None:
    """Encodes a row as training will, at most `spec.max_tokens` long; None where inputs are no text.

    Where the target is no text of its own, the input alone is encoded, so that the labels need not be known yet.
    """
    if task.modality != "text":
        return None
    if task.generates:
        return lambda example: task.encode(example, processor, spec)
    return lambda example: task.encode_input(example.input, processor, spec)
