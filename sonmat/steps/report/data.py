"""What a report says about the data: rows in and out, parts, findings, classes and lengths.

In: the run's examples, audit, ledger and split. Out: a `DataSummary`. No row is quoted here beyond the audit's evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any, Final, Literal

from sonmat.core.text import Text
from sonmat.core.values import Audit, Example, Finding, LedgerLine, Source, Split
from sonmat.runs import RunFolder
from sonmat.steps.report.contents import ClassCount, DataSummary, FindingLine, Histogram, ReasonCount

MOST_SOURCES: Final = 8
BINS: Final = 24
_TEXT_KEYS: Final = ("text", "messages", "prompt")


def data_summary(folder: RunFolder, examples: Mapping[str, Example], split: Split) -> DataSummary:
    """The summary of a run's data; an audit or ledger that is not there counts as nothing found and all kept."""
    audit = folder.audit() if folder.exists("audit") else _nothing_found(len(examples))
    ledger = list(folder.ledger()) if folder.file("ledger.jsonl").exists() else []
    sources = {line.id: line.source for line in ledger} | {id: example.source for id, example in examples.items()}
    used = [examples[id] for id in (*split.train, *split.validation, *split.test)]
    return DataSummary(
        recognised=folder.source().reason if folder.exists("load") else None,
        rows_in=audit.rows_in,
        kept=audit.kept,
        changed=audit.changed,
        dropped=audit.dropped,
        reasons=_reasons(ledger),
        train=len(split.train),
        validation=len(split.validation),
        test=len(split.test),
        how_split=split.how,
        findings=tuple(_finding_line(finding, sources) for finding in audit.findings),
        classes=_class_counts(examples, split),
        lengths=_histogram([_characters(example.input) + _characters(example.target) for example in used])
        if all(_is_text(example) for example in used)
        else None,
    )


def _nothing_found(rows: int) -> Audit:
    return Audit(findings=(), rows_in=rows, kept=rows, changed=0, dropped=0)


def _reasons(ledger: Sequence[LedgerLine]) -> tuple[ReasonCount, ...]:
    counts: Counter[tuple[Literal["changed", "dropped"], Text]] = Counter()
    for line in ledger:
        if line.action != "kept" and line.reason is not None:
            counts[line.action, line.reason] += 1
    return tuple(ReasonCount(action=action, reason=reason, rows=rows) for (action, reason), rows in counts.most_common())


def _finding_line(finding: Finding, sources: Mapping[str, Source]) -> FindingLine:
    first = tuple(sources[id] for id in finding.rows if id in sources)[:MOST_SOURCES]
    # Ids mean nothing to a reader, and thousands of them would only swell the report.
    return FindingLine(
        finding=finding.model_copy(update={"rows": (), "clusters": (), "repairs": ()}),
        sources=first,
        rows=len(finding.rows),
    )


def _class_counts(examples: Mapping[str, Example], split: Split) -> tuple[ClassCount, ...]:
    parts = [
        Counter(str(examples[id].target["label"]) for id in ids if "label" in examples[id].target)
        for ids in (split.train, split.validation, split.test)
    ]
    train, validation, test = parts
    labels = sorted(train | validation | test, key=lambda label: (-sum(part[label] for part in parts), label))
    return tuple(
        ClassCount(label=label, train=train[label], validation=validation[label], test=test[label]) for label in labels
    )


def _is_text(example: Example) -> bool:
    return any(key in example.input for key in _TEXT_KEYS)


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
