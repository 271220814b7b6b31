"""Which run a command means, and who listens while a step of it is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sonmat.core.errors import RunError

if TYPE_CHECKING:
    from sonmat.api import Run
    from sonmat.runs.events import Listener


def existing_run(named: str | Path | None) -> Run | None:
    """The run that `named` is the name or folder of, or None. A file or folder of data with that name comes first."""
    from sonmat import api

    if named is None:
        return None
    path = Path(named)
    if path.exists() and not (path / "recipe.json").is_file():
        return None
    try:
        return api.open_run(named)
    except RunError:
        return None


def run_of(named: str, upto: str, as_json: bool, hidden: frozenset[str] = frozenset()) -> Run:
    """The run `named`, or one of the data file `named`, with every step up to `upto` done.

    Args:
        hidden: kinds of events that the command shows in its own way.
    Raises:
        RunError: there is neither such a run nor such a file.
        UserError, Paused: see `sonmat.api.run`.
    """
    from sonmat import api

    found = existing_run(named) or _run_of_data(named)
    with listening(as_json, hidden) as listeners:
        if found is not None:
            return found.resume(upto, listeners)
        if Path(named).exists():
            return api.run(named, upto=upto, listeners=listeners)
    return api.open_run(named)


def _run_of_data(named: str) -> Run | None:
    """The run that this very data has already, so that its recipe is kept."""
    from sonmat import api
    from sonmat.runs.folder import RunFolder, run_name, runs_root

    folder = RunFolder(runs_root() / run_name(named))
    if not Path(named).exists() or not folder.file("recipe.json").is_file():
        return None
    same = [Path(each).resolve() for each in folder.recipe().data] == [Path(named).resolve()]
    return api.Run(folder) if same else None


@contextmanager
def listening(as_json: bool, hidden: frozenset[str] = frozenset()) -> Iterator[tuple[Listener, ...]]:
    """Listeners for a run: the display on stdout, or on stderr where stdout is kept for JSON."""
    from sonmat.cli.console import console, error_console
    from sonmat.cli.display import Display

    with Display(error_console() if as_json else console(), hidden) as display:
        yield (display,)
