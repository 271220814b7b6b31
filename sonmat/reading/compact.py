"""Millions of short strings in little memory: the ids of all rows, by position.

In: strings, one after the other. Out: a sequence of them. It takes the strings' bytes and eight more for each, a fifth of a list.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class CompactStrings(Sequence[str]):
    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        self.extend(strings)

    def extend(self, strings: Iterable[str]) -> None:
        for string in strings:
            self._bytes += string.encode()
            self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[index] for index in range(*place.indices(len(self)))]
        at = range(len(self))[place]
        return self._bytes[self._ends[at - 1] if at else 0 : self._ends[at]].decode()
