"""`sonmat audit`: what is wrong with the data, what became of every row, and what exactly would be trained on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sonmat.cli.commands import asking
from sonmat.cli.options import (
    BASE_OPTIONS,
    DATA_OPTIONS,
    FINDING_OPTIONS,
    AsJson,
    Folder,
    Lang,
    RecipeFile,
    RunOrData,
    words,
)
from sonmat.core.text import Text

if TYPE_CHECKING:
    from sonmat.api import Run
    from sonmat.cli.target import Target
    from sonmat.repairing import Repaired

HELP = Text(
    en="Say what is wrong with the data. Accounts for every row, and shows token by token what is trained on.\n\n"
    "Exit code 1 if there are blockers, so that it can guard data in continuous integration. Needs no model; with --base, rows "
    "are counted in its tokens too.",
    ko="데이터의 문제를 알려 줍니다. 모든 행의 처리 결과와, 무엇을 학습하는지를 토큰 단위로 보여 줍니다.\n\n"
    "꼭 고쳐야 할 문제가 있으면 종료 코드가 1이므로 CI에서 데이터를 지키는 데 쓸 수 있습니다. 모델은 필요 없고, --base를 주면 "
    "그 모델의 토큰으로도 셉니다.",
)
FailOn = Literal["blocker", "warning", "note"]


@asking(DATA_OPTIONS, FINDING_OPTIONS, BASE_OPTIONS)
def audit(
    asked: dict[str, Any],
    run: RunOrData,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            "--fail-on",
            metavar="blocker|warning|note",
            show_default=False,
            help=words(
                "Gravest finding that exit code 0 allows none of. (default: blocker)",
                "이 정도 이상의 문제가 있으면 종료 코드가 1입니다. (기본값: blocker)",
            ),
        ),
    ] = "blocker",
    show_tokens: Annotated[
        int,
        typer.Option(
            "--show-tokens",
            min=0,
            metavar="N",
            show_default=False,
            help=words(
                "Preview N encoded rows of the training set, learnt tokens marked; this needs the plan.",
                "학습 데이터 N행을 토큰으로 보여 주고 학습되는 토큰을 표시합니다. 계획 단계까지 실행합니다.",
            ),
        ),
    ] = 0,
    review: Annotated[
        bool,
        typer.Option(
            "--review",
            help=words(
                "Go through suspicious rows one at a time: keep, mend or drop each. Can be stopped and continued.",
                "의심스러운 행을 하나씩 보며 두거나 고치거나 뺍니다. 멈췄다가 이어서 할 수 있습니다.",
            ),
        ),
    ] = False,
    html: Annotated[
        bool,
        typer.Option(
            "--html",
            help=words(
                "Write audit.html, a page with plots, the map of the data and examples of each finding.",
                "그림, 데이터 지도, 문제마다의 예시를 담은 audit.html을 씁니다.",
            ),
        ),
    ] = False,
    fix: Annotated[
        str | None,
        typer.Option(
            "--fix",
            metavar="OUT",
            help=words(
                "Do the safe repairs and write the rows to OUT, a file (.jsonl, .csv, ...) or a new folder; "
                "OUT.ledger.jsonl tells what became of every row. The original is never changed.",
                "안전한 처리를 모두 하고 결과를 OUT(.jsonl, .csv 등의 파일이나 새 폴더)에 씁니다. "
                "행마다의 처리 결과는 OUT.ledger.jsonl에 있습니다. 원본은 바꾸지 않습니다.",
            ),
        ),
    ] = None,
    no_fix: Annotated[
        str | None,
        typer.Option(
            "--no-fix",
            metavar="A,B",
            help=words(
                "Repairs that --fix leaves out: normalise, duplicates, near_duplicates, labels, personal_data, leakage, "
                "bad_rows.",
                "--fix에서 뺄 처리: normalise, duplicates, near_duplicates, labels, personal_data, leakage, bad_rows.",
            ),
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help=words("Replace OUT if it is there already.", "OUT 파일이 있으면 덮어씁니다."))
    ] = False,
    recipe: RecipeFile = None,
    folder: Folder = None,
    lang: Lang = None,
    as_json: AsJson = False,
) -> None:
    from sonmat.cli.target import Target

    if review and as_json:
        raise typer.BadParameter(
            words("--review talks with a person, not with --json.", "--review와 --json은 함께 쓸 수 없습니다.")
        )
    if lang is not None:
        asked["lang"] = lang
    if fix is not None:
        from sonmat.cli.fixing import with_repairs

        asked = with_repairs(asked, no_fix)
    target = Target.of(run, recipe, folder, asked, keep_recipe=True)
    if fix is not None:
        target.check_out(fix, force)
    found = audited(target, "plan" if show_tokens else "audit", as_json)
    if review and _reviewed(found):
        found = audited(target, "audit", as_json)
    blocked = bool(found.audit.blockers)
    repaired = found.write_repaired(fix, force) if fix is not None and not blocked else None
    if html:
        found.write_data_page()
    _tell(found, 0 if blocked else show_tokens, repaired, as_json)
    if fails(found, fail_on):
        raise typer.Exit(1)


def audited(target: Target, upto: str, as_json: bool) -> Run:
    """The run with its audit written, also where that has blockers.

    Raises:
        UserError, Paused: see `sonmat.api.run`.
    """
    from sonmat import api
    from sonmat.cli.target import listening
    from sonmat.core.errors import DataBlocked

    with listening(as_json, frozenset({"finding"})) as listeners:
        try:
            return target.perform(upto, listeners)
        except DataBlocked:
            run = api.Run(target.prepared.folder)
            if not run.folder.is_unfinished("audit"):
                raise
            return run


def fails(run: Run, fail_on: FailOn) -> bool:
    """Whether there is a finding as grave as `fail_on`, or a blocker."""
    from sonmat.cli.findings import RANK

    return any(RANK[finding.severity] <= RANK[fail_on] for finding in run.audit.findings)


def _reviewed(run: Run) -> bool:
    """Ask a person about suspicious rows; whether anything was decided."""
    from sonmat.cli.console import console
    from sonmat.cli.review import review

    return review(run, console()).decided > 0


def _tell(run: Run, show_tokens: int, repaired: Repaired | None, as_json: bool) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.findings import findings_document, print_files, print_findings
    from sonmat.cli.fixing import print_repaired, repaired_document

    rows = None
    if show_tokens:
        from sonmat.cli.tokens import encoded_rows, print_rows

        rows = encoded_rows(run, show_tokens)
    if as_json:
        shown: dict[str, Any] = {"rows": rows} if rows is not None else {}
        written = {"repaired": repaired_document(repaired)} if repaired is not None else {}
        print_json({**findings_document(run), **shown, **written})
        return
    screen = console()
    print_findings(screen, run)
    if rows is not None:
        print_rows(screen, rows)
    if repaired is not None:
        print_repaired(screen, repaired)
    print_files(screen, run)
