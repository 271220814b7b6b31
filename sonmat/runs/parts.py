"""Trainings on a part of the training rows, for the learning curve of a candidate.

A candidate's second training on an eighth of the rows is called `CANDIDATE~2-of-1-8` wherever a candidate is: in jobs, folders and
files of predictions. Its rows stand in `candidates/<name>/rows.json`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from sonmat.core.values import Value
from sonmat.runs.files import read_value
from sonmat.runs.folder import RunFolder

_MARK: Final = re.compile(r"~\d+-of-1-\d+$")


class TrainingPart(Value):
    """What one training of a learning curve learns from."""

    candidate: str
    number: int
    """Of several on as many rows, which; counted from 1. Each has other rows and a seed of its own."""
    halvings: int
    """How often all rows were halved: 3 for an eighth."""
    train: tuple[str, ...]
    seed: int

    @property
    def name(self) -> str:
        return f"{self.candidate}~{self.number}-of-1-{2**self.halvings}"


def candidate_of(name: str) -> str:
    """The name without what says that it is of a part."""
    return _MARK.sub("", name)


def is_part(name: str) -> bool:
    """Whether it is the name of a training on a part of the rows."""
    return _MARK.search(name) is not None


def part_file(folder: RunFolder, name: str) -> Path:
    return folder.candidate_folder(name) / "rows.json"


def read_part(folder: RunFolder, name: str) -> TrainingPart | None:
    """The part that `name` learns from; None where it learns from all rows.

    Raises:
        RunError: its file is missing or damaged.
    """
    return read_value(part_file(folder, name), TrainingPart) if is_part(name) else None
