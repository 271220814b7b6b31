"""What checks and the split look at in examples: labels, texts, and which rows say the same.

In: examples. Out: strings and keys of them. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from sonmat.core.protocols import Kind
from sonmat.core.values import Example, Json
from sonmat.reading.sameness import same_hash

ROWS_AT_ONCE = 2048
"""Few enough for flat memory, many enough for libraries that work in batches."""


_NO_TEXT = ("role", "image", "audio")


class ExampleRows:
    """The `Rows` that checks see: what several of them need is computed once."""

    def __init__(self, examples: Sequence[Example], start: int = 0) -> None:
        self._examples = examples
        self._start = start

    @property
    def start(self) -> int:
        return self._start

    @property
    def examples(self) -> Sequence[Example]:
        return self._examples

    @cached_property
    def inputs(self) -> Sequence[str]:
        return [text_of(example.input) for example in self._examples]

    @cached_property
    def targets(self) -> Sequence[str]:
        return [text_of(example.target) for example in self._examples]

    @cached_property
    def texts(self) -> Sequence[str]:
        return [f"{input}\n{target}" for input, target in zip(self.inputs, self.targets, strict=True)]

    @cached_property
    def input_keys(self) -> Sequence[int]:
        return [same_hash(example.input) for example in self._examples]

    @cached_property
    def target_keys(self) -> Sequence[int]:
        return [same_hash(example.target) for example in self._examples]


def in_batches(examples: Iterable[Example]) -> Iterator[ExampleRows]:
    """The examples, some thousand at a time."""
    remaining, start = iter(examples), 0
    while batch := list(islice(remaining, ROWS_AT_ONCE)):
        yield ExampleRows(batch, start)
        start += len(batch)


def has_labels(kind: Kind) -> bool:
    """Whether every target is one label."""
    return "label" in kind.Target.model_fields


def has_classes(kind: Kind) -> bool:
    """Whether every target is one label or several."""
    return has_labels(kind) or "labels" in kind.Target.model_fields


def labels_of(example: Example) -> tuple[str, ...]:
    """The label of the example, or its several labels; empty where its target is no choice among classes."""
    if "labels" in example.target:
        return tuple(example.target["labels"])
    return (str(example.target["label"]),) if "label" in example.target else ()


def text_of(value: Json) -> str:
    """All text of an input or target, one piece a line."""
    if len(value) == 1:
        ((name, part),) = value.items()
        if type(part) is str and name not in _NO_TEXT:
            return part
    return "\n".join(texts_of(value))


def texts_of(value: Any) -> Iterator[str]:
    """Every text in an input or target; roles and paths of media are none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, part in value.items():
            if name not in _NO_TEXT:
                yield from texts_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts_of(part)
