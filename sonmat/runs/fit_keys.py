"""What a fit depends on, as a fingerprint, and room for one: a checkpoint of other settings is never continued.

In: a run and the name of a model (a candidate's, that of a fold, of a part of the rows). Out: keys, and the model's folder without
what others left. It trains nothing.
"""

from __future__ import annotations

from typing import Final

from sonmat.core.values import Candidate, Value
from sonmat.runs.files import read_header, sha256_of, write_value
from sonmat.runs.folder import RunFolder
from sonmat.runs.folds import candidate_and_fold, fold_name
from sonmat.runs.parts import TrainingPart, read_part

MARK_FILE: Final = "job.json"


class JobMark(Value):
    """Stands in a candidate's folder from the start of its fit, so that a checkpoint of other settings is not continued."""

    candidate: str


def candidate_key(folder: RunFolder, candidate: Candidate, name: str | None = None) -> str:
    """Fingerprint of what a fit depends on: the candidate as it trains, its rows and the seed; not its estimate.

    Args:
        name: of the model, where it is that of a fold or of a part of the rows.
    """
    part = read_part(folder, name) if name is not None else None
    if part is not None:
        return part_key(folder, candidate, part)
    fold = candidate_and_fold(name)[1] if name is not None else None
    base = candidate.base.checksum if candidate.base else None
    header = read_header(folder.file("split.json"))
    parts = (candidate.method, base, candidate.spec, candidate.settings, header.inputs if header else "")
    looked_up = (candidate.encoder.checksum if candidate.encoder else None, candidate.documents)
    more: tuple[object, ...] = looked_up if any(looked_up) else ()
    if candidate.over is not None:
        under = next(each for each in folder.plan().candidates if each.id == candidate.over)
        more = (*more, candidate_key(folder, under, fold_name(under.id, fold) if fold is not None else None))
    return sha256_of(*parts, folder.recipe().seed, *(() if fold is None else (fold,)), *more)


def choosing_key(folder: RunFolder, candidate: Candidate, name: str) -> str:
    """Fingerprint of what the fit of `name` depends on, together with the costs of errors that its checkpoint and settings are chosen
    by. A half-trained model of other costs is not continued; a finished one stays (its decision is chosen anew), and says so."""
    cost, key = folder.recipe().cost, candidate_key(folder, candidate, name)
    return sha256_of(key, cost) if cost else key


def was_chosen_by_other_costs(folder: RunFolder, candidate: Candidate) -> bool:
    """Whether the run had other costs of errors, or none, when `candidate` was fitted."""
    header = read_header(folder.candidate_folder(candidate.id) / MARK_FILE)
    return header is not None and header.inputs != choosing_key(folder, candidate, candidate.id)


def part_key(folder: RunFolder, candidate: Candidate, part: TrainingPart) -> str:
    """Fingerprint of what the fit of `candidate` on a part of its rows depends on; how it decides is not chosen anew afterwards."""
    cost = folder.recipe().cost
    return sha256_of(candidate_key(folder, candidate), part.train, part.seed, *([cost] if cost else []))


def make_room(folder: RunFolder, name: str, key: str) -> None:
    """Keep the checkpoint of an interrupted fit of the same candidate; put aside what other settings left."""
    where = folder.candidate_folder(name)
    mark = where / MARK_FILE
    header = read_header(mark)
    if where.exists() and (header is None or header.inputs != key):
        folder.put_aside(where)
    write_value(mark, JobMark(candidate=name), key)
