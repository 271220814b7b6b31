"""What a whole batch of texts holds, so that a check can pass over a clean batch without a look at its rows.

In: a batch of rows. Out: all its text as one string and the different characters in it, computed once for all checks that ask.
It keeps the last batch, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from sonmat.core.protocols import Rows


class Gist:
    """All text of a batch."""

    def __init__(self, rows: Rows) -> None:
        self.whole = "\n".join(rows.texts)

    @cached_property
    def characters(self) -> str:
        """Every character of the batch, once."""
        return "".join(set(self.whole))

    @cached_property
    def words(self) -> frozenset[str]:
        """Everything between white space in small letters, once."""
        return frozenset(self.whole.lower().split())


def gist_of(rows: Rows) -> Gist:
    """The gist of the batch; asked again for the same batch, the same one."""
    global _last
    if _last is None or _last[0] is not rows:
        _last = rows, Gist(rows)
    return _last[1]


_last: tuple[Rows, Gist] | None = None


def suspects(rows: Rows, characters: re.Pattern[str], pattern: re.Pattern[str] | None = None) -> Iterator[tuple[int, str]]:
    """Place and text of the rows in which `pattern` occurs; none are looked at unless the batch has one of `characters`."""
    gist, wanted = gist_of(rows), pattern or characters
    if not characters.search(gist.characters):
        return
    if pattern is not None and not pattern.search(gist.whole):
        return
    for at, text in enumerate(rows.texts):
        if wanted.search(text):
            yield at, text
