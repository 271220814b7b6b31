"""The map of the data: where rows lie that mean alike, in which clusters, and which of them are suspicious.

In: the audit's findings, the one of the check `diversity` with the places of rows among them. Out: a `DataMap`. It lays nothing
out and chooses no rows; that is the check's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from sonmat.core.values import Example, Finding
from sonmat.reading.personal import masked
from sonmat.reading.rows import texts_of
from sonmat.steps.report.contents import Cluster, DataMap, MapPoint
from sonmat.steps.report.quoting import shortened

CHECK: Final = "diversity"
_SUSPECTING: Final = ("label_errors", "near_duplicate", "conflicts", "leakage")
"""Checks whose rows are marked, by the beginning of their names."""
_WORDS: Final = 80


def mapped_rows(findings: Sequence[Finding]) -> set[str]:
    """Ids of the rows that the map will show."""
    finding = _finding(findings)
    return set() if finding is None else set(finding.data["map"]["ids"])


def data_map(findings: Sequence[Finding], examples: Mapping[str, Example]) -> DataMap | None:
    """The map, or None where the audit made none.

    Args:
        examples: the rows of `mapped_rows`, of which those that are gone may be missing.
    """
    finding = _finding(findings)
    if finding is None:
        return None
    suspicious, places = _suspicious(findings), finding.data["map"]
    columns = (places[name] for name in ("ids", "x", "y", "cluster", "label"))
    points = tuple(
        MapPoint(
            row=row,
            x=x,
            y=y,
            cluster=cluster,
            label=label,
            suspicious=suspicious.get(row, ()),
            words=_words(examples.get(row)),
        )
        for row, x, y, cluster, label in zip(*columns, strict=True)
    )
    return DataMap(
        points=points,
        rows=finding.data["looked_at"],
        clusters=tuple(
            Cluster(cluster=number, share=told["share"], words=tuple(told["words"]))
            for number, told in enumerate(finding.data["clusters"])
        ),
        explanation=finding.what,
    )


def _finding(findings: Sequence[Finding]) -> Finding | None:
    return next((each for each in findings if each.check == CHECK and each.data.get("map", {}).get("ids")), None)


def _suspicious(findings: Sequence[Finding]) -> dict[str, tuple[str, ...]]:
    checks: defaultdict[str, list[str]] = defaultdict(list)
    for finding in findings:
        if finding.check.startswith(_SUSPECTING):
            for row in finding.rows:
                checks[row].append(finding.check)
    return {row: tuple(dict.fromkeys(names)) for row, names in checks.items()}


def _words(example: Example | None) -> str:
    if example is None:
        return ""
    return shortened(masked(" ".join(" ".join(texts_of(example.input)).split())[: 4 * _WORDS]), _WORDS)
