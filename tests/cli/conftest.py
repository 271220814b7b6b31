"""Runs the command line in this process, away from the machine's own runs and language."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sonmat.cli import main
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text, set_language
from sonmat.core.values import Event, Fits
from sonmat.pipeline import STEPS
from sonmat.runs import RunFolder, write_value
from sonmat.runs.events import Listener
from tests.report.made_run import classification_run


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Sonmat = Callable[..., Result]


@pytest.fixture(autouse=True)
def _own_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LC_ALL", "LANG", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SONMAT_LANG", "en")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    yield
    set_language(None)


@pytest.fixture
def sonmat(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Sonmat:
    """Call it with the words of a command line; `typed` is what stands on standard input."""

    def call(*words: str, typed: str | None = None) -> Result:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed or ""))
        code = main(words)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return call


@dataclass
class FakePipeline:
    """Stands in for `perform`: notes what it was asked and leaves a finished run."""

    asked: list[tuple[Path, Recipe, str]]
    error: BaseException | None = None

    def __call__(
        self, folder: RunFolder, recipe: Recipe, upto: str = "learn", listeners: tuple[Listener, ...] = ()
    ) -> None:
        self.asked.append((folder.path, recipe, upto))
        tell(listeners, "started", "load", at=100.0)
        tell(listeners, "recognised", "load", Text(en="Recognised: two columns.", ko="두 열을 알아봤습니다."))
        tell(listeners, "done", "load", at=101.5)
        if self.error is not None:
            raise self.error
        if not folder.file("proof.json").exists():
            finished_run(folder.path)
        write_value(folder.file("recipe.json"), recipe)


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> FakePipeline:
    fake = FakePipeline([])
    monkeypatch.setattr("sonmat.api.perform", fake)
    return fake


@pytest.fixture
def faq(tmp_path: Path) -> RunFolder:
    """A finished run called 'faq'."""
    return finished_run(tmp_path / "runs" / "faq")


def finished_run(path: Path) -> RunFolder:
    folder = classification_run(path, rows=200)
    fitted = tuple(candidate.id for candidate in folder.plan().candidates)
    write_value(folder.file("fit.json"), Fits(fitted=fitted[:-1], failed={fitted[-1]: Text(en="It broke.", ko="고장.")}))
    folder.file("report.html").write_text("<html></html>", encoding="utf-8")
    return folder


def tell(
    listeners: tuple[Listener, ...], kind: str, step: str, message: Text | None = None, at: float = 0.0, **data: Any
) -> None:
    assert step in (*STEPS, "answer", "replay", "pull")
    for listener in listeners:
        listener(Event(at=at, kind=kind, step=step, message=message, data=data))


def widest(text: str) -> int:
    """Cells of the widest line, Korean letters counted as two."""
    from rich.cells import cell_len

    return max(cell_len(line) for line in text.splitlines())
