"""The contract of probes: what is measured of an arm besides its task metrics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from sonmat.core.proof import Measure, Measured, Prediction
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Fitted, Json, Spec

if TYPE_CHECKING:
    from sonmat.core.protocols import No, Predictor, Task, Yes


@dataclass(frozen=True)
class Setting:
    """What a probe knows of a run. Nothing of it depends on an arm."""

    task: Task
    spec: Spec
    languages: tuple[str, ...]
    """Commonest first, as in `LoadedSource`."""
    train: Sequence[Example]
    test: Sequence[Example]
    seed: int
    recipe: Recipe
    candidates: Sequence[Candidate] = ()
    """All of the run."""
    answers: Callable[[str], Mapping[str, Prediction]] | None = None
    """What a candidate has answered to the test set, by row; raises `RunError` where it has not."""
    kept: Path | None = None
    """Folder of answers that were paid for elsewhere."""


@dataclass(frozen=True)
class Seen:
    """What one arm has said: to the test set, and when it was probed."""

    candidate: Candidate
    answers: Mapping[str, Prediction]
    """By test row."""
    rows: Sequence[Json]
    """What the probe's own `observe` has given, in its order."""
    measured: Measured | None = None
    """What answering the test set cost; None where nobody has measured it."""
    fitted: Fitted | None = None
    """What its fit came to."""


class Probe(Protocol):
    """Something to know about an arm besides its task metrics: one file in `probes/`.

    `observe` runs where the arm's model is loaded; `measure` is a pure function of what was observed, so that figures can be
    worked out again from a run directory.
    """

    name: str
    title: Text
    measures: tuple[str, ...]
    """Names of all that `measure` may give, so that a guard on anything else is refused before the proof. A star stands for what only
    the data knows, such as the name of a column."""

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        """Whether the probe says something about such an arm; a No is not shown unless the user asked for the probe."""

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        """Rows of `predictions/ARM.PROBE.jsonl`, each as soon as it is known, the same number for every arm; nothing, for a
        probe that looks at the answers to the test set alone. A row has `row`, an id within the probe."""

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        """What it shows about `own`; `base` is its untuned base, None where there is none or `own` is the base itself."""


def declares(probe: Probe, measure: str) -> bool:
    """Whether the probe says that it may give a measure of this name."""
    return any(fnmatchcase(measure, pattern) for pattern in probe.measures)


@dataclass(frozen=True)
class Work:
    """What a probe asks of one arm's model, foretold without it."""

    rows: int
    """That `observe` will give."""
    read_bytes: float = 0.0
    """Of texts that are read, in UTF-8; what several answers stand behind counts once."""
    written_tokens: float = 0.0
    """At most; answers may end sooner."""
    alone: bool = False
    """Whether questions are asked one at a time."""
    most_seconds: float = math.inf
    """After which the probe asks nothing more."""
    elsewhere_seconds: float = 0.0
    """That another machine takes, besides."""


@runtime_checkable
class Foretold(Protocol):
    """What a probe has besides, if it can say beforehand how much it will ask; the plan makes minutes of it."""

    def work(self, setting: Setting, candidate: Candidate) -> Work: ...


@runtime_checkable
class AsksElsewhere(Protocol):
    """What a probe has besides, if it sends answers of an arm, and of the one that it is set beside, to another machine."""

    asked_by: tuple[str, ...]
    """Keys of the recipe that its rows depend on."""

    def announce(self, setting: Setting, candidate: Candidate) -> Text:
        """What will be sent where: said before it observes.

        Raises:
            SonmatError: it cannot be sent.
        """


PLAIN_BASES: Final = ("zero-shot", "label-names")
"""Methods that ask a base model as it is, in the order in which they stand for it."""


def plain_base(candidate: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """The untuned arm of the same base model that asks it most plainly; None where there is none but the candidate itself."""
    if candidate.base is None:
        return None
    alike = [
        each
        for each in candidates
        if each.role == "base" and each.base is not None and each.base.checksum == candidate.base.checksum
    ]
    if not alike:
        return None
    found = min(alike, key=_plainness)
    return None if found.id == candidate.id else found


def reference_arm(candidate: Candidate, candidates: Sequence[Candidate]) -> Candidate | None:
    """What the candidate's answers are set beside: its own untuned base, or that of the run where it has no base here."""
    if candidate.base is not None:
        return plain_base(candidate, candidates)
    tuned = next((each for each in candidates if each.role == "tuned" and each.base is not None), None)
    own = plain_base(tuned, candidates) if tuned is not None else None
    untuned = [each for each in candidates if each.role == "base" and each.base is not None]
    return own or min(untuned, key=_plainness, default=None)


def _plainness(candidate: Candidate) -> tuple[int, bool, bool]:
    rank = PLAIN_BASES.index(candidate.method) if candidate.method in PLAIN_BASES else len(PLAIN_BASES)
    return (rank, candidate.learns, candidate.over is not None)
