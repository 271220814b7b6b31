"""Findings for a terminal of 80 columns and for machines: what, where, how grave, and what to do.

In: a run whose audit is written. Out: a table and closing lines, or one JSON object. It quotes the audit's evidence, never
rows themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sonmat.core.text import Text
from sonmat.core.values import Audit, Finding, Severity, Source

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.api import Run
    from sonmat.runs import RunFolder

RANK: dict[Severity, int] = {"blocker": 0, "warning": 1, "note": 2}
_NAME_CELLS = 16
"""Width of the column with checks' names."""
_SHOWN_PLACES = 5
_SHOWN_EVIDENCE = 3
_SEVERITIES: dict[Severity, tuple[str, Text, str]] = {
    "blocker": ("✗", Text(en="blocker", ko="중단"), "bold red"),
    "warning": ("!", Text(en="warning", ko="경고"), "yellow"),
    "note": ("·", Text(en="note", ko="참고"), ""),
}


def print_findings(screen: Console, run: Run) -> None:
    """Every finding, gravest first, and what became of the rows."""
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import show

    audit = run.audit
    places = places_of(run.folder, {id for finding in audit.findings for id in finding.rows[:_SHOWN_PLACES]})
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("", width=1)
    table.add_column(str(Text(en="check", ko="점검")), max_width=_NAME_CELLS, overflow="fold")
    table.add_column(str(Text(en="rows", ko="행")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="what, and what to do", ko="내용과 할 일")), overflow="fold")
    for finding in by_gravity(audit.findings):
        mark, severity, style = _SEVERITIES[finding.severity]
        evidence = "; ".join(finding.evidence[:_SHOWN_EVIDENCE])
        where = _where(finding, places)
        said = "\n".join(part for part in (str(finding.what), evidence, where, f"→ {finding.fix}") if part)
        rows = f"{len(finding.rows):,}" if finding.rows else ""
        table.add_row(mark, f"{_broken(finding.check)}\n{severity}", rows, said, style=style)
    if audit.findings:
        show(screen, table)
    else:
        screen.print(str(Text(en="Nothing was found wrong.", ko="문제를 찾지 못했습니다.")))
    screen.print(str(_summary(audit)))
    screen.print(str(accounted(audit)), style="bold")


def _broken(name: str) -> str:
    """A long name over two lines, broken between its words."""
    head, found, tail = name[:_NAME_CELLS].rpartition("_")
    return f"{head}_\n{tail}{name[_NAME_CELLS:]}" if found and len(name) > _NAME_CELLS else name


def print_files(screen: Console, run: Run) -> None:
    """Where to read on; a path that is broken over two lines could not be copied."""
    for path in _files(run).values():
        screen.print(path, style="dim", soft_wrap=True)


def findings_document(run: Run) -> dict[str, Any]:
    """The whole audit for machines: to each finding the file and row of every id."""
    audit = run.audit
    places = places_of(run.folder, {id for finding in audit.findings for id in finding.rows})
    findings = [
        {
            **finding.model_dump(mode="json", exclude={"repairs"}),
            "places": [_place(places[id]) if id in places else None for id in finding.rows],
        }
        for finding in by_gravity(audit.findings)
    ]
    counted = audit.model_dump(mode="json", exclude={"findings"})
    return {
        "run": run.name,
        "folder": str(run.path),
        "blocked": bool(audit.blockers),
        "audit": {"findings": findings, **counted},
        "files": _files(run),
    }


def _files(run: Run) -> dict[str, str]:
    """Where the audit's files lie, its page among them if there is one."""
    paths = (run.folder.file(name) for name in ("audit.json", "ledger.jsonl", "audit.html"))
    return {path.name: str(path) for path in paths if path.exists()}


def by_gravity(findings: Iterable[Finding]) -> list[Finding]:
    """Blockers, then warnings, then notes; of each the ones that concern most rows first."""
    return sorted(findings, key=lambda finding: (RANK[finding.severity], -len(finding.rows)))


def places_of(folder: RunFolder, ids: set[str]) -> dict[str, Source]:
    """File and row of the examples `ids`, read from the ledger in one pass."""
    return {line.id: line.source for line in folder.ledger() if line.id in ids} if ids else {}


def accounted(audit: Audit) -> Text:
    """What became of the rows, as an equation."""
    return Text(
        en=f"{audit.rows_in:,} rows in = {audit.kept:,} kept + {audit.changed:,} changed + {audit.dropped:,} dropped",
        ko=f"읽은 {audit.rows_in:,}행 = 그대로 {audit.kept:,} + 고침 {audit.changed:,} + 뺌 {audit.dropped:,}",
    )


def _summary(audit: Audit) -> Text:
    counts = Counter(finding.severity for finding in audit.findings)
    english = [f"{counts[severity]} {severity}{'s' * (counts[severity] != 1)}" for severity in RANK]
    korean = [f"{_SEVERITIES[severity][1].ko} {counts[severity]}건" for severity in RANK]
    return Text(en=", ".join(english), ko=", ".join(korean))


def _where(finding: Finding, places: Mapping[str, Source]) -> str:
    shown = [places[id] for id in finding.rows[:_SHOWN_PLACES] if id in places]
    if not shown:
        return ""
    more = len(finding.rows) - len(shown)
    tail = Text(en=f" and {more:,} more", ko=f" 외 {more:,}행") if more else Text(en="", ko="")
    if len({source.file for source in shown}) == 1 and all(source.row for source in shown):
        numbers = ", ".join(str(source.row) for source in shown)
        word = "row" if len(finding.rows) == 1 else "rows"
        return str(Text(en=f"{shown[0].file}, {word} {numbers}{tail.en}", ko=f"{shown[0].file} {numbers}행{tail.ko}"))
    listed = ", ".join(_place(source) for source in shown)
    return str(Text(en=f"{listed}{tail.en}", ko=f"{listed}{tail.ko}"))


def _place(source: Source) -> str:
    return f"{source.file}:{source.row}" if source.row else source.file
