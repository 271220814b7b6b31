"""The command line's tree: which commands there are, in the order that people need them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from sonmat import __version__
from sonmat.cli import (
    audit,
    blind,
    chat,
    compare,
    convert,
    doctor,
    fit,
    models,
    plan,
    predict,
    prove,
    report,
    run,
    runs,
    show,
    split,
)
from sonmat.cli.commands import PanelledCommand, speaking
from sonmat.cli.options import Lang, words
from sonmat.core.text import Text, reader_language

HELP = Text(
    en="Sonmat: from a file of your own examples to a specialist that is proven on held-out data.\n\n"
    "Start with `sonmat run FILE`.",
    ko="손맛: 직접 모은 예시 파일에서, 따로 떼어 둔 데이터로 검증된 전문 모델까지.\n\n`sonmat run 파일`로 시작하세요.",
)


def build() -> Any:
    """The command line as a click command, its help in the reader's language."""
    app = typer.Typer(
        help=str(HELP),
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=_markup_mode(),
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_sonmat)
    app.command("run", help=str(run.HELP), cls=PanelledCommand)(speaking(run.run))
    app.command("audit", help=str(audit.HELP), cls=PanelledCommand)(speaking(audit.audit))
    app.command("split", help=str(split.HELP), cls=PanelledCommand)(speaking(split.split))
    app.command("convert", help=str(convert.HELP), cls=PanelledCommand)(speaking(convert.convert))
    app.command("plan", help=str(plan.HELP))(speaking(plan.plan))
    app.command("fit", help=str(fit.HELP))(speaking(fit.fit))
    app.command("prove", help=str(prove.HELP))(speaking(prove.prove))
    app.command("compare", help=str(compare.HELP))(speaking(compare.compare))
    app.command("blind", help=str(blind.HELP))(speaking(blind.blind))
    app.command("report", help=str(report.HELP))(speaking(report.report))
    app.command("predict", help=str(predict.HELP))(speaking(predict.predict))
    app.command("chat", help=str(chat.HELP))(speaking(chat.chat))
    app.command("runs", help=str(runs.HELP))(speaking(runs.runs))
    app.command("show", help=str(show.HELP))(speaking(show.show))
    app.add_typer(_models(), name="models")
    app.command("doctor", help=str(doctor.HELP))(speaking(doctor.doctor))
    return typer.main.get_command(app)


def _models() -> typer.Typer:
    app = typer.Typer(help=str(models.HELP), no_args_is_help=True, rich_markup_mode=_markup_mode())
    app.command("list", help=str(models.LIST_HELP))(speaking(models.list_models))
    app.command("pull", help=str(models.PULL_HELP))(speaking(models.pull))
    return app


def _markup_mode() -> Literal["rich"] | None:
    """Plain help takes a third less time; but click wraps it by letters, and a Korean letter is two cells wide."""
    return "rich" if reader_language() == "ko" else None


def _sonmat(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            is_eager=True,
            callback=lambda asked: _print_version(asked),
            help=words("Print the version.", "버전을 보여 줍니다."),
        ),
    ] = False,
    lang: Lang = None,
) -> None:
    """What stands before a command; `--lang` has been heeded by the time this is called."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sonmat {__version__}")
        raise typer.Exit
