"""Where the command line begins and ends: chooses the language, runs the command, turns exceptions into exit codes.

In: the words of the command line. Out: the exit code. 0 done, 2 something that the user can mend, 3 guards not kept, 130
paused or stopped, 1 everything else. Imports nothing heavy, so that `--help` is immediate.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence

from sonmat.core.text import LANGUAGES, Language, set_language


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what `arguments` (the process's own if left out) ask for; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _accept_every_character()
    # Help texts speak the reader's language, so it must be known before they are built.
    set_language(named_language(words))
    from sonmat.cli.failures import STOPPED_EXIT_CODE, report_failure

    try:
        from sonmat.cli.app import build

        result = build().main(args=words, prog_name="sonmat", standalone_mode=False)
        if result == STOPPED_EXIT_CODE:
            # Newer typer makes an exit code of Ctrl-C, older ones let it through.
            raise KeyboardInterrupt
    # Whatever went wrong, the user sees a sentence and not a traceback.
    except BaseException as error:  # noqa: BLE001
        return report_failure(error, words)
    finally:
        set_language(None)
    return result if isinstance(result, int) else 0


def named_language(words: Sequence[str]) -> Language | None:
    """The language of `--lang`, wherever it stands; None if it is not given or not spoken here."""
    for position, word in enumerate(words):
        if word == "--":
            break
        name, given, value = word.partition("=")
        if name != "--lang":
            continue
        wanted = value if given else "".join(words[position + 1 : position + 2])
        return next((language for language in LANGUAGES if language == wanted), None)
    return None


def _accept_every_character() -> None:
    """A terminal that lacks a character shows a question mark; the command must not die of it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(io.UnsupportedOperation, ValueError):
                stream.reconfigure(errors="replace")
