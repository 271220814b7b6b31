"""`sonmat split`: the examples in a part to learn from, one to choose by, and a sealed one to prove with."""

from __future__ import annotations

from typing import Any

from sonmat.cli.options import (
    DATA_OPTIONS,
    FINDING_OPTIONS,
    SPLIT_OPTIONS,
    AsJson,
    Folder,
    Lang,
    RecipeFile,
    RunOrData,
    asking,
)
from sonmat.core.text import Text

HELP = Text(
    en="Divide the examples and seal the test set. One part to learn from, one to choose by, one to prove with.",
    ko="예시를 나누고 시험용을 봉인합니다. 학습용, 검증용, 시험용으로 나눕니다.",
)


@asking(DATA_OPTIONS, FINDING_OPTIONS, SPLIT_OPTIONS)
def split(
    asked: dict[str, Any],
    run: RunOrData,
    recipe: RecipeFile = None,
    folder: Folder = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import Target, listening

    if lang is not None:
        asked["lang"] = lang
    target = Target.of(run, recipe, folder, asked, keep_recipe=True)
    with listening(as_json) as listeners:
        found = target.perform("split", listeners)
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
