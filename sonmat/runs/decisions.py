"""`decisions.jsonl`: what a person decided about single rows, append-only, one line a decision; the latest of a row counts.

In: a run directory. Out: decisions by row, and a fingerprint of them for the audit. A kill can leave half a last line: readers
skip it and the next writer starts on a fresh one. It applies nothing; that is the audit's business.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, Literal

from pydantic import ValidationError

from sonmat.core.values import Json, Value
from sonmat.runs.appending import append_line, lines_of
from sonmat.runs.files import sha256_of

DECISIONS_FILE: Final = "decisions.jsonl"


class RowDecision(Value):
    """A person's word on one row."""

    row: str
    action: Literal["keep", "change", "drop"]
    target: Json | None = None
    """What stands in place of the row's target, if it is changed."""
    checks: tuple[str, ...] = ()
    """Checks that had something to say of the row; of a kept row they say it no more."""
    date: str
    """ISO 8601, e.g. '2026-08-07'."""


def read_decisions(folder: Path) -> dict[str, RowDecision]:
    """The latest decision on each row of the run in `folder`, in the order in which rows were first decided."""
    found: dict[str, RowDecision] = {}
    for line in lines_of(folder / DECISIONS_FILE):
        try:
            decision = RowDecision.model_validate_json(line)
        except ValidationError:
            # A line torn by a kill; the writer after it started on a new line.
            continue
        found[decision.row] = decision
    return found


def append_decision(folder: Path, decision: RowDecision) -> None:
    """Write `decision` so that it survives whatever happens next."""
    append_line(folder / DECISIONS_FILE, json.dumps(decision.model_dump(mode="json"), ensure_ascii=False))


def decisions_fingerprint(folder: Path) -> str:
    """SHA-256 of the decisions that count; '' where there is none."""
    decisions = read_decisions(folder)
    return sha256_of([decisions[row] for row in sorted(decisions)]) if decisions else ""
