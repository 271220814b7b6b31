"""`sonmat plan`: what will be tried on this machine, what it will cost, and what cannot be tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonmat.cli.options import AsJson, RunOrData
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.core.values import Plan

HELP = Text(
    en="Choose base models and methods. For this machine, with memory and minutes, and why others cannot be used.",
    ko="기본 모델과 방법을 정합니다. 이 기계에서 쓸 메모리와 시간, 쓸 수 없는 방법의 이유도 알려 줍니다.",
)


def plan(run: RunOrData, as_json: AsJson = False) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import run_of

    found = run_of(run, "plan", as_json, hidden=frozenset({"candidate_planned", "candidate_refused"}))
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "plan": found.plan})
        return
    print_plan(console(), found.plan)


def print_plan(screen: Console, plan: Plan) -> None:
    """Candidates with reason, memory and time; then what was refused, with the reason."""
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import indented, show
    from sonmat.core.text import reader_language
    from sonmat.steps.report.phrasing import Phrasing

    phrasing = Phrasing(reader_language())
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column(str(Text(en="candidate", ko="후보")), overflow="fold", ratio=2)
    table.add_column(str(Text(en="memory", ko="메모리")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="time", ko="시간")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="why", ko="이유")), overflow="fold", ratio=3)
    for candidate in plan.candidates:
        estimate = candidate.estimate
        size, seconds = phrasing.size(estimate.peak_bytes), phrasing.duration(estimate.seconds)
        table.add_row(candidate.id, size, seconds, str(candidate.reason))
    show(screen, table)
    for refused in plan.refused:
        name = " · ".join(part for part in (refused.method, refused.base) if part)
        show(screen, indented(f"− {name}: {refused.reason}"), "dim")
    fitting = sum(candidate.estimate.seconds for candidate in plan.candidates if candidate.role == "tuned")
    total = Text(
        en=f"Training will take about {phrasing.duration(fitting)} on {plan.device.name or plan.device.kind}.",
        ko=f"{plan.device.name or plan.device.kind}에서 학습에 약 {phrasing.duration(fitting)} 걸립니다.",
    )
    screen.print(str(total), style="bold")
