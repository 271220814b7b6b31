"""Millions of short strings in little memory: the ids of all rows, by position, and where they came from.

In: strings, one after the other. Out: a sequence of them. It takes the strings' bytes and eight more for each, a fifth of a list.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

from sonmat.core.values import Source


class CompactStrings(Sequence[str]):
    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        self.extend(strings)

    def extend(self, strings: Iterable[str]) -> None:
        encoded = [string.encode() for string in strings]
        end = len(self._bytes)
        self._ends.extend(accumulate(map(len, encoded), initial=end))
        # The first is where they begin, which is there already as the end of those before.
        del self._ends[len(self._ends) - len(encoded) - 1]
        self._bytes += b"".join(encoded)

    def append(self, string: str) -> None:
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


class CompactSources:
    """Where each row came from, in order: eight bytes a row, and a name whenever the file changes."""

    def __init__(self) -> None:
        self._rows = array("Q")
        self._files = CompactStrings()
        self._begins = array("Q")
        self._last: str | None = None

    def __len__(self) -> int:
        return len(self._rows)

    def append(self, source: Source) -> None:
        if source.file != self._last:
            self._last = source.file
            self._files.append(source.file)
            self._begins.append(len(self._rows))
        self._rows.append(source.row)

    def __iter__(self) -> Iterator[Source]:
        for number, file in enumerate(self._files):
            end = self._begins[number + 1] if number + 1 < len(self._begins) else len(self._rows)
            for place in range(self._begins[number], end):
                yield Source(file=file, row=self._rows[place])
