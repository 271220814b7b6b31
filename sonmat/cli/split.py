"""`sonmat split`: the examples in a part to learn from, one to choose by, and a sealed one to prove with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.commands import asking
from sonmat.cli.options import (
    DATA_OPTIONS,
    FINDING_OPTIONS,
    SPLIT_OPTIONS,
    AsJson,
    Folder,
    Lang,
    RecipeFile,
    RunOrData,
    words,
)
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from sonmat.api import Run
    from sonmat.exporting import ExportedSplit

MOST_CLASSES = 20
"""More would push what matters off the screen."""

HELP = Text(
    en="Divide the examples and seal the test set. One part to learn from, one to choose by, one to prove with.",
    ko="예시를 나누고 테스트용을 봉인합니다. 학습용, 검증용, 테스트용으로 나눕니다.",
)


@asking(DATA_OPTIONS, FINDING_OPTIONS, SPLIT_OPTIONS)
def split(
    asked: dict[str, Any],
    run: RunOrData,
    out: Annotated[
        str | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help=words(
                "Write the parts as files into this folder, in the rows' own columns, with split.json beside them; the folds "
                "as fold-1, fold-2, ... when cross-validated.",
                "나눈 행을 원래 열 그대로 이 폴더에 파일로 쓰고 split.json을 함께 둡니다. "
                "교차 검증이면 폴드마다 fold-1, fold-2, … 로 씁니다.",
            ),
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="NAME",
            help=words(
                "Format of these files: jsonl, csv, parquet, ...; the data's own if left out.",
                "파일 형식: jsonl, csv, parquet 등. 생략하면 데이터의 형식을 따릅니다.",
            ),
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=words("Replace an earlier export in DIR.", "DIR에 앞서 내보낸 것을 덮어씁니다."))
    ] = False,
    recipe: RecipeFile = None,
    folder: Folder = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import Target, listening

    if out is None and (format is not None or force):
        raise typer.BadParameter(
            words("--format and --force say how --out DIR is written.", "--format과 --force는 --out DIR과 함께 씁니다.")
        )
    if lang is not None:
        asked["lang"] = lang
    target = Target.of(run, recipe, folder, asked, keep_recipe=True)
    if out is not None:
        from sonmat.exporting import check_export

        # Said before anything is read.
        check_export(Path(out), force)
    with listening(as_json, frozenset({"split"})) as listeners:
        found = target.perform("split", listeners)
    exported = found.export_split(out, format, force) if out is not None else None
    if as_json:
        document = {"run": found.name, "folder": str(found.path), "split": found.split}
        print_json({**document, "exported": exported.files} if exported else document)
        return
    print_split(console(), found)
    if exported is not None:
        print_files(console(), Path(str(out)), exported)


def print_split(screen: Console, run: Run) -> None:
    """Sizes, rows of each class where these are few, how it was done, and the seal."""
    from sonmat.cli.console import show

    parts = run.split
    if parts.folds:
        folds = len(parts.folds) // parts.repeats
        sizes = Text(
            en=f"{len(parts.test):,} rows, each tested {'once' if parts.repeats == 1 else f'{parts.repeats} times'} in {folds} folds",
            ko=f"{len(parts.test):,}행을 폴드 {folds}개로 나누어 각각 {parts.repeats}번씩 테스트",
        )
    else:
        sizes = Text(
            en=f"train {len(parts.train):,} · validation {len(parts.validation):,} · test {len(parts.test):,}",
            ko=f"학습 {len(parts.train):,} · 검증 {len(parts.validation):,} · 테스트 {len(parts.test):,}",
        )
    screen.print(str(sizes), style="bold")
    table = _class_table(run)
    if table is not None:
        show(screen, table)
    screen.print(str(parts.how))
    screen.print(f"{Text(en='seal', ko='봉인')} {parts.seal[:16]}…", style="dim")


def print_files(screen: Console, out: Path, exported: ExportedSplit) -> None:
    """What was written; of folds the first and their number."""
    folds = exported.folds * exported.repeats
    for file in exported.files:
        if not file.name.startswith("fold-"):
            screen.print(f"{out / file.name}  {file.rows:,}", soft_wrap=True)
    if folds:
        screen.print(f"{out}/fold-1 … fold-{folds}", soft_wrap=True)
    screen.print(f"{out / 'split.json'}", soft_wrap=True)


def _class_table(run: Run) -> Table | None:
    """Rows of each class in each part, the largest class first; None where there are no classes or too many to show."""
    from rich import box
    from rich.table import Table

    from sonmat.reading.rows import labels_of

    parts = run.split
    named = [(Text(en="train", ko="학습"), parts.train), (Text(en="validation", ko="검증"), parts.validation)]
    if not parts.folds:
        named.append((Text(en="test", ko="테스트"), parts.test))
    part_of = {row: number for number, (_, ids) in enumerate(named) for row in ids}
    counts: dict[str, list[int]] = {}
    for example in run.folder.kept_examples():
        for label in labels_of(example):
            counts.setdefault(label, [0] * len(named))[part_of[example.id]] += 1
        if len(counts) > MOST_CLASSES:
            return None
    if not counts:
        return None
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column(str(Text(en="class", ko="클래스")), overflow="fold")
    for title, _ in named:
        table.add_column(str(title), justify="right", no_wrap=True)
    for label, rows in sorted(counts.items(), key=lambda entry: (-sum(entry[1]), entry[0])):
        table.add_row(label, *(f"{count:,}" for count in rows))
    return table
