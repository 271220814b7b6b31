"""A watch for faults that a row shows by itself, so that a check of this kind only says what the fault is and how to report it.

In: batches of rows and a function that names the faulty ones. Out: one finding, or none. It keeps ids, a few pieces of
evidence and the repairs; nothing of rows without a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.core.watching import Rows

EVIDENCE = 5
"""Pieces of evidence that a finding keeps."""


@dataclass(frozen=True)
class Fault:
    """One faulty row of a batch."""

    at: int
    """Its place in the batch."""
    evidence: str = ""
    """A short literal piece that shows the fault; never personal data."""
    repair: Repair | None = None


@dataclass
class Faults:
    """Every faulty row of the data."""

    rows_seen: int = 0
    ids: list[str] = field(default_factory=list)
    places: list[Text] = field(default_factory=list)
    """Of the first few."""
    evidence: list[str] = field(default_factory=list)
    """Of the first few, each different."""
    repairs: list[Repair] = field(default_factory=list)

    @property
    def share(self) -> float:
        return len(self.ids) / max(self.rows_seen, 1)


class RowFaults:
    """The `Watch` of a check whose faults are seen row by row."""

    def __init__(self, faults_of: Callable[[Rows], Iterable[Fault]], finding_of: Callable[[Faults], Finding]) -> None:
        self._faults_of = faults_of
        self._finding_of = finding_of
        self._found = Faults()

    def see(self, rows: Rows) -> None:
        found = self._found
        found.rows_seen += len(rows.examples)
        for fault in self._faults_of(rows):
            example = rows.examples[fault.at]
            found.ids.append(example.id)
            if len(found.places) < EVIDENCE:
                found.places.append(example.source.place)
            if fault.evidence and len(found.evidence) < EVIDENCE and fault.evidence not in found.evidence:
                found.evidence.append(fault.evidence)
            if fault.repair is not None:
                found.repairs.append(fault.repair)

    def findings(self) -> Iterator[Finding]:
        if self._found.ids:
            yield self._finding_of(self._found)
