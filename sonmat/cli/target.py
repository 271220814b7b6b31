"""Which run a command means, and who listens while a step of it is done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from sonmat.cli.options import words
from sonmat.core.errors import RunError

if TYPE_CHECKING:
    from sonmat.api import Prepared, Run
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


@dataclass(frozen=True)
class Target:
    """What the words of a command line ask for: a run that is there already, or a new one of some data."""

    prepared: Prepared

    @classmethod
    def of(
        cls, named: Sequence[str], recipe: str | None, folder: str | None, asked: Mapping[str, Any], keep_recipe: bool
    ) -> Target:
        """The run that is meant.

        Args:
            named: a run, a recipe, or paths of data.
            recipe: recipe file, or None.
            folder: run directory, or None.
            asked: recipe keys and values that win over everything else.
            keep_recipe: a run that this very data has already goes on with its own recipe.
        Raises:
            BadParameter: nothing is named.
            RunError: one thing is named that is neither a run nor a file, and the command would keep a run's recipe.
            SettingError: see `sonmat.api.prepare`.
        """
        from sonmat import api
        from sonmat.recipes import is_recipe, merged_settings

        if recipe is None and len(named) == 1 and is_recipe(Path(named[0])):
            recipe, named = named[0], ()
        if not named and recipe is None and folder is None:
            raise _nothing_named()
        known = _known_run(named, folder, keep_recipe) if recipe is None else None
        if known is not None:
            before = known.recipe.model_dump()
            settings = merged_settings(before["settings"], asked.get("settings"))
            return cls(api.prepare({**before, **asked, "settings": settings}, folder=known.path))
        if keep_recipe and len(named) == 1 and not _is_data(named[0]):
            # Says that there is no such run, and which there are.
            api.open_run(named[0])
        data = {"data": tuple(named)} if named else {}
        return cls(api.prepare({**data, **asked}, recipe, folder))

    def perform(self, upto: str, listeners: tuple[Listener, ...]) -> Run:
        """The run with every step up to `upto` done; raises what `sonmat.api.run` does."""
        return self.prepared.perform(upto, listeners)

    def check_out(self, out: str, force: bool) -> None:
        """Nothing, if repaired rows may be written to `out`; raises what `sonmat.repairing.check_out` does."""
        from sonmat.repairing import check_out

        check_out(self.prepared.recipe, Path(out), force)


def run_of(named: Sequence[str], upto: str, as_json: bool, hidden: frozenset[str] = frozenset()) -> Run:
    """The run that `named` means, with every step up to `upto` done and its recipe kept.

    Args:
        hidden: kinds of events that the command shows in its own way.
    Raises:
        RunError: there is neither such a run nor such a file.
        UserError, Paused: see `sonmat.api.run`.
    """
    target = Target.of(named, None, None, {}, keep_recipe=True)
    with listening(as_json, hidden) as listeners:
        return target.perform(upto, listeners)


def _known_run(named: Sequence[str], folder: str | None, keep_recipe: bool) -> Run | None:
    if not named:
        return existing_run(folder)
    if len(named) == 1 and (found := existing_run(named[0])) is not None:
        return found
    return _run_of_data(named, folder) if keep_recipe else None


def _run_of_data(named: Sequence[str], folder: str | None) -> Run | None:
    """The run that this very data has already."""
    from sonmat import api
    from sonmat.runs.folder import RunFolder, runs_root

    place = RunFolder(Path(folder) if folder is not None else runs_root() / api.name_of(named))
    if not all(map(_is_data, named)) or not place.file("recipe.json").is_file():
        return None
    same = [_resolved(each) for each in place.recipe().data] == [_resolved(each) for each in named]
    return api.Run(place) if same else None


def _is_data(named: str) -> bool:
    return named.startswith("hub:") or Path(named).exists()


def _resolved(data: str) -> str:
    return data if data.startswith("hub:") else str(Path(data).resolve())


def _nothing_named() -> typer.BadParameter:
    return typer.BadParameter(
        words("Name a file or folder of examples, or a recipe.", "예시 파일이나 폴더, 또는 레시피를 지정하세요."),
        param_hint="DATA",
    )


@contextmanager
def listening(as_json: bool, hidden: frozenset[str] = frozenset()) -> Iterator[tuple[Listener, ...]]:
    """Listeners for a run: the display on stdout, or on stderr where stdout is kept for JSON."""
    from sonmat.cli.console import console, error_console
    from sonmat.cli.display import Display

    with Display(error_console() if as_json else console(), hidden) as display:
        yield (display,)
