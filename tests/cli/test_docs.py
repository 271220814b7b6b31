"""The pages that are written from the program are those in the repository."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = "import sys; sys.path.insert(0, 'docs'); import make_docs; sys.stdout.write(make_docs.pages()[sys.argv[1]])"


@pytest.mark.parametrize("name", ["cli.md", "settings.md"])
def test_the_page_is_up_to_date(name: str) -> None:
    # In a process of its own, because help texts keep the language of the first import.
    environment = {**os.environ, "SONMAT_LANG": "en", "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", PROGRAM, name]
    made = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, encoding="utf-8")
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == made.stdout, "run: python docs/make_docs.py"


def test_every_command_and_method_is_described() -> None:
    from sonmat import plugins

    commands = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in ("run", "audit", "split", "plan", "fit", "prove", "report", "predict", "chat", "models pull", "doctor"):
        assert f"## sonmat {name}\n" in commands
    for method in plugins.every("methods"):
        assert f"### {method.name}\n" in settings
