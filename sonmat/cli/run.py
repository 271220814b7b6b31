"""`sonmat run`: from a file of examples to a proven specialist, or on with a run that was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.options import AcceptLicence, AsJson, Lang, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.api import Run

HELP = Text(
    en="Make a proven specialist from a file of examples.\n\n"
    "DATA is a file (CSV, JSON, JSON lines) or a folder of pictures with a folder a class. What is left out is recognised or "
    "chosen and said aloud. The same command continues a run that was stopped; a finished step is not repeated.",
    ko="예시 파일로 검증된 전문 모델을 만듭니다.\n\n"
    "DATA는 파일(CSV, JSON, JSON Lines)이나 분류마다 폴더가 있는 그림 폴더입니다. 생략한 것은 알아서 정하고 알려 줍니다. "
    "멈춘 실행은 같은 명령으로 이어지고, 끝난 단계는 되풀이하지 않습니다.",
)


def run(
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA",
            help=words(
                "File or folder of examples; a recipe (.yaml); or a run, to go on with it.",
                "예시 파일이나 폴더, 레시피(.yaml), 또는 이어서 할 실행.",
            ),
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help=words(
                "YAML file with the same names as these options; options win over it.",
                "이 옵션들과 같은 이름을 쓰는 YAML 파일. 옵션이 우선합니다.",
            ),
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help=words("Task, e.g. text-classification.", "과제, 예: text-classification.")),
    ] = None,
    input: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help=words("Column that holds the input.", "입력이 든 열.")),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help=words("Column that holds the answer.", "정답이 든 열.")),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help=words(
                "Column whose equal values must stay in one part (a customer, a patient).",
                "값이 같으면 한쪽에 두어야 하는 열(고객, 환자 등).",
            ),
        ),
    ] = None,
    slices: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help=words("Columns to report results by.", "결과를 나누어 볼 열."),
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help=words(
                "Base model: a catalogue name, hub:ORG/NAME, folder, .gguf file or wheel:NAME==VERSION.",
                "기본 모델: 목록의 이름, hub:ORG/NAME, 폴더, .gguf 파일, wheel:NAME==VERSION.",
            ),
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help=words("Methods to try; chosen if left out.", "써 볼 방법. 생략하면 알아서 고릅니다."),
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help=words(
                "Time that fitting may take in all, in minutes. (default: 10)", "학습에 쓸 전체 시간(분). (기본값: 10)"
            ),
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=words("Seed of every random choice. (default: 0)", "모든 무작위 선택의 시드. (기본값: 0)"),
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="METHOD.NAME=VALUE",
            help=words(
                "A setting of a method, e.g. lora.rank=8. Repeatable.",
                "방법의 설정, 예: lora.rank=8. 여러 번 쓸 수 있습니다.",
            ),
        ),
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help=words(
                "Longest row in tokens; the base model's own limit if left out.",
                "한 행의 최대 토큰 수. 생략하면 기본 모델의 한도를 따릅니다.",
            ),
        ),
    ] = None,
    accept_licence: AcceptLicence = None,
    bad_rows: Annotated[
        str | None,
        typer.Option(
            metavar="stop|drop",
            help=words(
                "Rows that cannot be used: stop, or drop them into the ledger.",
                "쓸 수 없는 행: 멈추거나(stop) 장부에 적고 뺍니다(drop).",
            ),
        ),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="ask|merge|keep",
            help=words(
                "Labels that differ only in case or spaces: stop and ask, merge, or keep apart.",
                "대소문자나 빈칸만 다른 라벨: 멈추고 묻기(ask), 합치기(merge), 그대로 두기(keep).",
            ),
        ),
    ] = None,
    allow_truncation: Annotated[
        bool,
        typer.Option(
            "--allow-truncation",
            help=words(
                "Train although more than 1 % of the tokens would be cut off.", "전체 토큰의 1% 넘게 잘리더라도 학습합니다."
            ),
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help=words("Run directory. (default: runs/NAME_OF_DATA)", "실행 폴더. (기본값: runs/데이터 이름)"),
        ),
    ] = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.settings import settings_of

    given: dict[str, Any] = {
        "task": task,
        "input": input,
        "target": target,
        "group": group,
        "slices": _parts(slices),
        "base": base,
        "method": _parts(method),
        "minutes": minutes,
        "seed": seed,
        "settings": settings_of(set_ or []),
        "max_tokens": max_tokens,
        "accept_licence": tuple(accept_licence or ()),
        "bad_rows": bad_rows,
        "labels": labels,
        "allow_truncation": allow_truncation or None,
        "lang": lang,
    }
    given = {name: value for name, value in given.items() if value not in (None, (), {})}
    found = _performed(data, recipe, folder, given, as_json)
    print_result(found, as_json)


def print_result(found: Run, as_json: bool) -> None:
    """What a whole run ends with: the verdict table, the sentence, and where the report is."""
    from sonmat.cli.console import console, print_json
    from sonmat.cli.verdict import print_verdict

    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "report": str(found.report_path), "proof": found.proof})
        return
    screen = console()
    print_verdict(screen, found.proof)
    # A path that is broken over two lines could not be copied.
    screen.print(f"\n{words('Report', '보고서')}: {found.report_path}", soft_wrap=True)


def _performed(data: str | None, recipe: Path | None, folder: Path | None, given: dict[str, Any], as_json: bool) -> Run:
    from sonmat import api
    from sonmat.cli.target import existing_run, listening
    from sonmat.recipes import merged_settings

    if recipe is None and data is not None and Path(data).suffix.lower() in (".yaml", ".yml"):
        recipe, data = Path(data), None
    if data is None and recipe is None and folder is None:
        raise typer.BadParameter(
            words("Name a file or folder of examples, or a recipe.", "예시 파일이나 폴더, 또는 레시피를 지정하세요."),
            param_hint="DATA",
        )
    going_on = existing_run(data if data is not None else folder) if recipe is None else None
    with listening(as_json) as listeners:
        if going_on is not None:
            known = going_on.recipe.model_dump()
            settings = merged_settings(known["settings"], given.get("settings"))
            asked = {**known, **given, "settings": settings}
            return api.run(folder=going_on.path, listeners=listeners, **asked)
        return api.run(data, recipe=recipe, folder=folder, listeners=listeners, **given)


def _parts(value: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (value or "").split(",") if part.strip())
