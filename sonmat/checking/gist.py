"""What a whole batch of texts holds, so that a check can pass over a clean batch without a look at its rows.

In: a batch of rows. Out: all its text as one string and the different characters in it, computed once for all checks that ask.
It keeps the last batch, no more.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from sonmat.core.watching import Rows


class Gist:
    """All text of a batch."""

    def __init__(self, rows: Rows) -> None:
        self._texts = rows.texts
        self.whole = "\n".join(rows.texts)

    @cached_property
    def starts(self) -> list[int]:
        """Where the text of each row begins."""
        return [0, *accumulate(len(text) + 1 for text in self._texts[:-1])]

    @cached_property
    def characters(self) -> str:
        """Every character of the batch, once."""
        return "".join(set(self.whole))

    @cached_property
    def flat(self) -> str:
        """All of it in small letters with single spaces, one before and one behind."""
        return f" {' '.join(self.whole.lower().split())} "

    @cached_property
    def words(self) -> frozenset[str]:
        """Everything between white space in small letters, once."""
        return frozenset(self.flat.split())


def gist_of(rows: Rows) -> Gist:
    """The gist of the batch; asked again for the same batch, the same one."""
    global _last
    if _last is None or _last[0] is not rows:
        _last = rows, Gist(rows)
    return _last[1]


_last: tuple[Rows, Gist] | None = None


def suspects(rows: Rows, pattern: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """Place and text of the rows in which `pattern` occurs, all looked through as one."""
    gist = gist_of(rows)
    last = -1
    for found in pattern.finditer(gist.whole):
        at = bisect_right(gist.starts, found.start()) - 1
        if at != last:
            yield at, rows.texts[at]
            last = at
