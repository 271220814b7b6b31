"""`sonmat report`: the page for people, the card for the model, the figures for machines."""

from __future__ import annotations

from sonmat.cli.options import AsJson, Lang, RunName, words
from sonmat.core.text import Text

HELP = Text(
    en="Write the report of a run. As report.html for people, model_card.md for the model, report.json for machines; "
    "of a run that was audited only, as audit.html.",
    ko="실행의 보고서를 씁니다. 사람이 읽는 report.html, 모델 카드 model_card.md, 기계가 읽는 report.json입니다. "
    "점검만 한 실행이라면 audit.html을 씁니다.",
)


def report(run: RunName, lang: Lang = None, as_json: AsJson = False) -> None:
    from sonmat import api
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import listening

    found = api.open_run(run)
    if not found.folder.exists("plan"):
        _report_on_data(run, lang, as_json)
        return
    with listening(as_json) as listeners:
        if lang is None:
            found.resume("report", listeners)
        else:
            recipe = {**found.recipe.model_dump(), "lang": lang}
            api.run(folder=found.path, upto="report", listeners=listeners, **recipe)
    files = {name: str(found.folder.file(name)) for name in ("report.html", "model_card.md", "report.json")}
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "files": files})
        return
    for path in files.values():
        console().print(path, soft_wrap=True)


def _report_on_data(run: str, lang: str | None, as_json: bool) -> None:
    """The page of a run that was audited and not trained: writing a report must not begin hours of training."""
    from sonmat.cli.audit import audited
    from sonmat.cli.console import console, print_json
    from sonmat.cli.target import Target

    target = Target.of([run], None, None, {"lang": lang} if lang else {}, keep_recipe=True)
    found = audited(target, "audit", as_json)
    page = found.write_data_page()
    if as_json:
        print_json({"run": found.name, "folder": str(found.path), "files": {page.name: str(page)}})
        return
    console().print(str(page), soft_wrap=True)
    console().print(
        words("Nothing is trained yet: `sonmat run` does that.", "아직 학습하지 않았습니다. `sonmat run`으로 합니다.")
    )
