"""A base model and data small enough for a whole run in seconds, without any network."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from sonmat import plugins
from sonmat.conformance.method import tiny_base

ROOT = Path(__file__).parents[2]
GOOD, BAD, OTHER = ("fine", "day"), ("no", "hope"), ("a", "at", "all", "why", "would", "it", "rain", "0", "1", "2", "3")


def make_base(folder: Path) -> Path:
    """A random tiny BERT, as a local folder that `--base` takes."""
    tiny_base(plugins.find("tasks", "text-classification"), folder)
    return folder


def make_reviews(path: Path, rows: int = 120, seed: int = 0) -> Path:
    """Texts whose label shows in one of their words."""
    chance = random.Random(seed)
    seen: set[str] = set()
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        while len(seen) < rows:
            label = ("good", "bad")[len(seen) % 2]
            words = [chance.choice(GOOD if label == "good" else BAD), *chance.choices(OTHER, k=5)]
            chance.shuffle(words)
            text = " ".join(words)
            if text not in seen:
                seen.add(text)
                writer.writerow([text, label])
    return path


def command(*arguments: Any, folder: Path) -> tuple[list[str], dict[str, Any]]:
    """A `sonmat` call in `folder`, and how to start it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SONMAT_LANG": "en", "SONMAT_RUNS": str(folder / "runs")}
    return [sys.executable, "-m", "sonmat", *map(str, arguments)], {"cwd": folder, "env": environment}


def heed_ctrl_c() -> None:
    """For `preexec_fn`: a shell that started the tests in the background made their children deaf to SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def sonmat(*arguments: Any, folder: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a `sonmat` command to its end and expect its exit code."""
    words, how = command(*arguments, folder=folder)
    done = subprocess.run(words, **how, capture_output=True, text=True, timeout=600)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done
