"""A run directory as typed values. It knows where each file lies, not what the steps do.

RUN/
├── recipe.json                what was asked for
├── events.jsonl               what happened, append-only
├── source.json                load: where the data came from and what was recognised (written after examples.jsonl)
├── examples.jsonl  media/     the user's rows and pictures
├── unusable.jsonl             rows that load could not use, for the ledger
├── audit.json  ledger.jsonl   audit; audit.html its page, if that was asked for
├── decisions.jsonl            what a person decided about single rows, append-only; the audit heeds it
├── split.json                 split
├── plan.json                  plan
├── cache/                     outputs of frozen layers, vectors of texts: made again if deleted
├── fit.json                   fit: which candidates have a model
├── candidates/<id>/           fit: model/, work/, events.jsonl, worker.log, fitted.json; <id>@<n>/ the same for fold n,
│                              <id>~<n>-of-1-<m>/ for a training on a part of the rows (learning curve)
├── predictions/<id>.jsonl     prove, row by row; <id>.json what it cost; <id>@<n>.jsonl the answers of fold n alone;
│                              <id>.<probe>.jsonl what a probe observed
├── endpoints/                 prove: answers of other machines as they came, paid for once; no question and no key is in them
├── proof.json                 prove
├── votes.jsonl               which of two answers people found better (`sonmat blind`), append-only; proving again keeps it
├── report.html  report.json  model_card.md
├── release.json               release: which candidate is in use
├── traffic.jsonl  learn.json  learn: what people said of its answers
└── history/<n>/               what an older version of the inputs had given; nothing is deleted
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from sonmat.core.errors import RunError
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import (Audit, Event, Example, Fits, Fitted, LedgerLine, LoadedSource, Plan, Release, Split)
from sonmat.core.proof import Measured, Prediction, Proof
from sonmat.runs.events import EventLog, Listener, read_events
from sonmat.runs.files import read_header, read_rows, read_value

STEP_FILES: Final[dict[str, tuple[str, ...]]] = {
    "load": ("source.json", "examples.jsonl", "unusable.jsonl", "media"),
    "audit": ("audit.json", "ledger.jsonl", "audit.html"),
    "split": ("split.json",),
    "plan": ("plan.json",),
    "fit": ("fit.json",),
    "prove": ("proof.json",),
    "report": ("report.json", "report.html", "model_card.md"),
    "release": ("release.json",),
    "learn": ("learn.json",),
}
"""Files of each step, the one whose presence means done first. Steps in their order.

The candidates' folders and predictions are not among them: each carries the fingerprint of what it was made from, so that
a changed plan does not throw away a model that is still what was asked for.
"""


ENDPOINTS: Final = "endpoints"
"""Folder of answers that were paid for elsewhere."""
UNFINISHED: Final = "unfinished "
"""Put before the fingerprint in the file of a step that ended with blockers or failures: it is done again next time."""


class RunFolder:
    """A path with typed readers; every reader raises `RunError` if its file is missing, damaged or too new."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def name(self) -> str:
        return self.path.name

    def file(self, name: str) -> Path:
        return self.path / name

    def candidate_folder(self, candidate: str) -> Path:
        return self.path / "candidates" / candidate

    def predictions_file(self, candidate: str) -> Path:
        return self.path / "predictions" / f"{candidate}.jsonl"

    def recipe(self) -> Recipe:
        return read_value(self.file("recipe.json"), Recipe)

    def source(self) -> LoadedSource:
        return read_value(self.file("source.json"), LoadedSource)

    def examples(self) -> Iterator[Example]:
        """Every row that load could use, as it was read; `kept_examples` gives what the audit made of them."""
        return read_rows(self.file("examples.jsonl"), Example)

    def unusable(self) -> Iterator[LedgerLine]:
        """Rows that load could not use and was told to drop, as the ledger will show them."""
        return read_rows(self.file("unusable.jsonl"), LedgerLine)

    def kept_examples(self) -> Iterator[Example]:
        """The rows that the split, training and proof use: those that the audit dropped left out, its changes applied."""
        touched = {line.id: line for line in self.ledger() if line.action != "kept"}
        for example in self.examples():
            line = touched.get(example.id)
            if line is None or line.action == "changed":
                yield _repaired(example, line)

    def audit(self) -> Audit:
        return read_value(self.file("audit.json"), Audit)

    def ledger(self) -> Iterator[LedgerLine]:
        return read_rows(self.file("ledger.jsonl"), LedgerLine)

    def split(self) -> Split:
        return read_value(self.file("split.json"), Split)

    def plan(self) -> Plan:
        return read_value(self.file("plan.json"), Plan)

    def fits(self) -> Fits:
        return read_value(self.file("fit.json"), Fits)

    def fitted(self, candidate: str) -> Fitted:
        return read_value(self.candidate_folder(candidate) / "fitted.json", Fitted)

    def predictions(self, candidate: str) -> Iterator[Prediction]:
        return read_rows(self.predictions_file(candidate), Prediction)

    def measured(self, candidate: str) -> Measured:
        return read_value(self.predictions_file(candidate).with_suffix(".json"), Measured)

    def release(self) -> Release:
        return read_value(self.file("release.json"), Release)

    def proof(self) -> Proof:
        return read_value(self.file("proof.json"), Proof)

    def events(self) -> Iterator[Event]:
        return (event for event, _ in read_events(self.file("events.jsonl")))

    def candidate_events(self, candidate: str) -> Iterator[Event]:
        return (event for event, _ in read_events(self.candidate_folder(candidate) / "events.jsonl"))

    def event_log(self, step: str, listeners: tuple[Listener, ...] = ()) -> EventLog:
        return EventLog(self.file("events.jsonl"), step, listeners)

    def is_done(self, step: str, inputs: str) -> bool:
        """Whether the step's file is there and was made from inputs with this fingerprint."""
        header = read_header(self.file(STEP_FILES[step][0]))
        return header is not None and header.inputs == inputs

    def is_unfinished(self, step: str) -> bool:
        """Whether the step ended with blockers or failures: its file may be read, and the step is done again."""
        header = read_header(self.file(STEP_FILES[step][0]))
        return header is not None and header.inputs.startswith(UNFINISHED)

    def exists(self, step: str) -> bool:
        return self.file(STEP_FILES[step][0]).exists()

    def retire(self, *steps: str) -> Path | None:
        """Move the files of `steps` into a new folder of `history/`; returns it, or None if there was nothing to move."""
        present = [self.file(name) for step in steps for name in STEP_FILES[step] if self.file(name).exists()]
        if not present:
            return None
        shelf = self._new_shelf()
        # The file that means "done" goes first, so that a kill in between never leaves a step that looks complete.
        for path in present:
            shutil.move(path, shelf / path.name)
        return shelf

    def put_aside(self, path: Path) -> Path:
        """Move one file or folder of the run into a new folder of `history/`, under the name it had in the run."""
        goal = self._new_shelf() / path.relative_to(self.path)
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, goal)
        return goal

    def _new_shelf(self) -> Path:
        number = 1 + max((int(path.name) for path in self.file("history").glob("[0-9]*")), default=0)
        shelf = self.file("history") / f"{number:03d}"
        shelf.mkdir(parents=True)
        return shelf

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run for one writer.

        Raises:
            RunError: another process is working on this run.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.file(".lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                Text(
                    en=f"Another process is working on {self.path}.", ko=f"다른 프로세스가 {self.path}에서 작업 중입니다."
                ),
                Text(en="Wait for it, or stop it first.", ko="끝나기를 기다리거나 먼저 멈추세요."),
            ) from None
        try:
            yield
        finally:
            lock.release()


def _repaired(example: Example, line: LedgerLine | None) -> Example:
    if line is None:
        return example
    changes = {name: value for name, value in (("input", line.input), ("target", line.target)) if value is not None}
    return example.model_copy(update=changes)


def runs_root() -> Path:
    """Where runs lie: `SONMAT_RUNS`, else `runs/` in the working folder."""
    return Path(os.environ.get("SONMAT_RUNS", "runs"))


def list_runs(root: Path | None = None) -> list[RunFolder]:
    """Every run below `root`, in the order of their names."""
    folder = root if root is not None else runs_root()
    return [RunFolder(path.parent) for path in sorted(folder.glob("*/recipe.json"))]


def run_name(data: str) -> str:
    """A folder name for the run of a data file: its stem, with only letters, digits, '-' and '_' kept."""
    path = Path(data.rstrip("/\\"))
    stem = path.name if path.is_dir() else path.name.split(".")[0]
    return re.sub(r"[^\w-]+", "-", stem).strip("-") or "run"
