"""`sonmat audit`: what is wrong with the data, what became of every row, and what exactly would be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sonmat.cli.options import AsJson, RunOrData, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.core.values import Audit, Severity

HELP = Text(
    en="Say what is wrong with the data. Accounts for every row, and shows token by token what is trained on.",
    ko="데이터의 문제를 알려 줍니다. 모든 행의 처리 결과와, 무엇을 학습하는지를 토큰 단위로 보여 줍니다.",
)
_SEVERITIES: dict[Severity, tuple[str, Text, str]] = {
    "blocker": ("✗", Text(en="blocker", ko="중단"), "bold red"),
    "warning": ("!", Text(en="warning", ko="경고"), "yellow"),
    "note": ("·", Text(en="note", ko="참고"), ""),
}


def audit(
    run: RunOrData,
    show_tokens: Annotated[
        int,
        typer.Option(
            "--show-tokens",
            min=0,
            metavar="N",
            help=words(
                "Preview N encoded rows of the training set, learnt tokens marked; this needs the plan.",
                "학습 데이터 N행을 토큰으로 보여 주고 학습되는 토큰을 표시합니다. 계획 단계까지 실행합니다.",
            ),
        ),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import run_of

    found = run_of(run, "plan" if show_tokens else "audit", as_json, hidden=frozenset({"finding"}))
    if show_tokens:
        from sonmat.cli.tokens import encoded_rows, print_rows

        rows = encoded_rows(found, show_tokens)
        if as_json:
            print_json({"run": found.name, "folder": str(found.path), "audit": found.audit, "rows": rows})
            return
        print_audit(console(), found.audit)
        print_rows(console(), rows)
        return
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "audit": found.audit})
        return
    print_audit(console(), found.audit)


def print_audit(screen: Console, audit: Audit) -> None:
    """Every finding with what to do about it, and what became of the rows."""
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import show

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("", width=1)
    table.add_column(str(Text(en="check", ko="점검")), max_width=16, overflow="fold")
    table.add_column(str(Text(en="rows", ko="행")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="what, and what to do", ko="내용과 할 일")), overflow="fold")
    for finding in audit.findings:
        mark, severity, style = _SEVERITIES[finding.severity]
        evidence = "; ".join(finding.evidence[:3])
        said = "\n".join(part for part in (str(finding.what), evidence, f"→ {finding.fix}") if part)
        rows = f"{len(finding.rows):,}" if finding.rows else ""
        table.add_row(mark, f"{finding.check}\n{severity}", rows, said, style=style)
    if audit.findings:
        show(screen, table)
    else:
        screen.print(str(Text(en="Nothing was found wrong.", ko="문제를 찾지 못했습니다.")))
    counts = Text(
        en=f"{audit.rows_in:,} rows in = {audit.kept:,} kept + {audit.changed:,} changed + {audit.dropped:,} dropped",
        ko=f"읽은 {audit.rows_in:,}행 = 그대로 {audit.kept:,} + 고침 {audit.changed:,} + 뺌 {audit.dropped:,}",
    )
    screen.print(str(counts), style="bold")
