"""`sonmat split`: the examples in a part to learn from, one to choose by, and a sealed one to prove with."""

from __future__ import annotations

from sonmat.cli.options import AsJson, RunOrData
from sonmat.core.text import Text

HELP = Text(
    en="Divide the examples and seal the test set. One part to learn from, one to choose by, one to prove with.",
    ko="예시를 나누고 시험용을 봉인합니다. 학습용, 검증용, 시험용으로 나눕니다.",
)


def split(run: RunOrData, as_json: AsJson = False) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import run_of

    found = run_of(run, "split", as_json)
    parts = found.split
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "split": parts})
        return
    sizes = Text(
        en=f"train {len(parts.train):,} · validation {len(parts.validation):,} · test {len(parts.test):,}",
        ko=f"학습 {len(parts.train):,} · 검증 {len(parts.validation):,} · 시험 {len(parts.test):,}",
    )
    screen = console()
    screen.print(str(sizes), style="bold")
    screen.print(str(parts.how))
    screen.print(f"{Text(en='seal', ko='봉인')} {parts.seal[:16]}…", style="dim")
