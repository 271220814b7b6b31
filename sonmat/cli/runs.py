"""`sonmat runs`: every run here, how far it came and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonmat.cli.options import AsJson
from sonmat.core.errors import RunError
from sonmat.core.text import Text, reader_language
from sonmat.core.values import Value

if TYPE_CHECKING:
    from sonmat.runs import RunFolder

HELP = Text(
    en="List the runs. How far each came, and what it says.",
    ko="실행 목록을 보여 줍니다. 진행 단계와 결과도 함께 보여 줍니다.",
)


class RunLine(Value):
    """One run of the list."""

    run: str
    folder: str
    data: str
    task: str | None = None
    step: str | None = None
    """The last step that was done."""
    use: str | None = None
    """The candidate that the verdict says to use."""
    headline: str | None = None
    """Its headline metric in words."""
    problem: Text | None = None


def runs(as_json: AsJson = False) -> None:
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import console, print_json, show
    from sonmat.runs.folder import list_runs, runs_root

    lines = [line_of(folder) for folder in list_runs()]
    if as_json:
        print_json({"runs": lines})
        return
    if not lines:
        none = Text(
            en=f"There are no runs in {runs_root()}. Start one: `sonmat run FILE`.",
            ko=f"{runs_root()}에 실행이 없습니다. `sonmat run 파일`로 시작하세요.",
        )
        console().print(str(none))
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for title in (Text(en="run", ko="실행"), Text(en="data", ko="데이터"), Text(en="step", ko="단계")):
        table.add_column(str(title), overflow="fold")
    table.add_column(str(Text(en="use", ko="사용할 모델")), overflow="fold")
    table.add_column(str(Text(en="result", ko="결과")), justify="right")
    for line in lines:
        use = str(line.problem) if line.problem else line.use or ""
        style = "red" if line.problem else ""
        table.add_row(line.run, line.data, line.step or "–", use, line.headline or "", style=style)
    show(console(), table)


def line_of(folder: RunFolder) -> RunLine:
    """What there is to say of a run in one line; a damaged one is listed with its problem."""
    from sonmat.runs import STEP_FILES
    from sonmat.steps.report.phrasing import Phrasing
    from sonmat.steps.report.vocabulary import measure_named

    line = RunLine(run=folder.name, folder=str(folder.path), data="?")
    done = [step for step in STEP_FILES if folder.exists(step)]
    line = line.model_copy(update={"step": done[-1] if done else None})
    try:
        line = line.model_copy(update={"data": folder.recipe().data})
        if folder.exists("load"):
            line = line.model_copy(update={"task": folder.source().task})
        if not folder.exists("prove"):
            return line
        proof = folder.proof()
    except RunError as error:
        return line.model_copy(update={"problem": error.what})
    measure = measure_named(proof.headline)
    value = next((arm.headline.value for arm in proof.arms if arm.candidate == proof.verdict.use), None)
    said = Phrasing(reader_language()).amount(value, measure) if value is not None else ""
    headline = f"{measure.title} {said}" if said else None
    return line.model_copy(update={"use": proof.verdict.use, "headline": headline})
