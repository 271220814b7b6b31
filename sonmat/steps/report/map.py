"""The map of the data: where rows lie that mean alike, in which clusters, and which of them are suspicious.

In: the audit's findings, the one of the check `diversity` with the places of rows among them. Out: a `DataMap` of at most
`MOST_POINTS` rows. It lays nothing out; that is the check's business.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sonmat.core.values import Example, Finding
from sonmat.reading.personal import masked
from sonmat.reading.rows import texts_of
from sonmat.steps.report.contents import Cluster, DataMap, MapPoint
from sonmat.steps.report.quoting import shortened

CHECK: Final = "diversity"
MOST_POINTS: Final = 1500
MOST_SUSPICIOUS: Final = 500
_SUSPECTING: Final = ("label_errors", "near_duplicate", "conflicts", "leakage")
"""Checks whose rows are marked, by the beginning of their names."""
_WORDS: Final = 80


def mapped_rows(findings: Sequence[Finding]) -> set[str]:
    """Ids of the rows that the map will show."""
    finding = _finding(findings)
    return set() if finding is None else {finding.data["map"]["ids"][at] for at in _chosen(finding, _suspicious(findings))}


def data_map(findings: Sequence[Finding], examples: Mapping[str, Example]) -> DataMap | None:
    """The map, or None where the audit made none.

    Args:
        examples: the rows of `mapped_rows`, of which those that are gone may be missing.
    """
    finding = _finding(findings)
    if finding is None:
        return None
    suspicious, places = _suspicious(findings), finding.data["map"]
    labels = places.get("label") or [""] * len(places["ids"])
    points = tuple(
        MapPoint(
            row=places["ids"][at],
            x=places["x"][at],
            y=places["y"][at],
            cluster=places["cluster"][at],
            label=str(labels[at] or ""),
            suspicious=suspicious.get(places["ids"][at], ()),
            words=_words(examples.get(places["ids"][at])),
        )
        for at in _chosen(finding, suspicious)
    )
    return DataMap(
        points=points,
        rows=len(places["ids"]),
        clusters=tuple(_cluster(each) for each in finding.data.get("clusters", ())),
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


def _chosen(finding: Finding, suspicious: Mapping[str, tuple[str, ...]]) -> list[int]:
    """Places of the rows to show, in the order of the map: suspicious ones first of all, then every so many others."""
    ids = finding.data["map"]["ids"]
    marked = [at for at, id in enumerate(ids) if id in suspicious]
    marked = _every(marked, MOST_SUSPICIOUS)
    shown = set(marked)
    others = [at for at, id in enumerate(ids) if id not in suspicious]
    return sorted(shown | set(_every(others, MOST_POINTS - len(shown))))


def _every(places: list[int], most: int) -> list[int]:
    """At most `most` of the places, evenly spread."""
    return places if len(places) <= most else [places[number * len(places) // most] for number in range(most)]


def _cluster(told: Mapping[str, Any]) -> Cluster:
    return Cluster(cluster=told["cluster"], rows=told["rows"], words=tuple(map(str, told.get("words", ()))))


def _words(example: Example | None) -> str:
    if example is None:
        return ""
    return shortened(masked(" ".join(" ".join(texts_of(example.input)).split())[: 4 * _WORDS]), _WORDS)
