"""What a probe observed of an arm: `predictions/ARM.PROBE.jsonl`, or `ARM.PROBE.failed.json` where it could not.

In: rows as JSON objects. Out: the same rows, and whether they still stand: they belong to one model, one test set, one version of
the probe and those keys of the recipe that decide what is asked. It knows no probe by name and works out no figure.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import RootModel

from sonmat import __version__
from sonmat.core.probing import AsksElsewhere, Probe, reference_arm
from sonmat.core.values import Json
from sonmat.core.proof import Unmeasured
from sonmat.runs.files import json_line, read_header, read_rows, read_value, sha256_of, write_rows, write_value
from sonmat.runs.folder import RunFolder
from sonmat.runs.folds import answers_key

ASKED_BY: Final = ("seed", "slices", "documents")
"""Keys of the recipe that may change what a probe asks; the others change only what is made of it."""


class Observation(RootModel[Json]):
    """One row of a probe, as it gave it."""


def write_observations(folder: RunFolder, arm: str, probe: Probe, rows: Iterable[Json]) -> int:
    """Write `rows` as they come; the file appears when all are there. Returns their number."""
    file = _file(folder, arm, probe.name)
    count = write_rows(file, Observation, map(json_line, rows), observations_key(folder, arm, probe))
    _failure_file(folder, arm, probe.name).unlink(missing_ok=True)
    return count


def read_observations(folder: RunFolder, arm: str, probe: str) -> Iterator[Json]:
    """The rows that the probe gave of this arm.

    Raises:
        RunError: the file is missing, damaged or too new.
    """
    return (row.root for row in read_rows(_file(folder, arm, probe), Observation))


def has_observed(folder: RunFolder, arm: str, probe: Probe) -> bool:
    """Whether the rows are there and of the arm's present model."""
    header = read_header(_file(folder, arm, probe.name))
    return header is not None and header.inputs == observations_key(folder, arm, probe)


def note_failure(folder: RunFolder, arm: str, probe: Probe, failure: Unmeasured) -> None:
    """Keep why a probe has no rows, so that it is not tried again before the next proof."""
    write_value(_failure_file(folder, arm, probe.name), failure, observations_key(folder, arm, probe))


def read_failure(folder: RunFolder, arm: str, probe: Probe) -> Unmeasured | None:
    """Why the probe could not observe the arm's present model; None where nothing of that is known."""
    file = _failure_file(folder, arm, probe.name)
    header = read_header(file)
    if header is None or header.inputs != observations_key(folder, arm, probe):
        return None
    return read_value(file, Unmeasured)


def forget_failures(folder: RunFolder, arm: str) -> None:
    """Let every probe that failed be tried again."""
    for file in folder.file("predictions").glob("*.failed.json"):
        if file.name.startswith(f"{arm}."):
            file.unlink()


def observed_rows(folder: RunFolder, probe: str, arms: Iterable[str]) -> int | None:
    """How many rows the probe gave of one of `arms`, for a guess at how long the next will take; None if of none."""
    for arm in arms:
        if _file(folder, arm, probe).exists():
            return sum(1 for _ in read_observations(folder, arm, probe))
    return None


def observations_key(folder: RunFolder, arm: str, probe: Probe) -> str:
    """Fingerprint of what the rows depend on: the model, the sealed rows, the probe as it is written, and the recipe."""
    recipe = folder.recipe()
    more = _of_both_arms(folder, arm, probe) if isinstance(probe, AsksElsewhere) else ()
    return sha256_of(
        answers_key(folder, arm),
        probe.name,
        __version__,
        _source_of(probe),
        [getattr(recipe, key) for key in ASKED_BY],
        *more,
    )


def _of_both_arms(folder: RunFolder, arm: str, probe: AsksElsewhere) -> tuple[object, ...]:
    candidates, recipe = folder.plan().candidates, folder.recipe()
    own = next((each for each in candidates if each.id == arm), None)
    beside = reference_arm(own, candidates) if own is not None else None
    other = answers_key(folder, beside.id) if beside is not None else ""
    return (other, *(getattr(recipe, key) for key in probe.asked_by))


def _source_of(probe: Probe) -> str:
    """The text of the probe's own file, so that a probe that was changed observes anew."""
    try:
        return inspect.getsource(sys.modules[type(probe).__module__])
    except (OSError, TypeError):
        # Made in an interactive session: there is no file.
        return ""


def _file(folder: RunFolder, arm: str, probe: str) -> Path:
    return folder.file("predictions") / f"{arm}.{probe}.jsonl"


def _failure_file(folder: RunFolder, arm: str, probe: str) -> Path:
    return folder.file("predictions") / f"{arm}.{probe}.failed.json"
