"""What a report says about the data: rows in and out, parts, findings with examples, classes, lengths, the map, the learning curve.

In: the run's examples, audit, ledger and split, which may be missing. Out: a `DataSummary`. Rows are read once, and only few of
them are kept to be quoted, with personal data masked.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from statistics import median
from typing import Any, Final, Literal

from sonmat.core.text import Text
from sonmat.core.values import Audit, Example, Finding, Severity, Split
from sonmat.reading.personal import masked
from sonmat.reading.rows import labels_of
from sonmat.runs import RunFolder
from sonmat.steps.report.answers import cut
from sonmat.steps.report.contents import (
    ColumnCounts,
    DataSummary,
    FindingLine,
    Histogram,
    Quoted,
    ReasonCount,
    RowCount,
)
from sonmat.steps.report.enough import enough_curve
from sonmat.steps.report.map import data_map, mapped_rows
from sonmat.steps.report.vocabulary import check_title

MOST_SOURCES: Final = 8
MOST_QUOTED: Final = 3
MOST_VALUES: Final = 30
BINS: Final = 24
_TEXT_KEYS: Final = ("text", "messages", "prompt")
_RANK: Final[dict[Severity, int]] = {"blocker": 0, "warning": 1, "note": 2}

Group = Literal["train", "validation", "test", "undivided"]


def data_summary(folder: RunFolder, kept: Iterable[Example], split: Split | None) -> DataSummary:
    """The summary of a run's data; an audit or ledger that is not there counts as nothing found and all kept.

    Args:
        kept: every row that the audit left, as it left it.
        split: None where the rows were not divided yet.
    """
    audit = folder.audit() if folder.exists("audit") else None
    findings = sorted(audit.findings, key=lambda each: (_RANK[each.severity], -len(each.rows))) if audit else []
    told = {id for finding in findings for id in finding.rows[:MOST_SOURCES]} | mapped_rows(findings)
    counted = _Counted(split, told)
    for example in kept:
        counted.add(example)
    rows = counted.rows
    if audit is None:
        audit = Audit(findings=(), rows_in=rows, kept=rows, changed=0, dropped=0)
    quoted = {**_dropped(folder, told - counted.told.keys()), **counted.told}
    return DataSummary(
        recognised=folder.source().reason if folder.exists("load") else None,
        rows_in=audit.rows_in,
        kept=audit.kept,
        changed=audit.changed,
        dropped=audit.dropped,
        reasons=_reasons(folder),
        train=len(split.train) if split else 0,
        validation=len(split.validation) if split else 0,
        test=len(split.test) if split else 0,
        how_split=split.how if split else None,
        folds=len(split.folds) // split.repeats if split else 0,
        repeats=split.repeats if split else 1,
        findings=tuple(_finding_line(finding, quoted) for finding in findings),
        classes=_row_counts(counted.classes),
        slices=tuple(
            ColumnCounts(column=column, counts=_row_counts(counts)[:MOST_VALUES], values=len(counts))
            for column, counts in counted.slices.items()
        ),
        files=_row_counts(counted.files)[:MOST_VALUES] if len(counted.files) > 1 and not counted.rows_are_files else (),
        lengths=_histogram(counted.lengths) if counted.all_text else None,
        map=data_map(findings, quoted),
        enough=enough_curve(findings),
    )


class _Counted:
    """What one pass over the rows counts, and the few rows that are told of."""

    def __init__(self, split: Split | None, told: set[str]) -> None:
        self.rows = 0
        self.told: dict[str, Example] = {}
        self.classes: defaultdict[str, Counter[Group]] = defaultdict(Counter)
        self.slices: defaultdict[str, defaultdict[str, Counter[Group]]] = defaultdict(lambda: defaultdict(Counter))
        self.files: defaultdict[str, Counter[Group]] = defaultdict(Counter)
        self.lengths = array("Q")
        self.all_text = self.rows_are_files = True
        self._wanted = told
        self._part: dict[str, Group] = {}
        if split is not None and not split.folds:
            parts: Sequence[tuple[Group, Sequence[str]]] = (
                ("train", split.train),
                ("validation", split.validation),
                ("test", split.test),
            )
            self._part = {id: part for part, ids in parts for id in ids}

    def add(self, example: Example) -> None:
        self.rows += 1
        if example.id in self._wanted:
            self.told[example.id] = example
        part: Group = self._part.get(example.id, "undivided")
        for label in labels_of(example):
            self.classes[label][part] += 1
        for column, value in example.slices.items():
            self.slices[column][masked(value)][part] += 1
        self.rows_are_files = self.rows_are_files and example.source.row == 0
        if not self.rows_are_files:
            self.files[example.source.file][part] += 1
        self.all_text = self.all_text and any(key in example.input for key in _TEXT_KEYS)
        self.lengths.append(_characters(example.input) + _characters(example.target))


def _dropped(folder: RunFolder, wanted: set[str]) -> dict[str, Example]:
    """Rows that the audit left out, as they were read."""
    if not wanted or not folder.file("examples.jsonl").exists():
        return {}
    return {example.id: example for example in folder.examples() if example.id in wanted}


def _reasons(folder: RunFolder) -> tuple[ReasonCount, ...]:
    counts: Counter[tuple[Literal["changed", "dropped"], Text]] = Counter()
    for line in folder.ledger() if folder.file("ledger.jsonl").exists() else ():
        if line.action != "kept" and line.reason is not None:
            counts[line.action, line.reason] += 1
    return tuple(ReasonCount(action=action, reason=reason, rows=rows) for (action, reason), rows in counts.most_common())


def _finding_line(finding: Finding, quoted: Mapping[str, Example]) -> FindingLine:
    known = [quoted[id] for id in finding.rows[:MOST_SOURCES] if id in quoted]
    # Ids mean nothing to a reader, and thousands of them would only swell the report; so would figures for plots.
    bare = finding.model_copy(update={"rows": (), "clusters": (), "repairs": (), "data": {}})
    return FindingLine(
        finding=bare,
        title=check_title(finding.check),
        sources=tuple(example.source for example in known),
        rows=len(finding.rows),
        shown=tuple(_quoted(example) for example in islice(known, MOST_QUOTED)),
    )


def _quoted(example: Example) -> Quoted:
    return Quoted(row=example.id, source=example.source, input=cut(example.input), target=cut(example.target))


def _row_counts(counts: Mapping[str, Counter[Group]]) -> tuple[RowCount, ...]:
    """The commonest first."""
    ordered = sorted(counts.items(), key=lambda entry: (-entry[1].total(), entry[0]))
    return tuple(
        RowCount(
            label=label,
            train=count["train"],
            validation=count["validation"],
            test=count["test"],
            undivided=count["undivided"],
        )
        for label, count in ordered
    )


def _characters(content: Any) -> int:
    """Characters of all texts in a JSON value that people wrote; roles and labels are short and count as well."""
    if isinstance(content, str):
        return len(content)
    if isinstance(content, dict):
        return sum(_characters(value) for key, value in content.items() if key not in ("role", "label"))
    if isinstance(content, list):
        return sum(_characters(entry) for entry in content)
    return 0


def _histogram(lengths: Sequence[int]) -> Histogram | None:
    """Equal bins up to the 99th percentile; the longest hundredth shares the last one."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    top = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    width = _round_width(top)
    edges = tuple(range(0, top + width + 1, width))
    counts = Counter(min(length // width, len(edges) - 2) for length in ordered)
    return Histogram(
        edges=edges,
        counts=tuple(counts[index] for index, _ in enumerate(pairwise(edges))),
        longest=ordered[-1],
        median=float(median(ordered)),
    )


def _round_width(top: int) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, ... that covers `top` in `BINS` bins."""
    magnitude = 1
    while True:
        for factor in (1, 2, 5):
            if factor * magnitude * BINS > top:
                return factor * magnitude
        magnitude *= 10
