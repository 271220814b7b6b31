"""Looks for what is wrong with the examples and accounts for every row: `audit.json` and `ledger.jsonl`.

In: the examples of a run, the recipe, and what a person decided in `decisions.jsonl`. Out: an `Audit`. Checks say what they
see and how it could be mended; the recipe decides whether that is done, left, or stops the run. A blocker raises, after both
files have been written, so that they can be read. Examples themselves are never rewritten: the ledger holds what changed. Rows
stream past the checks, all of which see one batch before the next is read, so that memory grows with what is wrong and not
with the data.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from sonmat import plugins
from sonmat.core.errors import DataBlocked, PluginError
from sonmat.core.protocols import Emit, Kind
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Audit, Example, Finding, LedgerLine, Repair, Source
from sonmat.core.watching import Check, Surroundings, Watch
from sonmat.embedding.encoder import Encoder, encoder_for
from sonmat.embedding.sample import DrawnSample
from sonmat.models import resolve
from sonmat.reading.collecting import collecting_rarely
from sonmat.reading.compact import CompactSources, CompactStrings
from sonmat.reading.personal import Redactor, masked_content, masked_piece
from sonmat.reading.rows import has_classes, in_batches
from sonmat.runs.decisions import RowDecision, read_decisions
from sonmat.runs.files import json_line, write_rows, write_value
from sonmat.runs.folder import UNFINISHED, RunFolder

_SHOWN_ROWS = 5
_MOST_ROUNDS = 10
_REPORT_EVERY_SECONDS = 1.0


@collecting_rarely()
def audit(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> Audit:
    """Write the findings and the ledger of a loaded run; `inputs` is the fingerprint that the files are marked with.

    Files of an audit with blockers are marked as blocked instead, so that the step does not count as done.

    Raises:
        DataBlocked: there are blockers.
        SettingError: the recipe skips a check that there is none of.
        PluginError: a check asks for repairs without end.
        ModelError: the recipe's encoder cannot be had, or takes something else than these rows.
    """
    source = folder.source()
    book = _Book(folder, plugins.find_kind(source.task), source.rows_in - source.problems)
    decisions = read_decisions(folder.path)
    decided = _apply_decisions(book, decisions)
    findings = [*decided, *_examine(book, _checks(recipe), decisions, recipe, source.languages, emit)]
    actions: Counter[str] = Counter()
    rank = {"blocker": 0, "warning": 1, "note": 2}
    findings.sort(key=lambda finding: rank[finding.severity])
    blockers = [finding for finding in findings if finding.severity == "blocker"]
    mark = f"{UNFINISHED}{inputs}" if blockers else inputs
    write_rows(folder.file("ledger.jsonl"), LedgerLine, book.lines(actions), mark)
    result = Audit(
        findings=tuple(findings),
        rows_in=actions.total(),
        kept=actions["kept"],
        changed=actions["changed"],
        dropped=actions["dropped"],
    )
    write_value(folder.file("audit.json"), result, mark)
    for finding in result.findings:
        emit("finding", finding.what, check=finding.check, severity=finding.severity, rows=len(finding.rows))
    if blockers:
        raise _blocked(blockers, book)
    return result


def _checks(recipe: Recipe) -> list[Check]:
    skipped = {plugins.find("checks", name).name for name in recipe.skip}
    return [check for check in plugins.every("checks") if check.name not in skipped]


def _apply_decisions(book: _Book, decisions: Mapping[str, RowDecision]) -> list[Finding]:
    """Do what a person decided about rows that are there; a finding for each day and kind of decision."""
    if not decisions:
        return []
    here = [example.id for example in book.folder.examples() if example.id in decisions]
    groups: defaultdict[tuple[str, Literal["keep", "change", "drop"]], list[RowDecision]] = defaultdict(list)
    for row in here:
        groups[decisions[row].date, decisions[row].action].append(decisions[row])
    found = []
    for (date, action), group in sorted(groups.items()):
        said = _DECIDED[action]
        finding = Finding(
            check="review",
            severity="note",
            what=Text(en=said.en.format(date=date), ko=said.ko.format(date=date)),
            fix=_DONE,
            rows=tuple(decision.row for decision in group),
            decided_by="review",
            repairs=tuple(
                Repair(row=each.row, drop=action == "drop", target=each.target) for each in group if action != "keep"
            ),
        )
        book.apply(finding)
        found.append(finding.model_copy(update={"repairs": ()}))
    return found


_DECIDED: dict[str, Text] = {
    "keep": Text(en="Looked at and kept by a person on {date}.", ko="{date}에 사람이 살펴보고 그대로 두었습니다."),
    "change": Text(en="Changed by a person on {date}.", ko="{date}에 사람이 고쳤습니다."),
    "drop": Text(en="Dropped by a person on {date}.", ko="{date}에 사람이 뺐습니다."),
}


@dataclass
class _Book:
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
                yield _kept_line(id, source, position)
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


def _kept_line(id: str, source: Source, position: int) -> str:
    """The line of a row that nothing happened to, which nearly all are, without a detour over a typed value."""
    return (
        f'{{"id": {json_line(id)}, "source": {{"file": {json_line(source.file)}, "row": {source.row}}}, "action": "kept", '
        f'"position": {position}, "reason": null, "input": null, "target": null}}'
    )


def _examine(
    book: _Book,
    checks: list[Check],
    decisions: Mapping[str, RowDecision],
    recipe: Recipe,
    languages: tuple[str, ...],
    emit: Emit,
) -> list[Finding]:
    """Every finding; after repairs everything is looked at once more, because one fault can hide another."""
    done: dict[str, Finding] = {}
    for _ in range(_MOST_ROUNDS):
        looked = (_undecided(finding, decisions) for finding in _look(book, checks, recipe, languages, emit))
        found = [finding for finding in looked if finding is not None]
        to_repair = [finding for finding in found if finding.repairs and _decision(finding, recipe) == "repair"]
        if not to_repair:
            return [*done.values(), *(_as_decided(finding, recipe) for finding in found)]
        # Redaction goes by the text as it is then, so that no other repair brings back what it took out.
        to_repair.sort(key=lambda finding: finding.decided_by == "personal_data")
        for number, finding in enumerate(to_repair):
            if book.apply(_as_asked(finding, recipe)):
                key = f"{finding.check} {number}" if finding.check in done else finding.check
                done[key] = finding.model_copy(update={"severity": "note", "fix": _DONE, "repairs": (), "clusters": ()})
    names = ", ".join(sorted({finding.check for finding in to_repair}))
    raise PluginError(
        Text(en=f"The checks {names} ask for repairs again and again.", ko=f"점검 {names}이(가) 수정을 끝없이 요구합니다.")
    )


_DONE = Text(en="Done as you asked; the ledger lists every row.", ko="요청하신 대로 처리했고, 모든 행을 장부에 적었습니다.")


def _undecided(finding: Finding, decisions: Mapping[str, RowDecision]) -> Finding | None:
    """The finding without rows that a person has kept in spite of it; None where no other row is concerned."""

    def kept(row: str) -> bool:
        return row in decisions and decisions[row].action == "keep" and finding.check in decisions[row].checks

    rows = tuple(row for row in finding.rows if not kept(row))
    count = len(finding.rows) - len(rows)
    if not count:
        return finding
    # Rows that say the same stay in one part of the split, whoever has looked at them.
    if not rows and not finding.clusters:
        return None
    what = Text(
        en=f"{finding.what.en} {count:,} of these rows a person has looked at and kept.",
        ko=f"{finding.what.ko} 이 가운데 {count:,}행은 사람이 살펴보고 그대로 두었습니다.",
    )
    repairs = tuple(repair for repair in finding.repairs if not kept(repair.row))
    severity = finding.severity if rows else "note"
    return finding.model_copy(update={"what": what, "rows": rows, "repairs": repairs, "severity": severity})


def _look(book: _Book, checks: list[Check], recipe: Recipe, languages: tuple[str, ...], emit: Emit) -> list[Finding]:
    """What all checks see in one pass over the rows."""
    ids = CompactStrings()
    sample = DrawnSample(book.kind, recipe.seed, _encoder(book, recipe, emit), emit)
    data = Surroundings(book.kind, book.rows, ids, languages, recipe.seed, sample, emit)
    watches: list[tuple[Check, Watch]] = []
    for check in checks:
        watch = check.watch(data)
        if watch is not None:
            watches.append((check, watch))
    began = reported = time.monotonic()
    for rows in in_batches(book.examples()):
        ids.extend(example.id for example in rows.examples)
        sample.see(rows.examples)
        for _, watch in watches:
            watch.see(rows)
        now = time.monotonic()
        if now - reported >= _REPORT_EVERY_SECONDS:
            reported = now
            left = (now - began) / len(ids) * (book.rows - len(ids))
            emit("progress", _LOOKING, done=len(ids), total=book.rows, seconds_left=round(left, 1))
    found: list[Finding] = []
    for number, (check, watch) in enumerate(watches):
        if time.monotonic() - reported >= _REPORT_EVERY_SECONDS:
            reported = time.monotonic()
            emit("progress", check.title, done=number, total=len(watches), seconds_left=None)
        found += map(_shareable, watch.findings())
    return found


def _shareable(finding: Finding) -> Finding:
    """The finding without the personal data that its check may have quoted: audit, ledger, log and report are passed on."""
    said = {name: Text(**masked_content(getattr(finding, name).model_dump())) for name in ("what", "fix")}
    evidence = tuple(masked_piece(piece) for piece in finding.evidence)
    return finding.model_copy(update={**said, "evidence": evidence, "data": masked_content(finding.data)})


def _encoder(book: _Book, recipe: Recipe, emit: Emit) -> Encoder | None:
    """The encoder that the recipe names, on this machine; its vectors are kept in the run."""
    if recipe.embedder is None:
        return None
    facts = resolve(recipe.embedder, accepted=recipe.accept_licence, emit=emit)
    family = plugins.find("families", facts.family)
    return encoder_for(book.kind, facts, family.text_prefix, book.folder.file("cache") / "vectors")


_LOOKING = Text(en="Looking at every row", ko="모든 행을 살펴보는 중")


def _decision(finding: Finding, recipe: Recipe) -> Literal["stop", "repair", "keep"]:
    if finding.decided_by is None:
        return "stop"
    if finding.decided_by == "review":
        return "repair"
    settings: dict[str, Literal["stop", "repair", "keep"]] = {
        "stop": "stop",
        "ask": "stop",
        "drop": "repair",
        "merge": "repair",
        "fix": "repair",
        "redact": "repair",
        "keep": "keep",
    }
    return settings[getattr(recipe, finding.decided_by)]


def _as_asked(finding: Finding, recipe: Recipe) -> Finding:
    """With its rows left out instead of mended where the deciding setting says drop."""
    if finding.decided_by is None or getattr(recipe, finding.decided_by, None) != "drop":
        return finding
    return finding.model_copy(update={"repairs": tuple(Repair(row=each.row, drop=True) for each in finding.repairs)})


def _as_decided(finding: Finding, recipe: Recipe) -> Finding:
    decision = _decision(finding, recipe)
    severity = finding.severity
    if decision == "keep" and severity == "blocker":
        severity = "note"
    elif decision == "stop" and finding.decided_by is not None:
        severity = "blocker"
    return finding.model_copy(update={"severity": severity, "repairs": ()})


def _mended(example: Example, repair: Repair) -> Example:
    changes = {"input": repair.input, "target": repair.target}
    return example.model_copy(update={name: value for name, value in changes.items() if value is not None})


def _also(reason: Text | None, another: Text) -> Text:
    """Both reasons, if there are two."""
    return another if reason is None else Text(en=f"{reason.en} {another.en}", ko=f"{reason.ko} {another.ko}")


def _blocked(blockers: list[Finding], book: _Book) -> DataBlocked:
    wanted = {row for finding in blockers for row in finding.rows[:_SHOWN_ROWS]}
    places = {example.id: example.source.place for example in book.folder.examples() if example.id in wanted}
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
    return DataBlocked(
        Text(
            en="\n".join([f"The data cannot be used as it is ({count} found):", *english]),
            ko="\n".join([f"데이터를 이대로는 쓸 수 없습니다({count}건):", *korean]),
        ),
        Text(
            en="Nothing was changed. Everything that was found stands in audit.json, every row in ledger.jsonl.",
            ko="바뀐 것은 없습니다. 찾은 것은 모두 audit.json에, 행마다의 결과는 ledger.jsonl에 있습니다.",
        ),
    )
