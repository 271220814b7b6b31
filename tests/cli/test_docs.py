"""The pages that are written from the program are those in the repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = ("cli.md", "settings.md")
PROGRAM = "import json, sys; sys.path.insert(0, 'docs'); import make_docs; print(json.dumps(make_docs.pages()))"


def test_the_pages_are_up_to_date() -> None:
    # In a process of its own, because help texts keep the language of the first import.
    environment = {**os.environ, "SONMAT_LANG": "en", "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, encoding="utf-8")
    made = json.loads(done.stdout)
    assert sorted(made) == sorted(PAGES)
    stale = [name for name in PAGES if (ROOT / "docs" / name).read_text(encoding="utf-8") != made[name]]
    assert stale == [], "run: python docs/make_docs.py"


def test_every_command_and_method_is_described() -> None:
    from sonmat import plugins

    commands = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    settings = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for name in ("run", "audit", "split", "plan", "fit", "prove", "report", "predict", "chat", "models pull", "doctor"):
        assert f"## sonmat {name}\n" in commands
    for method in plugins.every("methods"):
        assert f"### {method.name}\n" in settings
