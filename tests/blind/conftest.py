"""Runs to vote on: made once, copied for each test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sonmat.runs import RunFolder
from tests.blind.made import chat_run, label_run


@pytest.fixture(scope="session")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("blind")
    chat_run(root / "faq")
    label_run(root / "mails")
    return root


@pytest.fixture
def runs(_made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONMAT_RUNS", str(tmp_path / "runs"))
    return Path(shutil.copytree(_made, tmp_path / "runs"))


@pytest.fixture
def faq(runs: Path) -> RunFolder:
    """40 test items, to 10 of which two arms say the same."""
    return RunFolder(runs / "faq")


@pytest.fixture
def mails(runs: Path) -> RunFolder:
    """A run of labels."""
    return RunFolder(runs / "mails")
