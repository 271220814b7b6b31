"""Encoded rows by position: small ones are kept, large ones (pictures) are encoded anew each time they are needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from sonmat.core.protocols import Row, Task

ROWS_KEPT_BYTES = 256 << 20

Item = TypeVar("Item")


class Rows(Generic[Item]):
    """Rows of `items`, encoded when asked for.

    Args:
        same_length: all rows cost what the first one costs, so that only one has to be encoded to know the lengths.
    """

    def __init__(self, items: Sequence[Item], encode: Callable[[Item], Row], *, same_length: bool = False) -> None:
        self.items = items
        self.same_length = same_length
        self.encode = encode
        self.kept: dict[int, Row] = {}
        self.room = ROWS_KEPT_BYTES
        if same_length:
            self.lengths = [self[0].length] * len(items) if items else []
        else:
            self.lengths = [self[index].length for index in range(len(items))]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Row:
        if index in self.kept:
            return self.kept[index]
        row = self.encode(self.items[index])
        size = _bytes(row)
        if size <= self.room:
            self.room -= size
            self.kept[index] = row
        return row


def same_length(task: Task) -> bool:
    """Whether all rows of the task cost the same: pictures are scaled to one size."""
    return task.modality == "image"


def _bytes(row: Row) -> int:
    return sum(int(getattr(value, "nbytes", 0)) or 8 * len(value) if _sized(value) else 8 for value in row.arrays.values())


def _sized(value: object) -> bool:
    return isinstance(value, Sequence) or bool(getattr(value, "shape", ()))
