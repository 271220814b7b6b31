"""`sonmat report`: the page for people, the card for the model, the figures for machines."""

from __future__ import annotations

from typing import Annotated

import typer

from sonmat.cli.options import AsJson, Lang, RunName, words
from sonmat.core.text import Text

HELP = Text(
    en="Write the report of a run. As report.html for people (--pdf: report.pdf, too), model_card.md for the model, "
    "report.json for machines; of a run that was audited only, as audit.html.",
    ko="실행의 보고서를 씁니다. 사람이 읽는 report.html(--pdf로 report.pdf도), 모델 카드 model_card.md, "
    "기계가 읽는 report.json입니다. 점검만 한 실행이라면 audit.html을 씁니다.",
)
Pdf = Annotated[
    bool,
    typer.Option(
        "--pdf",
        help=words(
            en="Print the page as a PDF, too, by a browser on this machine (Chromium, Chrome or Edge).",
            ko="이 컴퓨터의 브라우저(Chromium, Chrome, Edge)로 PDF도 만듭니다.",
        ),
    ),
]


def report(run: RunName, pdf: Pdf = False, lang: Lang = None, as_json: AsJson = False) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening

    found = api.open_run(run)
    if not found.folder.exists("plan"):
        _report_on_data(run, pdf, lang, as_json)
        return
    with listening(as_json) as listeners:
        if lang is None:
            found.resume("report", listeners)
        else:
            recipe = {**found.recipe.model_dump(), "lang": lang}
            api.run(folder=found.path, upto="report", listeners=listeners, **recipe)
    files = {name: str(found.folder.file(name)) for name in ("report.html", "model_card.md", "report.json")}
    if not as_json:
        for path in files.values():
            console().print(path, soft_wrap=True)
    if pdf:
        # Last, so that everything else is there and told if no browser is.
        printed = found.write_pdf(found.report_path)
        files[printed.name] = str(printed)
        if not as_json:
            console().print(str(printed), soft_wrap=True)
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "files": files})


def _report_on_data(run: str, pdf: bool, lang: str | None, as_json: bool) -> None:
    """The page of a run that was audited and not trained: writing a report must not begin hours of training."""
    from sonmat.cli.audit import audited
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import Target

    target = Target.of([run], None, None, {"lang": lang} if lang else {}, keep_recipe=True)
    found = audited(target, "audit", as_json)
    page = found.write_data_page()
    files = {page.name: str(page)}
    if pdf:
        printed = found.write_pdf(page)
        files[printed.name] = str(printed)
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "files": files})
        return
    for path in files.values():
        console().print(path, soft_wrap=True)
    console().print(
        words("Nothing is trained yet: `sonmat run` does that.", "아직 학습하지 않았습니다. `sonmat run`으로 합니다.")
    )
