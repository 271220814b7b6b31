"""The calibration probe: an overconfident arm and a modest one are told, an honest one passes; the Brier score is scikit-learn's."""

from __future__ import annotations

import random

import pytest
from sklearn.metrics import brier_score_loss

from sonmat.core.probing import Seen
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Question
from sonmat.probes.calibration import plugin
from tests.probes.arms import candidate, example, setting
from tests.probes.labels import Labeller, label_setting, labelled

CHANCE = random.Random(5)
ROWS = 240
SAID = [round(CHANCE.uniform(0.5, 0.99), 3) for _ in range(ROWS)]
# Right exactly as often as is said.
TEST = [labelled(f"test-{place}", str(place), "yes" if CHANCE.random() < said else "no") for place, said in enumerate(SAID)]
WORLD = label_setting(TEST)
HONEST = Labeller(lambda text: "yes", lambda text: SAID[int(text)])
OVERCONFIDENT = Labeller(lambda text: "yes", lambda text: 0.99)
MODEST = Labeller(lambda text: "yes", lambda text: 0.5)


def measures(arm: Labeller, base: Labeller | None = None) -> list[Measure]:
    return list(plugin.measure(WORLD, _seen(arm), _seen(base) if base else None))


def _seen(arm: Labeller) -> Seen:
    questions = [Question(row.id, row.input) for row in WORLD.test]
    return Seen(candidate(), {answer.row: answer for answer in arm.answer(questions)}, [])


def named(found: list[Measure], name: str) -> Measure:
    (measure,) = [each for each in found if each.name == name]
    return measure


def test_an_honest_arm_passes() -> None:
    found = measures(HONEST)
    ece, overconfidence = named(found, "ece"), named(found, "overconfidence")
    assert ece.note is not None
    assert "no more than chance" in ece.note.en
    assert ece.low == 0
    assert overconfidence.low is not None
    assert overconfidence.high is not None
    assert overconfidence.low < 0 < overconfidence.high


def test_an_overconfident_arm_is_told_and_its_surest_errors_are_named() -> None:
    found = measures(OVERCONFIDENT, HONEST)
    ece, overconfidence = named(found, "ece"), named(found, "overconfidence")
    assert ece.note is not None
    assert "more than chance explains" in ece.note.en
    assert "no more" not in ece.note.en
    assert ece.low is not None
    assert ece.low > 0.1
    assert named(found, "error").value == pytest.approx(ece.value, abs=0.01)
    assert overconfidence.value > 0.15
    assert overconfidence.change is not None
    assert overconfidence.change.beyond_noise
    worse = named(found, "brier").change
    assert worse is not None
    assert worse.beyond_noise
    assert worse.difference > 0
    wrong = {row.id for row in TEST if row.target["label"] == "no"}
    assert len(overconfidence.rows) == 20
    assert set(overconfidence.rows) <= wrong


def test_a_modest_arm_is_below_zero() -> None:
    high = named(measures(MODEST), "overconfidence").high
    assert high is not None
    assert high < 0


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    right = [row.target["label"] == "yes" for row in TEST]
    assert named(measures(HONEST), "brier").value == pytest.approx(brier_score_loss(right, SAID))


def test_bins_for_the_plot_hold_every_answer_once() -> None:
    bins = [each for each in measures(HONEST) if each.name == "reliability"]
    assert len(bins) == 10
    assert sum(each.items for each in bins) == ROWS
    means = [float(each.slice["confidence"]) for each in bins]
    assert means == sorted(means)
    assert all(each.low is not None and each.high is not None and each.low <= each.value <= each.high for each in bins)


def test_few_answers_have_no_bins_and_answers_without_confidence_no_measure() -> None:
    few = label_setting(TEST[:12])
    answers = _seen(HONEST).answers
    found = plugin.measure(few, Seen(candidate(), answers, []), None)
    assert [each.name for each in found if not each.slice] == ["brier", "overconfidence"]
    assert {each.name for each in found if each.slice} == {"recall", "precision"}
    assert all(each.items == 12 for each in found if not each.slice)
    assert measures(Labeller(lambda text: "yes", lambda text: None)) == []


def test_written_answers_are_not_looked_at() -> None:
    assert isinstance(plugin.supports(setting([], [example("a", "b", "c")]), candidate()), No)


def test_answers_that_are_all_right_do_not_prove_that_all_will_be() -> None:
    right = label_setting([labelled(row.id, row.input["text"], "yes") for row in TEST[:30]])
    arm = {row: answer for row, answer in _seen(MODEST).answers.items() if row in {each.id for each in right.test}}
    overconfidence = named(list(plugin.measure(right, Seen(candidate(), arm, []), None)), "overconfidence")
    assert overconfidence.value == -0.5
    assert overconfidence.low is not None
    assert overconfidence.high is not None
    assert overconfidence.low < -0.5 < overconfidence.high
    brier = named(list(plugin.measure(right, Seen(candidate(), arm, []), None)), "brier")
    assert brier.low is not None
    assert brier.high is not None
    assert 0 <= brier.low < 0.25 < brier.high
