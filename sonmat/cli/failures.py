"""What the user sees when a command cannot go on, and the exit code that the shell gets.

In: the exception that ended the command. Out: a sentence and a next step on stderr, or `{"error": ...}` on stdout where the
command was asked for JSON. Nobody sees a traceback; that of an unexpected error goes to a file.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import typer

from sonmat import __version__
from sonmat.cli.usage import usage_words
from sonmat.core.errors import Paused, SonmatError
from sonmat.core.text import Text

# typer carries click with it under a private name; the public `BadParameter` leads to its base classes.
_UsageError = typer.BadParameter.__mro__[1]
_ClickException = typer.BadParameter.__mro__[2]

_ONLY_HELP = "NoArgsIsHelpError"
"""Of a command that was given nothing at all: its message is the help, and no mistake to be shown in red."""

STOPPED_EXIT_CODE = 130
CONTINUES = Text(en="The same command continues where it stopped.", ko="같은 명령을 다시 실행하면 멈춘 곳부터 이어집니다.")


def report_failure(error: BaseException, words: Sequence[str]) -> int:
    """Tell the user about `error`, which the command line `words` ended with; returns the exit code."""
    as_json = "--json" in words
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else 1
    if isinstance(error, SonmatError):
        fix = CONTINUES if isinstance(error, Paused) else error.fix
        return _tell(type(error).__name__, error.what, fix, error.exit_code, as_json)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return _tell("Stopped", Text(en="Stopped.", ko="멈췄습니다."), CONTINUES, STOPPED_EXIT_CODE, as_json)
    if isinstance(error, _ClickException):
        return _tell_usage(error, as_json)
    return _tell("InternalError", *_unexpected(error), 1, as_json)


def _tell(kind: str, what: Text, fix: Text | None, code: int, as_json: bool) -> int:
    from sonmat.cli.console import error_console, print_json

    if as_json:
        print_json({"error": {"type": kind, "message": str(what), "fix": str(fix) if fix else None}})
        return code
    console = error_console()
    stopped = code == STOPPED_EXIT_CODE
    opening = "" if stopped else str(Text(en="Error: ", ko="오류: "))
    # Without a terminal a path in the message stays whole.
    whole_lines = not console.is_terminal
    console.print(f"{opening}{what}", style="yellow" if stopped else "bold red", soft_wrap=whole_lines)
    if fix is not None:
        console.print(f"→ {fix}", soft_wrap=whole_lines)
    return code


def _tell_usage(error: BaseException, as_json: bool) -> int:
    """A command line that cannot be understood: what is wrong, and where its help is."""
    message = str(error.format_message()) if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if type(error).__name__ == _ONLY_HELP and not as_json:
        print(message, file=sys.stderr)
        return int(getattr(error, "exit_code", 2))
    path = context.command_path if context is not None else "sonmat"
    fix = Text(en=f"See `{path} --help`.", ko=f"`{path} --help`를 보세요.")
    kind = "UsageError" if isinstance(error, _UsageError) else type(error).__name__
    code = int(getattr(error, "exit_code", 2))
    return _tell(kind, usage_words(message), fix, code, as_json)


def _unexpected(error: BaseException) -> tuple[Text, Text]:
    path = _write_traceback(error)
    short = f"{type(error).__name__}: {error}".splitlines()[0]
    return (
        Text(
            en=f"Sorry, this is a fault of Sonmat, not of yours. {short}",
            ko=f"죄송합니다. Sonmat 자체의 문제이며 사용자의 잘못이 아닙니다. {short}",
        ),
        Text(
            en=f"The details are in {path}; please report them. What was finished stays, and the same command continues.",
            ko=f"자세한 내용은 {path}에 있으니 알려 주세요. 끝난 단계는 남아 있고, 같은 명령을 다시 실행하면 이어집니다.",
        ),
    )


def _write_traceback(error: BaseException) -> Path:
    lines = [f"sonmat {__version__}, Python {sys.version}", f"sonmat {' '.join(sys.argv[1:])}", ""]
    lines += traceback.format_exception(error)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="sonmat-traceback-", suffix=".txt", delete=False
    ) as stream:
        stream.write("\n".join(lines))
        return Path(stream.name)
