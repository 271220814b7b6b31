"""Where output goes: people's text through rich, machines' JSON straight to stdout.

Without a terminal rich writes no control characters, and it heeds NO_COLOR and COLUMNS; nothing here adds to that.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from pydantic_core import to_json
from rich.console import Console, RenderableType
from rich.table import Table


def console() -> Console:
    """Prints to stdout; words of the user's data are never taken for markup."""
    return Console(markup=False, emoji=False, highlight=False)


def error_console() -> Console:
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def show(screen: Console, what: RenderableType, style: str = "") -> None:
    """Print `what`; without a terminal no line ends in the spaces that rich fills its columns with."""
    if screen.is_terminal:
        screen.print(what, style=style or None)
        return
    with screen.capture() as captured:
        screen.print(what, style=style or None)
    # Nothing breaks lines of a pipe any more, and a search for "1 min" should find it.
    lines = [line.rstrip().replace("\u00a0", " ") for line in captured.get().splitlines()]
    screen.out("\n".join(lines))


def indented(words: str) -> Table:
    """A paragraph whose later lines begin below the first word, not below its mark."""
    mark, _, rest = words.partition(" ")
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    grid.add_row(mark, rest)
    return grid


def print_json(document: Mapping[str, Any] | list[Any]) -> None:
    """The one JSON document of a command, on stdout; numbers that JSON cannot write become null."""
    print(to_json(document, indent=1, inf_nan_mode="null").decode(), file=sys.stdout, flush=True)
