"""`sonmat runs`: every run here, how far it came and what it says."""

from __future__ import annotations

from pathlib import Path

from sonmat.cli.options import AsJson
from sonmat.core.text import Text

HELP = Text(
    en="List the runs. How far each came, and what it says.",
    ko="실행 목록을 보여 줍니다. 진행 단계와 결과도 함께 보여 줍니다.",
)


def runs(as_json: AsJson = False) -> None:
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import console, print_json, show
    from sonmat.cli.run_line import line_of
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
        table.add_row(line.run, _names_of(line.data), line.step or "–", use, line.headline or "", style=style)
    show(console(), table)


def _names_of(data: str) -> str:
    """Paths without their folders, which would be broken anywhere in a narrow column; --json has them whole."""
    return ", ".join(each if each.startswith("hub:") else Path(each).name or each for each in data.split(", "))
