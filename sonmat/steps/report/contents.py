"""What a report says, as one value: `report.json`, and all that the page and the model card are drawn from.

Sentences are kept in every language; numbers are in the unit of the value they come from. Nothing here reads or computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sonmat.core.proof import Arm, ClassScore, Comparison, LearningCurve, Verdict
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Finding, Fitted, Json, Source, Value
from sonmat.steps.report.card_facts import CardFacts
from sonmat.steps.report.item_contents import Items
from sonmat.steps.report.probed import Proven


class Measure(Value):
    """A metric as people read it."""

    name: str
    title: Text
    percent: bool = False
    higher_is_better: bool = True


class ArmLine(Value):
    """One arm of the proof; `against` compares it with the reference arm on the same rows."""

    arm: Arm
    method_title: Text
    chosen: bool
    reference: bool
    against: Comparison | None = None
    collapsed: bool = False
    """Whether it gave nearly the same answer to everything."""


def best_of(arms: Sequence[Arm], headline: Measure) -> Arm:
    """The arm with the best headline value; of equal ones the fastest, then the one that was quickest to train."""
    sign = -1 if headline.higher_is_better else 1
    return min(arms, key=lambda arm: (sign * arm.headline.value, arm.seconds_per_answer, arm.fit_seconds))


def reference_of(arms: Sequence[Arm], headline: Measure) -> Arm | None:
    """The arm that others are measured against: the best untuned base of this machine, else the best without a base model."""
    for role in ("base", "floor"):
        alike = [arm for arm in arms if arm.role == role and not arm.elsewhere]
        if alike:
            return best_of(alike, headline)
    return None


def told_arm(lines: Sequence[ArmLine], headline: Measure) -> ArmLine:
    """The chosen arm, or the best trained one if the chosen is the reference itself."""
    chosen = next(line for line in lines if line.chosen)
    tuned = [line for line in lines if line.arm.role == "tuned"]
    if not chosen.reference or not tuned:
        return chosen
    best = best_of([line.arm for line in tuned], headline)
    return next(line for line in tuned if line.arm is best)


class ConfusedPair(Value):
    target: str
    answer: str
    count: int


class Confusion(Value):
    """Counts of answers by right label. `counts` is empty above `LARGEST_MATRIX` labels; `pairs` are the commonest mix-ups."""

    candidate: str
    targets: tuple[str, ...]
    answers: tuple[str, ...]
    """The labels, then every answer that is no label."""
    counts: tuple[tuple[int, ...], ...]
    pairs: tuple[ConfusedPair, ...]


class Point(Value):
    step: int
    value: float


class Curve(Value):
    """How the training of one candidate went. Steps that a resumed run did again are told once."""

    candidate: str
    measure: Measure | None
    train_loss: tuple[Point, ...]
    validation_loss: tuple[Point, ...]
    validation_measure: tuple[Point, ...]
    best_step: int
    resumed_at: tuple[int, ...] = ()
    back_offs: tuple[Text, ...] = ()
    """What was said when training went back to a checkpoint at a lower learning rate."""
    stopped: Text | None = None


class Mistakes(Value):
    """The wrong answers that the model was surest of; for written answers the lowest by `measure`."""

    candidate: str
    measure: Measure | None
    rows: tuple[str, ...]
    """Some of them, the surest or lowest first."""
    count: int
    """Wrong answers in all; for written answers, all answers."""
    answered: int


class Contrast(Value):
    """Rows on which arm `a` does most better and most worse than arm `b`."""

    a: str
    b: str
    measure: Measure
    better: tuple[str, ...]
    worse: tuple[str, ...]
    """Rows of the largest differences first; the counts are of all."""
    better_count: int
    worse_count: int
    equal_count: int


class SliceLine(Value):
    """The headline metric on the test rows that share a value of a slice column."""

    column: str
    value: str
    items: int
    chosen: float
    reference: float | None = None


class ReasonCount(Value):
    action: Literal["changed", "dropped"]
    reason: Text
    rows: int


class Quoted(Value):
    """One row of the data, personal data masked and long texts cut."""

    row: str
    source: Source
    input: Json
    target: Json


class FindingLine(Value):
    finding: Finding
    title: Text
    """What the check is called."""
    sources: tuple[Source, ...]
    """The first rows concerned."""
    rows: int
    shown: tuple[Quoted, ...] = ()
    """The first of them, as the audit left them; those that it dropped as they were read."""


class RowCount(Value):
    """Rows of one class, slice value or file by part of the split; all are undivided where there is no split, or folds."""

    label: str
    train: int = 0
    validation: int = 0
    test: int = 0
    undivided: int = 0

    @property
    def rows(self) -> int:
        return self.train + self.validation + self.test + self.undivided


class ColumnCounts(Value):
    """Rows by value of a column."""

    column: str
    counts: tuple[RowCount, ...]
    values: int
    """Different values in all; `counts` holds the commonest."""


class MapPoint(Value):
    """A row on the map of the data; `words` is how it begins, personal data masked."""

    row: str
    x: float
    y: float
    cluster: int
    label: str
    suspicious: tuple[str, ...]
    """Checks that suspect it."""
    words: str


class Cluster(Value):
    cluster: int
    share: float
    words: tuple[str, ...]
    """What tells it from the others."""


class DataMap(Value):
    """Rows in two dimensions, near ones mean alike."""

    points: tuple[MapPoint, ...]
    rows: int
    """That were compared; `points` are some of them."""
    clusters: tuple[Cluster, ...]
    explanation: Text


class CurvePoint(Value):
    rows: float
    value: float
    low: float
    high: float


class EnoughCurve(Value):
    """What more rows would bring: measured values with their band, and the curve that was fitted to them."""

    measure: Text
    percent: bool
    measured: tuple[CurvePoint, ...]
    fitted: tuple[CurvePoint, ...]
    rows: float
    """Rows that there are; what lies beyond is foretold."""
    explanation: Text


class Histogram(Value):
    """`counts[i]` values lie from `edges[i]` up to `edges[i + 1]`; the last bin holds all above it too."""

    edges: tuple[int, ...]
    counts: tuple[int, ...]
    longest: int
    median: float


class DataSummary(Value):
    recognised: Text | None
    """What load took the data for, and why."""
    rows_in: int
    kept: int
    changed: int
    dropped: int
    reasons: tuple[ReasonCount, ...]
    train: int
    validation: int
    test: int
    how_split: Text | None = None
    """None where the rows were not divided yet."""
    folds: int = 0
    """Of cross-validation; then every row is tested, and `train` and `validation` are what the released model learns from."""
    repeats: int = 1
    findings: tuple[FindingLine, ...] = ()
    classes: tuple[RowCount, ...] = ()
    slices: tuple[ColumnCounts, ...] = ()
    files: tuple[RowCount, ...] = ()
    """Of data that has several."""
    map: DataMap | None = None
    enough: EnoughCurve | None = None
    lengths: Histogram | None = None
    """Characters of a row's input and answer."""


class BaseModelLine(Value):
    """A base model as a stranger may know it: no path of this machine."""

    name: str
    origin: str
    checksum: str
    parameters: int
    licence: str
    languages: tuple[str, ...] = ()


class Setting(Value):
    name: str
    value: str
    origin: Literal["user", "plan", "default"]


class CandidateLine(Value):
    """What was planned for a candidate and what came of it."""

    id: str
    method: str
    method_title: Text
    role: Literal["floor", "base", "tuned"]
    base: BaseModelLine | None
    elsewhere: bool = False
    """Whether another machine answers, so that memory of this one says nothing."""
    reason: Text
    estimate: Estimate
    fitted: Fitted | None
    failed: Text | None
    settings: tuple[Setting, ...]


class RefusedLine(Value):
    method: str
    method_title: Text
    base: str | None
    reason: Text


class Environment(Value):
    made_by: str
    versions: dict[str, str]
    device: Device
    seed: int
    seal: str
    date: str
    """Day on which the run began, in UTC; '' where the run does not say."""


class DataReport(Value):
    """What there is to say of data that was audited, before anything is trained."""

    name: str
    data: str
    """Names of its files."""
    task: str
    task_title: Text
    data_summary: DataSummary
    made_by: str
    date: str


class Report(Value):
    """All figures of a run. Optional parts are None or empty where the run does not hold them."""

    name: str
    data: str
    """As the user wrote it."""
    task: str
    task_title: Text
    modality: Literal["label", "text", "other"]
    """What an answer is."""
    headline: Measure
    measures: tuple[Measure, ...]
    items: int
    smallest_detectable: float
    verdict: Verdict
    proven: Proven
    """Guards, probes and all else that the proof holds besides scores."""
    arms: tuple[ArmLine, ...]
    failed: dict[str, Text]
    classes: tuple[ClassScore, ...]
    confusion: Confusion | None
    slices: tuple[SliceLine, ...]
    slices_in_all: int = 0
    """With those that the page has no room for."""
    curves: tuple[Curve, ...]
    more_data: LearningCurve | None = None
    mistakes: Mistakes | None
    contrast: Contrast | None
    side_by_side: Items | None = None
    """Single test rows with every arm's answer."""
    card: CardFacts = CardFacts()
    """What the model card alone says."""
    data_summary: DataSummary
    minutes: float
    candidates: tuple[CandidateLine, ...]
    refused: tuple[RefusedLine, ...]
    environment: Environment

    @property
    def chosen(self) -> ArmLine:
        return next(line for line in self.arms if line.chosen)

    @property
    def reference(self) -> ArmLine | None:
        return next((line for line in self.arms if line.reference), None)

    @property
    def told(self) -> ArmLine:
        """The arm whose difference to the reference matters: the chosen one, or the best trained one if that is the reference."""
        return told_arm(self.arms, self.headline)

    def candidate(self, id: str) -> CandidateLine:
        return next(line for line in self.candidates if line.id == id)

    def measure(self, name: str) -> Measure:
        return next(measure for measure in self.measures if measure.name == name)
