"""`sonmat fit`: train every candidate of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sonmat.cli.options import AsJson, RunName, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from sonmat.api import Run

HELP = Text(
    en="Train every candidate of the plan. What is trained already is not trained again.",
    ko="계획의 모든 후보를 학습합니다. 이미 학습한 것은 되풀이하지 않습니다.",
)


Profile = Annotated[
    bool,
    typer.Option(
        "--profile",
        help=words(
            en="Then run a few steps of each training again, on a copy, and write where time and memory go: "
            "profile.md and a trace, profile.json.gz, in the candidate's folder.",
            ko="학습 뒤에 각 후보의 몇 단계를 사본에서 다시 돌려 시간과 메모리가 어디에 쓰이는지 "
            "후보 폴더의 profile.md와 profile.json.gz에 적습니다.",
        ),
    ),
]


def fit(run: RunName, profile: Profile = False, as_json: AsJson = False) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening

    with listening(as_json) as listeners:
        found = api.open_run(run).resume("fit", listeners)
        pages = found.profile(listeners) if profile else {}
    fits = found.folder.fits()
    if as_json:
        fitted = {name: found.folder.fitted(name) for name in fits.fitted}
        shown = {"run": found.name, "folder": str(found.path), "fitted": fitted, "failed": fits.failed}
        print_json({**shown, "profiles": {name: str(page) for name, page in pages.items()}} if profile else shown)
        return
    print_fits(console(), found)
    for page in pages.values():
        print_page(console(), page)


def print_page(screen: Console, page: Path) -> None:
    """A profile's sentences, without its tables, and where to find them."""
    from sonmat.cli.console import indented, show

    title, *rest = page.read_text(encoding="utf-8").partition("\n## ")[0].strip().split("\n\n")
    show(screen, title.removeprefix("# "), "bold")
    for sentences in rest:
        show(screen, indented(f"· {sentences}"))
    show(screen, indented(f"→ {page}"), "dim")


def print_fits(screen: Console, run: Run) -> None:
    """What each candidate's training came to."""
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import indented, show
    from sonmat.core.text import reader_language
    from sonmat.steps.report.phrasing import Phrasing
    from sonmat.steps.report.vocabulary import measure_named

    phrasing, fits = Phrasing(reader_language()), run.folder.fits()
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column(str(Text(en="candidate", ko="후보")), overflow="fold")
    table.add_column(str(Text(en="best step", ko="가장 좋은 단계")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="validation", ko="검증")), justify="right")
    table.add_column(str(Text(en="time", ko="시간")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="memory", ko="메모리")), justify="right", no_wrap=True)
    for name in fits.fitted:
        fitted = run.folder.fitted(name)
        metrics = [(measure_named(metric), value) for metric, value in fitted.selection.items() if metric != "loss"]
        values = "\n".join(f"{measure.title} {phrasing.amount(value, measure)}" for measure, value in metrics)
        steps = f"{fitted.best_step}/{fitted.steps}" if fitted.steps else "–"
        size = phrasing.size(fitted.peak_bytes)
        table.add_row(name, steps, values or "–", phrasing.duration(fitted.seconds), size)
    show(screen, table)
    for name, reason in fits.failed.items():
        show(screen, indented(f"✗ {name}: {reason}"), "red")
