"""`sonmat show`: all that a run has come to so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonmat.cli.options import AsJson, RunName
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.api import Run

HELP = Text(
    en="Show what a run has come to. Data, audit, split, plan, training, verdict and blind votes, as far as they are done.",
    ko="실행의 내용을 보여 줍니다. 데이터, 점검, 나눔, 계획, 학습, 판정, 블라인드 비교 가운데 끝난 것을 보여 줍니다.",
)


def show(run: RunName, as_json: AsJson = False) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json

    found = api.open_run(run)
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "recipe": found.recipe, **_results(found)})
        return
    _print_run(console(), found)


def _results(run: Run) -> dict[str, Any]:
    """The value of every step that is done."""
    folder = run.folder
    readers = {
        "load": ("source", folder.source),
        "audit": ("audit", folder.audit),
        "split": ("split", folder.split),
        "plan": ("plan", folder.plan),
        "fit": ("fits", folder.fits),
        "prove": ("proof", folder.proof),
        "release": ("release", folder.release),
    }
    found: dict[str, Any] = {name: read() for step, (name, read) in readers.items() if folder.exists(step)}
    if "proof" in found and (preferences := run.preferences):
        found["preferences"] = preferences
    return found


def _print_run(screen: Console, run: Run) -> None:
    from sonmat.cli.blind import print_preference
    from sonmat.cli.findings import print_findings
    from sonmat.cli.fit import print_fits
    from sonmat.cli.plan import print_plan
    from sonmat.cli.verdict import print_verdict

    screen.print(run.name, style="bold")
    screen.print(str(run.path), style="dim", soft_wrap=True)
    done = _results(run)
    if "source" in done:
        _section(screen, Text(en="Data", ko="데이터"))
        screen.print(str(run.source.reason))
    if "audit" in done:
        _section(screen, Text(en="Audit", ko="점검"))
        print_findings(screen, run)
    if "split" in done:
        _section(screen, Text(en="Split", ko="나눔"))
        screen.print(str(run.split.how))
    if "plan" in done:
        _section(screen, Text(en="Plan", ko="계획"))
        print_plan(screen, run.plan)
    if "fits" in done:
        _section(screen, Text(en="Fit", ko="학습"))
        print_fits(screen, run)
    if "proof" in done:
        _section(screen, Text(en="Proof", ko="증명"))
        print_verdict(screen, run.proof)
    for preference in done.get("preferences", ()):
        _section(screen, Text(en="Blind comparison", ko="블라인드 비교"))
        print_preference(screen, preference)
    if run.report_path.is_file():
        screen.print(f"\n{Text(en='Report', ko='보고서')}: {run.report_path}", soft_wrap=True)


def _section(screen: Console, title: Text) -> None:
    screen.print(f"\n{title}", style="bold cyan")
