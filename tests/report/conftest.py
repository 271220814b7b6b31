"""Made runs with their reports written, once for all tests of this room, and a browser for the real ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sonmat.core.text import LANGUAGES, Language
from sonmat.runs import EventLog, RunFolder
from sonmat.steps.report import write_report
from tests.report import made_measures, made_run

MAKERS: dict[str, Callable[[Path], RunFolder]] = {
    "support": made_run.classification_run,
    "mails": made_run.no_gain_run,
    "faq": made_run.chat_run,
    "shapes": made_run.image_run,
    "few": made_run.bare_run,
    "proven": made_measures.proven_run,
    "calibrated": made_measures.calibrated_run,
}
Pages = dict[tuple[str, Language], str]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """One run of each kind; read them, do not change them."""
    root = tmp_path_factory.mktemp("runs")
    return {name: make(root / name) for name, make in MAKERS.items()}


@pytest.fixture(scope="session")
def pages(runs: dict[str, RunFolder]) -> Pages:
    """The page of each run in each language; the files of the last language stay in the folders."""
    return {
        (name, language): write_report(folder, language, EventLog(None)).read_text(encoding="utf-8")
        for name, folder in runs.items()
        for language in LANGUAGES
    }


@pytest.fixture
def browser() -> str:
    """The command of a Chromium. A machine without one may skip; continuous integration may not."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        hint = "no Chromium: apt-get install -y chromium fonts-noto-cjk"
        if os.environ.get("CI") == "true":
            pytest.fail(hint)
        pytest.skip(hint)
    return found
