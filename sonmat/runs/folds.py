"""Names and fingerprints of what is fitted once more for every fold of a cross-validation.

A candidate's model of fold 3 is called `CANDIDATE@3` wherever a candidate is: in jobs, folders and files of predictions.
"""

from __future__ import annotations

from sonmat.core.values import Candidate, Split
from sonmat.runs.files import read_header, sha256_of
from sonmat.runs.folder import RunFolder


def fold_name(candidate: str, fold: int) -> str:
    """What the candidate's model of this fold is called; folds count from 1, through all repetitions."""
    return f"{candidate}@{fold}"


def folds_of(candidate: Candidate, split: Split) -> int:
    """How many models the candidate needs besides the one of all rows: what learns nothing is the same in every fold."""
    return len(split.folds) if candidate.learns else 0


def candidate_and_fold(name: str) -> tuple[str, int | None]:
    """The candidate and the fold of a name; None for the model of all rows."""
    candidate, _, fold = name.partition("@")
    return candidate, int(fold) if fold else None


def answers_key(folder: RunFolder, name: str) -> str:
    """Fingerprint of what the answers of `name` depend on: the fitted model, how it decides, and the sealed rows."""
    header = read_header(folder.candidate_folder(name) / "fitted.json")
    decision = read_header(folder.candidate_folder(name) / "decision.json")
    return sha256_of(header.inputs if header else "", folder.split().seal, *([decision.inputs] if decision else []))


def has_answered(folder: RunFolder, name: str) -> bool:
    """Whether the predictions of `name` are there and of its present model."""
    header = read_header(folder.predictions_file(name))
    return header is not None and header.inputs == answers_key(folder, name)
