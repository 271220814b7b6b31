"""What was made of a tensor last: all layers of a pass are given the same tensor, and what is made of it serves them all.

In: the tensor, whatever else decides, and how to make it. Out: what was made, now or just before.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from torch import Tensor

Made = TypeVar("Made")


class Last(Generic[Made]):
    """One thing, kept as long as the same is asked for. It is replaced as a whole, so that threads never mix two."""

    def __init__(self) -> None:
        self._last: tuple[weakref.ref[Tensor], Hashable, Made] | None = None

    def of(self, tensor: Tensor, asked: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives for `tensor`, known by who it is and not by what is in it, and for `asked`."""
        last = self._last
        if last is None or last[0]() is not tensor or last[1] != asked:
            self._last = last = (weakref.ref(tensor), asked, make())
        return last[2]
