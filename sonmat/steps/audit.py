"""Looks for what is wrong with the examples and accounts for every row: `audit.json` and `ledger.jsonl`.

In: the examples of a run and the recipe. Out: an `Audit`. Checks say what they see and how it could be mended; the recipe
decides whether that is done, left, or stops the run. A blocker raises, after both files have been written, so that they can
be read. Examples themselves are never rewritten: the ledger holds what changed.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, overload

from sonmat import plugins
from sonmat.core.errors import DataError, PluginError
from sonmat.core.protocols import Emit, Task
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Audit, Example, Finding, LedgerLine, Repair
from sonmat.runs.files import write_rows, write_value
from sonmat.runs.folder import UNFINISHED, RunFolder

_SHOWN_ROWS = 5
_MOST_ROUNDS = 10
_REPORT_EVERY_SECONDS = 1.0


def audit(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> Audit:
    """Write the findings and the ledger of a loaded run; `inputs` is the fingerprint that the files are marked with.

    Files of an audit with blockers are marked as blocked instead, so that the step does not count as done.

    Raises:
        DataError: there are blockers.
        PluginError: a check asks for repairs without end.
    """
    task = plugins.find("tasks", folder.source().task)
    unusable = list(folder.unusable())
    book = _Book([_opening(example, task, folder) for example in folder.examples()])
    findings = _examine(book, task, recipe, emit)
    lines = sorted([*book.lines(task), *unusable], key=lambda line: (line.source.row, line.source.file))
    result = _result(findings, lines)
    mark = f"{UNFINISHED}{inputs}" if result.blockers else inputs
    write_rows(folder.file("ledger.jsonl"), LedgerLine, lines, mark)
    write_value(folder.file("audit.json"), result, mark)
    for finding in result.findings:
        emit("finding", finding.what, check=finding.check, severity=finding.severity, rows=len(finding.rows))
    if result.blockers:
        raise _blocked(result, book)
    return result


@dataclass
class _Book:
    """The examples as they are now, and what was done to them."""

    originals: list[Example]
    dropped: dict[str, Text] = field(default_factory=dict)
    changed: dict[str, Text] = field(default_factory=dict)
    now: dict[str, Example] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = {example.id: example for example in self.originals}

    def apply(self, finding: Finding) -> None:
        for repair in finding.repairs:
            if repair.drop:
                self.now.pop(repair.row)
                self.dropped[repair.row] = finding.what
            else:
                self.now[repair.row] = _mended(self.now[repair.row], repair)
                self.changed[repair.row] = finding.what

    def lines(self, task: Task) -> Iterator[LedgerLine]:
        for example in self.originals:
            if example.id in self.dropped:
                reason = self.dropped[example.id]
                yield LedgerLine(id=example.id, source=example.source, action="dropped", reason=reason)
            elif example.id in self.changed:
                yield _changed_line(example, self.now[example.id], self.changed[example.id])
            else:
                yield LedgerLine(id=example.id, source=example.source, action="kept")


def _opening(example: Example, task: Task, folder: RunFolder) -> Example:
    """The example with the path of its picture or sound such that it opens."""
    if task.modality == "text":
        return example
    path = folder.file(example.input[task.modality])
    return example.model_copy(update={"input": {**example.input, task.modality: str(path)}})


def _examine(book: _Book, task: Task, recipe: Recipe, emit: Emit) -> list[Finding]:
    """Every finding; after repairs everything is looked at once more, because one fault can hide another."""
    done: list[Finding] = []
    for _ in range(_MOST_ROUNDS):
        found = list(_look(list(book.now.values()), task, emit))
        to_repair = [finding for finding in found if finding.repairs and _decision(finding, recipe) == "repair"]
        if not to_repair:
            return done + [_as_decided(finding, recipe) for finding in found]
        for finding in to_repair:
            # Two checks may ask to drop the same row.
            due = finding.model_copy(update={"repairs": tuple(r for r in finding.repairs if r.row in book.now)})
            book.apply(due)
            done.append(finding.model_copy(update={"severity": "note", "fix": _DONE, "repairs": ()}))
    names = ", ".join(sorted({finding.check for finding in to_repair}))
    raise PluginError(
        Text(en=f"The checks {names} ask for repairs again and again.", ko=f"점검 {names}이(가) 수정을 끝없이 요구합니다.")
    )


_DONE = Text(en="Done as you asked; the ledger lists every row.", ko="요청하신 대로 처리했고, 모든 행을 장부에 적었습니다.")


def _look(examples: list[Example], task: Task, emit: Emit) -> Iterator[Finding]:
    yield from task.check(_Watched(examples, task.title, emit))
    for check in plugins.every("checks"):
        yield from check.find(_Watched(examples, check.title, emit), task)


class _Watched(Sequence[Example]):
    """A sequence that reports progress while it is gone through, so that a slow check need not."""

    def __init__(self, examples: list[Example], title: Text, emit: Emit) -> None:
        self.examples = examples
        self.title = title
        self.emit = emit

    def __len__(self) -> int:
        return len(self.examples)

    @overload
    def __getitem__(self, place: int) -> Example: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Example]: ...
    def __getitem__(self, place: int | slice) -> Example | Sequence[Example]:
        return self.examples[place]

    def __iter__(self) -> Iterator[Example]:
        began = reported = time.monotonic()
        for done, example in enumerate(self.examples, start=1):
            yield example
            now = time.monotonic()
            if now - reported >= _REPORT_EVERY_SECONDS:
                reported = now
                left = (now - began) / done * (len(self) - done)
                self.emit("progress", self.title, done=done, total=len(self), seconds_left=round(left, 1))


def _decision(finding: Finding, recipe: Recipe) -> Literal["stop", "repair", "keep"]:
    if finding.decided_by is None:
        return "stop"
    settings: dict[str, Literal["stop", "repair", "keep"]] = {
        "stop": "stop",
        "ask": "stop",
        "drop": "repair",
        "merge": "repair",
        "keep": "keep",
    }
    chosen = {"bad_rows": recipe.bad_rows, "labels": recipe.labels}[finding.decided_by]
    return settings[chosen]


def _as_decided(finding: Finding, recipe: Recipe) -> Finding:
    severity = "note" if _decision(finding, recipe) == "keep" else finding.severity
    return finding.model_copy(update={"severity": severity, "repairs": ()})


def _mended(example: Example, repair: Repair) -> Example:
    changes = {"input": repair.input, "target": repair.target}
    return example.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _changed_line(before: Example, after: Example, reason: Text) -> LedgerLine:
    return LedgerLine(
        id=before.id,
        source=before.source,
        action="changed",
        reason=reason,
        input=after.input if after.input != before.input else None,
        target=after.target if after.target != before.target else None,
    )


def _result(findings: list[Finding], lines: list[LedgerLine]) -> Audit:
    rank = {"blocker": 0, "warning": 1, "note": 2}
    actions = Counter(line.action for line in lines)
    return Audit(
        findings=tuple(sorted(findings, key=lambda finding: rank[finding.severity])),
        rows_in=len(lines),
        kept=actions["kept"],
        changed=actions["changed"],
        dropped=actions["dropped"],
    )


def _blocked(result: Audit, book: _Book) -> DataError:
    places = {example.id: example.source.place for example in book.originals}
    blockers = result.blockers
    english, korean = [], []
    for finding in blockers:
        shown = [places[row] for row in finding.rows[:_SHOWN_ROWS]]
        more = len(finding.rows) - len(shown)
        rows_en = ", ".join(place.en for place in shown) + (f" and {more:,} more" if more else "")
        rows_ko = ", ".join(place.ko for place in shown) + (f" 외 {more:,}행" if more else "")
        evidence = "; ".join(finding.evidence[:_SHOWN_ROWS])
        detail_en = "".join(f"\n    {part}" for part in (evidence, rows_en) if part)
        detail_ko = "".join(f"\n    {part}" for part in (evidence, rows_ko) if part)
        english.append(f"  {finding.what.en}{detail_en}\n    → {finding.fix.en}")
        korean.append(f"  {finding.what.ko}{detail_ko}\n    → {finding.fix.ko}")
    count = len(blockers)
    return DataError(
        Text(
            en="\n".join([f"The data cannot be used as it is ({count} found):", *english]),
            ko="\n".join([f"데이터를 이대로는 쓸 수 없습니다({count}건):", *korean]),
        ),
        Text(
            en="Nothing was changed. Everything that was found stands in audit.json, every row in ledger.jsonl.",
            ko="바뀐 것은 없습니다. 찾은 것은 모두 audit.json에, 행마다의 결과는 ledger.jsonl에 있습니다.",
        ),
    )
