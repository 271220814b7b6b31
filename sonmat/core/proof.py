"""The values of the step `prove`: answers, what they cost, scores, comparisons, measures, guards and the verdict.

Frozen, and nothing but data; how they come about is said in `sonmat.steps.prove`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sonmat.core.text import Text
from sonmat.core.values import Json, Value


class Passage(Value):
    """A piece of text that an answer may rest on: of a document, or a training example."""

    id: str
    place: Text
    """Where it stands, e.g. 'handbook.pdf, page 3'."""
    text: str
    row: str = ""
    """The training example that it is, '' for a piece of a document."""


class Prediction(Value):
    """One answer. `row` is the example's id."""

    row: str
    output: Json
    confidence: float | None = None
    """Probability of the output as the model sees it, 0 to 1; None where the model has none."""
    seconds: float
    """Wall seconds of computing, its share of the batch it was answered in."""
    tokens: int = 0
    """Tokens generated, 0 for tasks that generate none."""
    input_tokens: int = 0
    """Tokens read, as an endpoint counts and charges for them; 0 where nobody counted."""
    reference_nll: float | None = None
    """Negative log-likelihood of the reference target in nats; None where the predictor cannot say."""
    sources: tuple[Passage, ...] = ()
    """Passages that were given to the model with the question, the best first."""
    temperature: float | None = None
    """What the model's own log-probabilities were divided by to give the output's `scores`; None where they are its own."""


class Score(Value):
    """A metric's value with its 95 % interval, both in the metric's own unit."""

    metric: str
    value: float
    low: float
    high: float
    items: int


class Arm(Value):
    """One candidate on the sealed test set."""

    candidate: str
    method: str
    role: Literal["floor", "base", "tuned"]
    base: str | None
    scores: tuple[Score, ...]
    """The headline metric first."""
    seconds_per_answer: float
    """Median wall seconds for one answer asked alone, warm."""
    peak_bytes: int
    """Peak resident memory of the process that answered."""
    fit_seconds: float
    per_class: tuple[ClassScore, ...] = ()
    budget: Text | None = None
    """What was tried on the validation rows to choose its settings; None where nothing was."""
    elsewhere: bool = False
    """Whether another machine answers."""
    learns: bool = False
    """Whether its answers depend on the training rows."""

    @property
    def headline(self) -> Score:
        return self.scores[0]


class ClassScore(Value):
    label: str
    precision: float
    recall: float
    f1: float
    support: int
    predicted: int


class Comparison(Value):
    """Arm `a` against arm `b` on the same items: the paired difference a − b of one metric."""

    a: str
    b: str
    metric: str
    difference: float
    low: float
    high: float
    p_value: float | None = None
    """Exact and not adjusted: McNemar's where outcomes are right/wrong (then `a_only_right` is there), else the swap test's."""
    adjusted_p_value: float | None = None
    """Holm's, over all comparisons in this metric."""
    level: float = 0.95
    """Confidence level of the interval, raised above 0.95 where several comparisons share the chance of error."""
    a_only_right: int | None = None
    b_only_right: int | None = None
    better: Literal["a", "b", "neither"]
    """The winner, only if the whole interval of the difference lies on one side of zero."""
    equivalent: bool = False
    """Whether the two are shown to differ by less than `margin`, either way (two one-sided tests)."""
    margin: float = 0.0
    """Difference that does not matter, in the metric's unit."""


Unit = Literal["share", "score", "nats", "seconds", "bytes", "tokens per second", "count", "money"]


class Change(Value):
    """What tuning did to a measure: the arm's value less that of its untuned base on the same items."""

    difference: float
    low: float
    high: float
    beyond_noise: bool
    """After correction for the family of comparisons that it belongs to."""


class Measure(Value):
    """One figure about one arm beside its task metrics: what it forgot, how fair, safe, stable, quick and dear it is."""

    probe: str
    """The probe that measured it."""
    name: str
    """Stable key within the probe, e.g. 'arithmetic'; guards name it as PROBE.NAME."""
    title: Text
    arm: str
    value: float
    low: float | None = None
    high: float | None = None
    items: int
    unit: Unit = "share"
    higher_is_better: bool | None = True
    """None where neither is better."""
    slice: dict[str, str] = Field(default_factory=dict)
    """The part of the items it is about, e.g. {'gender': 'f'}; all of them if empty."""
    change: Change | None = None
    rows: tuple[str, ...] = ()
    """Up to 20 items that show it, worst first: rows of the test set or of the probe's own file."""
    note: Text | None = None


class Guard(Value):
    """A bound that the user or a default sets on a measure, and whether an arm keeps it."""

    name: str
    arm: str
    measure: str
    """PROBE.NAME"""
    bound: float
    """Of the value, where the user set it; of the harm that tuning did, where it is a default."""
    value: float | None
    """None where it could not be measured."""
    kept: bool
    reason: Text
    by: Literal["user", "default"] = "user"


class Verdict(Value):
    use: str
    """The candidate to use: of those that keep the guards, the cheapest that none beats beyond noise."""
    fine_tune: bool
    sentence: Text
    details: tuple[Text, ...] = ()
    otherwise: str | None = None
    """The candidate that would be used if there were no guards, where it is another."""
    would_change: Text | None = None
    """What it would take for another verdict; one of `details` as well."""
    stopped: Literal["no_arm", "no_tuned_arm"] | None = None
    """Why the guards leave nothing to go on with (exit code 3): no arm keeps them all, and `use` is what would be used without them;
    or one that the user set rules out the tuned arm that would be used, and no other tuned arm takes its place."""


class Measured(Value):
    """What answering the sealed test set cost one candidate."""

    candidate: str
    seconds_per_answer: float
    """Median wall seconds of single questions, warm."""
    seconds: float
    """Wall seconds of all answers, in batches."""
    peak_bytes: int
    """Peak resident memory of the process that answered."""
    collapsed: bool = False
    """Whether nearly all answers were the same although the references were not."""
    golden: tuple[Prediction, ...] = ()
    """The answers to the questions that were asked alone: what the released model must say again."""
    load_seconds: float = 0.0
    """Wall seconds until the model could answer, in a fresh process, libraries included."""
    model_bytes: int = 0
    """What answering needs on the disk: its own files, and its base's where it does not hold a whole model."""
    remarks: tuple[Text, ...] = ()
    """What should be known of the answers, e.g. how many an endpoint refused."""


class Unmeasured(Value):
    """A probe that was to look at an arm and could not."""

    probe: str
    arm: str
    reason: Text
    failed: bool = True
    """False where the probe has nothing to say of such an arm; told only where the user asked for the probe."""


class CurvePoint(Value):
    """One training on a part of the training rows, or on all of them."""

    rows: int
    """Training rows that it learnt from."""
    score: Score
    """In the headline metric, on the sealed test set."""
    training: str
    """The candidate itself, or the name of its training on a part of the rows."""


class CurveSpan(Value):
    """What the curve says of a number of training rows, in the headline metric."""

    rows: int
    value: float
    low: float
    high: float


class LearningCurve(Value):
    """What more training rows would bring a tuned arm. It chooses nothing, so that the test set stays one."""

    arm: str
    metric: str
    points: tuple[CurvePoint, ...]
    """By rows."""
    fitted: tuple[CurveSpan, ...] = ()
    """The power law through them, up to twice the rows; empty where none can be fitted."""
    rows: int
    """Training rows that there are."""
    gain: float | None = None
    """By which twice as many would better the metric, with its 95 % interval; None where no curve can be fitted."""
    low: float | None = None
    high: float | None = None
    says: Literal["helps", "hardly", "open"] = "open"
    sentence: Text


class Proof(Value):
    headline: str
    """The metric that decides."""
    seal: str
    items: int
    arms: tuple[Arm, ...]
    comparisons: tuple[Comparison, ...]
    smallest_detectable: float
    """Difference of the headline metric that this test set can tell from noise, in the metric's unit (80 % power)."""
    verdict: Verdict
    failed: dict[str, Text] = Field(default_factory=dict)
    """Candidates without an arm, and why."""
    measures: tuple[Measure, ...] = ()
    guards: tuple[Guard, ...] = ()
    unmeasured: tuple[Unmeasured, ...] = ()
    """Probes without a measure, arm by arm; what those that failed would have said is unknown."""
    curve: LearningCurve | None = None
    """None where none was measured."""


class Preference(Value):
    """Which of two arms' answers people find better who do not know which is whose; counts are of test items."""

    a: str
    b: str
    items: int
    """That both answered."""
    identical: int
    """Of them with one answer from both: ties that nobody is asked about."""
    judged: int
    a_better: int
    b_better: int
    both_good: int
    both_bad: int
    split: int = 0
    """Items on which several people do not agree."""
    skipped: int = 0
    dropped: int = 0
    """Votes that no longer count, because one of the answers is another one now."""
    people: int = 1
    shared: int = 0
    """Items that more than one of them judged,"""
    agreed: int = 0
    """and those on which all said the same."""
    share: float | None = None
    """Of the items on which one was better, those on which `a` was."""
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    """Of the exact sign test: were neither better, either would win such an item by the throw of a coin."""
    better: Literal["a", "b", "neither"] = "neither"
    smallest_detectable: float | None = None
    """True share that so many items would tell from one half in 80 % of cases; None where they can tell nothing."""
    needed: int | None = None
    """Further items with a winner for that, if the true share is the one seen; 0 where one is better, None where it cannot be said."""
    left: int = 0
    """Votes for the answer on the left, whoever gave it,"""
    right: int = 0
    left_p_value: float | None = None
    """and whether these two differ by more than chance."""
    looked_after: tuple[int, ...] = ()
    """Items voted on at each earlier look at the outcome."""
    rows: tuple[str, ...] = ()
    """Up to 20 items on which `b` was better."""
    sentence: Text
    details: tuple[Text, ...] = ()


class RunComparison(Value):
    """The arm of one run beside that of an older one, on test items that both answered without having learnt from them."""

    older: str
    """RUN:CANDIDATE"""
    newer: str
    task: str
    headline: str
    items: int
    """Test items of both."""
    same_seal: bool
    """Whether the two test sets are one and the same; else `items` are those that stand in both."""
    arms: tuple[Arm, ...]
    """The older first."""
    comparisons: tuple[Comparison, ...]
    """The newer less the older, the headline first."""
    smallest_detectable: float
    measures: tuple[Measure, ...] = ()
    """Of both arms, as their own proofs have them: beside one another, not tested against one another."""
    guards: tuple[Guard, ...] = ()
    """Of the newer arm."""
    passed: bool
    """Whether it keeps all of them, not being worse than the older among them."""
    sentence: Text
    details: tuple[Text, ...] = ()
