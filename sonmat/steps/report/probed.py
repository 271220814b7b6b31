"""What the report says of probes, guards, the plane of gain and forgetting, calibration and latency, as values.

In: nothing. Out: types that `contents.Report` holds. No probe is known by name here; figures stay in the unit that they
were measured in.
"""

from __future__ import annotations

from sonmat.core.proof import Guard, Measure, Unit, Unmeasured
from sonmat.core.text import Text
from sonmat.core.values import Source, Value


class Words(Value):
    """What an arm said, on one line and without personal data."""

    arm: str
    output: str
    way: Text | None = None
    """How it was asked, where that is not as the row stands."""


class Shown(Value):
    """A row that shows a figure: of the test set, or of the probe's own."""

    row: str
    source: Source | None
    """None for a row of the probe's own."""
    input: str
    """'' where the probe does not tell what it asked."""
    target: str
    said: tuple[Words, ...]
    """The arm's own words first, then those of its untuned base."""


class ArmFigure(Value):
    """A measure of one arm, and the first of the rows that it points at."""

    measure: Measure
    shown: tuple[Shown, ...] = ()

    @property
    def arm(self) -> str:
        return self.measure.arm


class SliceSet(Value):
    """One measure by the values of the same columns, arm by arm."""

    name: str
    title: Text
    columns: tuple[str, ...]
    unit: Unit
    higher_is_better: bool | None
    figures: tuple[Measure, ...]
    """The slice that stands worst first, then by arm."""
    slices: int
    """Slices in all; `figures` may be of fewer."""


class MeasureLine(Value):
    """One measure of all items, of every arm that has it, and the same by slices."""

    name: str
    title: Text
    unit: Unit
    higher_is_better: bool | None
    figures: tuple[ArmFigure, ...]
    slices: tuple[SliceSet, ...] = ()
    note: Text | None = None
    """What is to say of every figure alike."""


class Changes(Value):
    """How many measures of one arm changed by tuning, slices included."""

    arm: str
    better: int
    worse: int
    other: int
    """Changed beyond noise where neither way is better."""
    within: int


class ProbeSection(Value):
    """All that one probe measured."""

    probe: str
    title: Text
    changes: tuple[Changes, ...]
    """Of the arms that were compared with their untuned base."""
    lines: tuple[MeasureLine, ...]
    slices: tuple[SliceSet, ...]
    """Measures that there are by slices only."""
    slices_in_all: int
    guards: tuple[Guard, ...]


class PlanePoint(Value):
    """One arm on the plane; figures of the base itself are 0 by definition and have no interval."""

    arm: str
    forgetting: float
    forgetting_low: float | None
    forgetting_high: float | None
    gain: float
    """Over the reference in the headline metric; positive is better, whichever way the metric counts."""
    gain_low: float | None
    gain_high: float | None


class Plane(Value):
    """What was gained against what was forgotten."""

    measure: str
    """PROBE.NAME of what the x axis shows."""
    title: Text
    reference: str
    points: tuple[PlanePoint, ...]
    bound: float | None
    """Of the guard on forgetting."""
    floor: float | None
    """How much another wording alone looks like forgetting."""


class ConfidenceBin(Value):
    """Answers of about one confidence."""

    confidence: float
    right: float
    low: float
    high: float
    items: int


class Reliability(Value):
    arm: str
    title: Text
    bins: tuple[ConfidenceBin, ...]


class Latency(Value):
    """Quantiles of the time for one answer, the median first."""

    arm: str
    quantiles: tuple[Measure, ...]


class Told(Value):
    """What a training told besides its curve: how passes were cut, by what it was computed, what was mixed in or went another way."""

    candidate: str
    sentences: tuple[Text, ...]


class ArmAtGlance(Value):
    """What the first table says of an arm besides its scores."""

    arm: str
    guards_kept: int
    guards: int
    cost: Measure | None
    """Of 1,000 answers: money where an hour has a price, else seconds."""


class GuardLine(Value):
    """A guard with the measure that it bounds, as far as that was measured."""

    guard: Guard
    title: Text | None
    measure: Measure | None


class Proven(Value):
    """Everything that the proof holds besides scores and answers."""

    arms: tuple[ArmAtGlance, ...]
    broken: tuple[GuardLine, ...]
    kept: tuple[GuardLine, ...]
    unmeasured: tuple[Unmeasured, ...]
    unmeasured_titles: dict[str, Text]
    """What the probes among `unmeasured` are called."""
    remarks: tuple[Text, ...]
    """Details of the verdict that nothing else on the page says."""
    bases: dict[str, str]
    """The untuned arm that each arm is compared with by probes, where there is one."""
    sections: tuple[ProbeSection, ...] = ()
    plane: Plane | None = None
    reliabilities: tuple[Reliability, ...] = ()
    latencies: tuple[Latency, ...] = ()
    trainings: tuple[Told, ...] = ()

    def at_glance(self, arm: str) -> ArmAtGlance:
        return next(each for each in self.arms if each.arm == arm)

    def training(self, candidate: str) -> Told | None:
        return next((each for each in self.trainings if each.candidate == candidate), None)
