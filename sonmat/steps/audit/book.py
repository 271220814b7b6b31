"""What the audit did to the rows of a run: which are left out, which are changed, and why.

In: the loaded examples, and repairs. Out: the examples as they are now, and a line of the ledger for every row that was read. The
examples themselves are never rewritten; they are read anew each time, so that memory grows with what was done to them alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from sonmat.core.protocols import Kind
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, LedgerLine, Repair, Source
from sonmat.reading.compact import CompactSources, CompactStrings
from sonmat.reading.personal import Redactor
from sonmat.reading.rows import has_classes
from sonmat.runs.files import json_line
from sonmat.runs.folder import RunFolder


@dataclass
class Book:
    """What was done to the examples of a run; the examples themselves are read anew each time."""

    folder: RunFolder
    kind: Kind
    loaded: int
    dropped: dict[str, Text] = field(default_factory=dict)
    changed: dict[str, Text] = field(default_factory=dict)
    redactor: Redactor = field(default_factory=Redactor)
    now: dict[str, Example] = field(default_factory=dict)
    """Changed examples as they are now."""
    was: dict[str, Example] = field(default_factory=dict)
    """Changed examples as they were read."""
    ids: CompactStrings = field(default_factory=CompactStrings)
    sources: CompactSources = field(default_factory=CompactSources)
    """Of every row that was loaded, so that the ledger need not read the examples once more."""

    @property
    def rows(self) -> int:
        return self.loaded - len(self.dropped)

    def examples(self) -> Iterator[Example]:
        """Every example that is not dropped, as it is now, with paths of media such that they open."""
        for example in self.folder.examples() if self.ids else self._first_reading():
            if example.id not in self.dropped:
                yield self._opening(self.now.get(example.id, example))

    def _first_reading(self) -> Iterator[Example]:
        for example in self.folder.examples():
            self.ids.append(example.id)
            self.sources.append(example.source)
            yield example

    def apply(self, finding: Finding) -> int:
        """Do the finding's repairs on rows that are still there, each row once a round; returns how many were done."""
        due = {repair.row: repair for repair in finding.repairs if repair.row not in self.dropped}
        dropped = [row for row, repair in due.items() if repair.drop]
        for row in dropped:
            self.dropped[row] = finding.what
        changing = due.keys() - set(dropped)
        if changing:
            for example in self.folder.examples():
                if example.id in changing:
                    self.was.setdefault(example.id, example)
                    before = self.now.get(example.id, example)
                    redact = finding.decided_by == "personal_data"
                    self.now[example.id] = self._redacted(before) if redact else _mended(before, due[example.id])
                    self.changed[example.id] = _also(self.changed.get(example.id), finding.what)
        return len(due)

    def lines(self, actions: Counter[str]) -> Iterator[LedgerLine | str]:
        """What became of every row, in the order of reading; counted in `actions` as they pass."""
        unusable = list(self.folder.unusable())
        position = 0
        for id, source in zip(self.ids, self.sources, strict=True):
            while unusable and unusable[0].position <= position:
                actions[unusable[0].action] += 1
                yield unusable.pop(0)
                position += 1
            if id in self.dropped or id in self.now:
                line = self._line(id, source, position)
                actions[line.action] += 1
                yield line
            else:
                actions["kept"] += 1
                yield kept_line(id, source, position)
            position += 1
        for line in unusable:
            actions[line.action] += 1
            yield line

    def _line(self, id: str, source: Source, position: int) -> LedgerLine:
        if id in self.dropped:
            return LedgerLine(id=id, source=source, action="dropped", position=position, reason=self.dropped[id])
        before, after = self.was[id], self.now[id]
        return LedgerLine(
            id=id,
            source=source,
            action="changed",
            position=position,
            reason=self.changed[id],
            input=after.input if after.input != before.input else None,
            target=after.target if after.target != before.target else None,
        )

    def _redacted(self, example: Example) -> Example:
        """With placeholders, which one redactor for the whole audit keeps the same however often rows are looked at."""
        redact = self.redactor.redacted_content
        target = example.target if has_classes(self.kind) else redact(example.target)
        return example.model_copy(update={"input": redact(example.input), "target": target})

    def _opening(self, example: Example) -> Example:
        modality = self.kind.modality
        if modality == "text":
            return example
        path = self.folder.file(example.input[modality])
        return example.model_copy(update={"input": {**example.input, modality: str(path)}})


def kept_line(id: str, source: Source, position: int) -> str:
    """The line of a row that nothing happened to, which nearly all are, without a detour over a typed value."""
    return (
        f'{{"id": {json_line(id)}, "source": {{"file": {json_line(source.file)}, "row": {source.row}}}, "action": "kept", '
        f'"position": {position}, "reason": null, "input": null, "target": null}}'
    )


def _mended(example: Example, repair: Repair) -> Example:
    changes = {"input": repair.input, "target": repair.target}
    return example.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _also(reason: Text | None, another: Text) -> Text:
    """Both reasons, if there are two; a reason is not given twice."""
    if reason is None or another.en in reason.en:
        return another if reason is None else reason
    return Text(en=f"{reason.en} {another.en}", ko=f"{reason.ko} {another.ko}")
