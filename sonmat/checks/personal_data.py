"""E-mail addresses, phone and identity numbers, cards, accounts, addresses and secrets in the texts of rows: one finding a kind.

Labels and numbers that are no text are not looked at: a label names a class, is shown wherever results are, and replacing it
would change the task. Values never leave the row: evidence shows the words around one, with the kind in its place.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sonmat.checking.row_faults import EVIDENCE
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Repair
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.personal import KINDS, SECRETS, TITLES, PersonalKind, Span, excerpt, find_personal, might_hold_personal
from sonmat.reading.rows import has_classes, texts_of


class PersonalData:
    name = "personal_data"
    title = Text(en="Personal data", ko="개인정보")

    def watch(self, data: Surroundings) -> Watch:
        return _Values(data)


@dataclass
class _OfOneKind:
    positions: array[int] = field(default_factory=lambda: array("Q"))
    """Of the rows that hold such values."""
    values: int = 0
    evidence: list[str] = field(default_factory=list)


class _Values:
    def __init__(self, data: Surroundings) -> None:
        self.ids = data.ids
        self.classes = has_classes(data.kind)
        self.found: dict[PersonalKind, _OfOneKind] = {}

    def see(self, rows: Rows) -> None:
        targets = [""] * len(rows.examples) if self.classes else rows.targets
        for at, (input, target) in enumerate(zip(rows.inputs, targets, strict=True)):
            if might_hold_personal(input) or might_hold_personal(target):
                self._note(rows.start + at, rows.examples[at])

    def _note(self, position: int, example: Example) -> None:
        """Text by text, as the redaction goes, so that both see the same."""
        parts = (example.input,) if self.classes else (example.input, example.target)
        for part in parts:
            for text in texts_of(part):
                for span in find_personal(text):
                    self._add(position, text, span)

    def _add(self, position: int, text: str, span: Span) -> None:
        of_kind = self.found.setdefault(span.kind, _OfOneKind())
        of_kind.values += 1
        if not of_kind.positions or of_kind.positions[-1] != position:
            of_kind.positions.append(position)
        if len(of_kind.evidence) < EVIDENCE and (shown := excerpt(text, span)) not in of_kind.evidence:
            of_kind.evidence.append(shown)

    def findings(self) -> Iterator[Finding]:
        for kind in KINDS:
            if kind in self.found:
                yield self._finding(kind, self.found[kind])

    def _finding(self, kind: PersonalKind, found: _OfOneKind) -> Finding:
        rows = tuple(self.ids[position] for position in found.positions)
        return Finding(
            check=plugin.name,
            severity="warning",
            what=_what(kind, len(rows), found.values),
            fix=_fix(kind),
            rows=rows,
            evidence=tuple(found.evidence),
            decided_by="personal_data",
            data={"kind": kind, "values": found.values},
            repairs=_as_the_setting_says(rows),
        )


def _what(kind: PersonalKind, rows: int, values: int) -> Text:
    title = TITLES[kind]
    return Text(
        en=f"Personal data ({title.en}): {values:,} found in {rows:,} row{'s' * (rows != 1)}.",
        ko=f"개인정보({title.ko})가 {rows:,}행에 {values:,}건 있습니다.",
    )


def _fix(kind: PersonalKind) -> Text:
    if kind in SECRETS:
        return Text(
            en="Make it invalid where it is in use; a model can repeat what it learnt. --personal-data redact puts placeholders "
            "in its place, drop leaves the rows out.",
            ko="쓰고 있는 값이라면 먼저 폐기하세요. 모델은 배운 것을 그대로 말할 수 있습니다. --personal-data redact는 자리 표시로 "
            "바꾸고, drop은 그 행을 뺍니다.",
        )
    return Text(
        en="A model can repeat what it learnt. --personal-data redact puts placeholders in its place, drop leaves the rows out.",
        ko="모델은 배운 것을 그대로 말할 수 있습니다. --personal-data redact는 자리 표시로 바꾸고, drop은 그 행을 뺍니다.",
    )


def _as_the_setting_says(rows: Sequence[str]) -> tuple[Repair, ...]:
    return tuple(Repair(row=row) for row in rows)


plugin = PersonalData()
