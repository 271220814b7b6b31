"""A classifier that is sure of wrong labels breaks a bound on calibration, and one that knows what it does not know keeps it."""

from __future__ import annotations

import random

from sonmat import plugins
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Guard, Prediction
from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.core.values import Candidate, Estimate, Example, Source, Spec
from sonmat.steps.prove.guards import guards_of
from sonmat.steps.prove.measures import Panel

LABELS = ("a", "b", "c")
BOUNDS = {"calibration.ece": 0.15, "calibration.overconfidence": 0.1}
PROBE = plugins.find("probes", "calibration")


def guards(right: float, confidence: float) -> dict[str, Guard]:
    """Of an arm that is right on this share of 200 items and says that it is this sure of each."""
    chance = random.Random(0)
    rows = [
        Example(id=str(n), input={"text": f"row {n}"}, target={"label": LABELS[n % 3]}, source=Source(file="d", row=n))
        for n in range(200)
    ]
    answers = {
        row.id: Prediction(
            row=row.id, seconds=0.0, confidence=min(0.999, confidence + chance.uniform(-0.01, 0.01)),
            output={"label": row.target["label"] if chance.random() < right else LABELS[(LABELS.index(row.target["label"]) + 1) % 3]},
        )
        for row in rows
    }  # fmt: skip
    nothing = Estimate(peak_bytes=0, seconds=0, basis=verbatim("-"))
    tuned = Candidate(id="full", method="full", role="tuned", reason=verbatim("-"), estimate=nothing)
    task = plugins.find("tasks", "text-classification")
    setting = Setting(task, Spec(labels=LABELS), ("en",), rows, rows, 0, Recipe(data="d"))
    measures = PROBE.measure(setting, Seen(tuned, answers, ()), None)
    return {guard.name: guard for guard in guards_of(BOUNDS, [tuned], Panel(tuple(measures)))}


def test_an_arm_that_is_sure_of_permuted_labels_breaks_both_bounds() -> None:
    found = guards(right=1 / 3, confidence=0.98)
    assert [found[name].kept for name in BOUNDS] == [False, False]
    assert "at most 15.0 % allowed" in found["calibration.ece"].reason.en


def test_one_that_says_how_often_it_is_right_keeps_them_whether_good_or_bad() -> None:
    for right in (1 / 3, 0.9):
        assert all(guard.kept for guard in guards(right, confidence=right).values())
