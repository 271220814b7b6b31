"""A watch that counts the rows of each class, for checks that look at the classes as a whole.

In: batches of rows with one or several labels. Out: whatever the check says about the counts. It keeps no row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from sonmat.core.values import Finding
from sonmat.core.watching import Rows
from sonmat.reading.rows import labels_of

IDS_PER_CLASS = 5
"""Ids kept of each class: as many as a class may have and still be too small."""


class ClassCounts:
    """The `Watch` of a check that judges the classes by their sizes."""

    def __init__(self, findings_of: Callable[[Counter[str], dict[str, list[str]], int], Iterator[Finding]]) -> None:
        self._findings_of = findings_of
        self._counts: Counter[str] = Counter()
        self._first_ids: dict[str, list[str]] = {}
        self._rows = 0

    def see(self, rows: Rows) -> None:
        self._rows += len(rows.examples)
        for example in rows.examples:
            for label in labels_of(example):
                self._counts[label] += 1
                ids = self._first_ids.setdefault(label, [])
                if len(ids) < IDS_PER_CLASS:
                    ids.append(example.id)

    def findings(self) -> Iterator[Finding]:
        """What the check says of the counts, the first ids of each class, and the number of rows; there may be no class at all."""
        if self._rows:
            yield from self._findings_of(self._counts, self._first_ids, self._rows)
