"""What checks and the split look at in examples: labels, texts, and which rows say the same.

In: examples. Out: strings and groups of examples. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sonmat.core.protocols import Task
from sonmat.core.values import Example
from sonmat.reading.sameness import same_key


def has_labels(task: Task) -> bool:
    """Whether every target of the task is one label."""
    return "label" in task.Target.model_fields


def texts_of(value: Any) -> Iterator[str]:
    """Every text in an input or target; roles and paths of media are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in ("role", "image", "audio"):
                yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)


def input_key(example: Example) -> str:
    return same_key(example.input)


def pair_key(example: Example) -> str:
    return same_key([example.input, example.target])


def repeated(examples: Iterable[Example], key: Callable[[Example], str]) -> list[list[Example]]:
    """Groups of two or more examples with the same key, in the order of their first rows."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(key(example), []).append(example)
    return [group for group in groups.values() if len(group) > 1]
