"""`sonmat run`: from a file of examples to a proven specialist, or on with a run that was stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.commands import asking
from sonmat.cli.options import (
    DATA_OPTIONS,
    FINDING_OPTIONS,
    PROOF_OPTIONS,
    SPLIT_OPTIONS,
    TRAINING_OPTIONS,
    AsJson,
    Folder,
    Lang,
    RecipeFile,
    words,
)
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.api import Run

HELP = Text(
    en="Make a proven specialist from a file of examples.\n\n"
    "DATA is a file (CSV, JSON, JSON lines), several, or a folder of pictures with a folder a class. What is left out is "
    "recognised or chosen and said aloud. The same command continues a run that was stopped; a finished step is not repeated.",
    ko="예시 파일로 검증된 전문 모델을 만듭니다.\n\n"
    "DATA는 파일(CSV, JSON, JSON Lines) 하나나 여럿, 또는 클래스마다 폴더가 있는 그림 폴더입니다. 생략한 것은 알아서 정하고 "
    "알려 줍니다. 멈춘 실행은 같은 명령으로 이어지고, 끝난 단계는 되풀이하지 않습니다.",
)


@asking(DATA_OPTIONS, FINDING_OPTIONS, SPLIT_OPTIONS, TRAINING_OPTIONS, PROOF_OPTIONS)
def run(
    asked: dict[str, Any],
    data: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="DATA",
            help=words(
                "Files or folders of examples; a recipe (.yaml); or a run, to go on with it.",
                "예시 파일이나 폴더, 레시피(.yaml), 또는 이어서 할 실행.",
            ),
        ),
    ] = None,
    recipe: RecipeFile = None,
    folder: Folder = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.target import Target, listening

    if lang is not None:
        asked["lang"] = lang
    target = Target.of(data or [], recipe, folder, asked, keep_recipe=False)
    with listening(as_json) as listeners:
        found = target.perform("learn", listeners)
    print_result(found, as_json)


def print_result(found: Run, as_json: bool) -> None:
    """What a whole run ends with: the verdict table, the sentence, and where the report is."""
    from sonmat.cli.console import console, print_json
    from sonmat.cli.verdict import print_verdict, stop_if_guarded

    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "report": str(found.report_path), "proof": found.proof})
        stop_if_guarded(found.proof)
        return
    screen = console()
    print_verdict(screen, found.proof)
    # A path that is broken over two lines could not be copied.
    screen.print(f"\n{words('Report', '보고서')}: {found.report_path}", soft_wrap=True)
    stop_if_guarded(found.proof)
