"""The contract of probes: what is measured of an arm besides its task metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

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

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        """Whether the probe says something about such an arm; a No is not shown unless the user asked for the probe."""

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        """Rows of `predictions/ARM.PROBE.jsonl`, each as soon as it is known, the same number for every arm; nothing, for a
        probe that looks at the answers to the test set alone. A row has `row`, an id within the probe."""

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        """What it shows about `own`; `base` is its untuned base, None where there is none or `own` is the base itself."""
