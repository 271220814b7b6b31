"""`sonmat convert`: rows of any shape written as any other, every loss listed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.commands import asking
from sonmat.cli.options import DATA_OPTIONS, AsJson, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.converting import Conversion

HELP = Text(
    en="Write examples in another shape or format. Every loss is listed.\n\n"
    "DATA is what `sonmat run` takes. OUT's ending says the format: .jsonl, .json, .csv, .tsv, .parquet, .xlsx and more. What "
    "the new shape cannot hold stops the conversion before anything is written, unless --lossy is given.",
    ko="예시를 다른 모양이나 형식으로 씁니다. 빠지는 내용은 모두 알려 줍니다.\n\n"
    "DATA에는 `sonmat run`에 주는 것을 그대로 줍니다. OUT의 확장자가 형식을 정합니다: .jsonl, .json, .csv, .tsv, .parquet, .xlsx 등. "
    "새 모양에 담을 수 없는 내용이 있으면, --lossy가 없는 한 아무것도 쓰지 않고 멈춥니다.",
)
_SHAPES = (
    "messages, sharegpt, alpaca, prompt_completion, input_output, context_chat, preference_openai, preference_trl, text_label, "
    "text_labels, label_columns, text_number, question_context, image_label, image_objects, audio_label, audio_text"
)


@asking({name: DATA_OPTIONS[name] for name in ("task", "input", "target", "map", "template")})
def convert(
    asked: dict[str, Any],
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help=words("File or folder of examples, or a manifest (.yaml).", "예시 파일이나 폴더, 또는 목록 파일(.yaml)."),
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="OUT", help=words("File or folder to write.", "쓸 파일이나 폴더."))],
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="SHAPE",
            help=words(
                f"New shape; the data's own if left out. One of: {_SHAPES}.",
                f"새 모양. 생략하면 그대로 둡니다. 가능한 값: {_SHAPES}.",
            ),
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="A,B|all",
            help=words(
                "Columns to write although the new shape has no place for them.", "새 모양에 자리가 없어도 함께 쓸 열."
            ),
        ),
    ] = None,
    lossy: Annotated[
        bool,
        typer.Option(
            "--lossy",
            help=words(
                "Leave out what the new shape cannot hold, instead of stopping.",
                "새 모양에 담을 수 없는 내용을 빼고 씁니다(기본은 멈춤).",
            ),
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help=words("Replace OUT if it is there.", "OUT이 있으면 바꿉니다."))
    ] = False,
    as_json: AsJson = False,
) -> None:
    from sonmat import api
    from sonmat.cli.asked import names_of
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening

    with listening(as_json) as listeners:
        found = api.convert(
            data, out, to=to, keep=names_of(keep or ""), lossy=lossy, force=force, listeners=listeners, **asked
        )
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    print_conversion(console(), found)


def print_conversion(screen: Console, found: Conversion) -> None:
    """How many rows went where, and what was lost."""
    from sonmat.converting.losses import described

    screen.print(
        str(
            Text(
                en=f"{found.rows_out:,} of {found.rows_in:,} rows → {found.out} ({found.new_shape}, {found.format})",
                ko=f"{found.rows_in:,}행 가운데 {found.rows_out:,}행 → {found.out} ({found.new_shape}, {found.format})",
            )
        ),
        style="bold",
    )
    for loss in found.losses:
        screen.print(f"  {described(loss)}", style="yellow" if not loss.chosen else None)
    if not found.losses:
        screen.print(str(Text(en="  Nothing was lost.", ko="  빠진 내용이 없습니다.")))
