"""Rows of the next forward pass, encoded by threads while the present one is computed.

In: how a row is encoded, and which rows are needed next. Out: the same rows. Decoding a photograph takes about 8 ms of a core, as long
as some cores or an accelerator take to train on it; encoding text takes microseconds and is kept, so texts need none of this, and
tokenizers do not like to be asked by two threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from sonmat.core.protocols import Row, Task
from sonmat.core.values import Device

MOST_THREADS: Final = 8
FEWEST_CORES: Final = 4
"""With fewer, a thread that encodes only takes turns with those that compute."""


class Ahead:
    def __init__(self, encode: Callable[[int], Row], threads: int) -> None:
        self._encode = encode
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="encode")
        self._waiting: dict[int, Future[Row]] = {}

    def request(self, indices: Sequence[int]) -> None:
        """Begin with these rows; what was requested before and not taken is forgotten."""
        self._waiting = {index: self._waiting.get(index) or self._pool.submit(self._encode, index) for index in indices}

    def __getitem__(self, index: int) -> Row:
        """The row, encoded here and now if nobody asked for it; errors of encoding are raised here."""
        found = self._waiting.pop(index, None)
        return found.result() if found is not None else self._encode(index)


def threads_for(task: Task, device: Device) -> int:
    """How many threads should encode ahead; 0 where that would not help."""
    if task.modality == "text" or (device.kind == "cpu" and device.cores < FEWEST_CORES):
        return 0
    return max(1, min(MOST_THREADS, device.cores // 2))
