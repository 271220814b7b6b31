"""Which rows have equal keys, for millions of rows: eight bytes a row, sorted once at the end.

In: 64-bit keys in the order of the rows. Out: groups of positions. It knows nothing of rows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class Keys:
    """A growing column of 64-bit keys, one a row."""

    def __init__(self) -> None:
        self._keys = array("Q")

    def extend(self, keys: Iterable[int]) -> None:
        self._keys.extend(keys)

    def values(self) -> NDArray[np.uint64]:
        """Every key in the order of the rows, shape (rows,)."""
        return np.frombuffer(self._keys, dtype=np.uint64) if self._keys else np.empty(0, np.uint64)


def repeated(keys: NDArray[np.uint64]) -> list[NDArray[np.int64]]:
    """Positions of rows with equal keys, groups of two or more, in the order of their first rows."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = (
        np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1]))) if len(ordered) else np.empty(0, np.int64)
    )
    sizes = np.diff(np.append(starts, len(ordered)))
    groups = [order[start : start + size] for start, size in zip(starts, sizes, strict=True) if size > 1]
    return sorted(groups, key=lambda group: int(group[0]))


def mixed(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """One key of two: equal where both are, as good as never elsewhere (multiplication by an odd constant, then xor)."""
    with np.errstate(over="ignore"):
        return (first * np.uint64(0x9E3779B97F4A7C15)) ^ second
