"""From probabilities to labels: brute force agrees, dear misses become rare, and what was decided can be told apart again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pytest
from sklearn.metrics import log_loss

from sonmat.core.decision import Costs, Decision, costs_of
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.inference.classification import scores_of
from sonmat.inference.deciding import Deciding, choose_decision, decided, undecided_scores, with_costs
from sonmat.statistics.costs import cheapest_answers, choose_threshold
from tests.costs.made import LABELS, answers, log_odds, targets

DEAR = Costs(labels=LABELS, given={"spam": 20.0})


def said(shares: dict[str, float]) -> Prediction:
    best = max(shares, key=lambda label: shares[label])
    return Prediction(row="0", output={"label": best, "scores": shares}, confidence=shares[best], seconds=0.0)


def test_the_answer_is_that_of_least_expected_cost_as_brute_force_finds_it() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        shares, costs = generator.dirichlet(np.ones(4)), generator.uniform(0, 5, size=(4, 4))
        np.fill_diagonal(costs, 0)
        expected = [sum(shares[true] * costs[true, answer] for true in range(4)) for answer in range(4)]
        assert int(cheapest_answers(shares[None], costs)[0]) == int(np.argmin(expected))


def test_of_answers_that_cost_the_same_the_most_probable_is_given() -> None:
    equal = 1 - np.eye(3)
    generator = np.random.default_rng(1)
    shares = generator.dirichlet(np.ones(3), size=300)
    assert (cheapest_answers(shares, equal) == shares.argmax(axis=1)).all()
    assert cheapest_answers(np.array([[0.2, 0.5, 0.3]]), np.zeros((3, 3))).tolist() == [1]


def test_a_single_dear_label_answers_from_its_threshold_as_the_expected_costs_say() -> None:
    labels = ("a", "b", "spam")
    costs = costs_of({"spam": 7}, labels)
    assert costs is not None
    by_cost, by_threshold = (
        Decision(costs=costs),
        Decision(costs=costs, watched="spam", threshold=costs.usual_threshold("spam")),
    )
    for row in np.random.default_rng(2).dirichlet(np.ones(3), size=300):
        prediction = said(scores_of(labels, row.tolist()))
        assert decided(prediction, by_cost).output["label"] == decided(prediction, by_threshold).output["label"]


def test_without_costs_no_label_changes_and_confidences_are_scaled() -> None:
    labels, odds = log_odds(300, seed=3)
    raw = answers(3 * odds)
    decision = choose_decision(raw, targets(labels), LABELS, None)
    assert decision is not None
    assert decision.temperature == pytest.approx(3, rel=0.35)
    assert (decision.costs, decision.watched, decision.threshold) == (None, None, None)
    now = [decided(each, decision) for each in raw]
    assert [each.output["label"] for each in now] == [each.output["label"] for each in raw]
    assert all(each.confidence == pytest.approx(each.output["scores"][each.output["label"]], abs=1e-5) for each in now)
    numbers = [LABELS.index(label) for label in labels]
    before, after = (
        log_loss(numbers, np.array([1 - each.output["scores"]["ham"] for each in given])) for given in (raw, now)
    )
    assert after < before
    assert decision.budget is not None
    assert f"{before:.3f} → {after:.3f}" in decision.budget.en


def test_costs_of_twenty_to_one_find_more_and_cost_less_on_rows_that_were_not_seen() -> None:
    labels, odds = log_odds(400, seed=4)
    decision = choose_decision(answers(odds), targets(labels), LABELS, DEAR)
    assert decision is not None
    assert decision.watched == "spam"
    test_labels, test_odds = log_odds(4_000, seed=5)
    raw = answers(test_odds)
    now = [decided(each, decision) for each in raw]
    assert _recall(now, test_labels) > _recall(raw, test_labels) + 0.15
    assert _cost(now, test_labels) < 0.6 * _cost(raw, test_labels)


def test_a_shift_that_no_temperature_mends_moves_the_threshold_and_a_sound_model_keeps_that_of_theory() -> None:
    usual = DEAR.usual_threshold("spam")
    labels, odds = log_odds(2_000, seed=6)
    sound = choose_decision(answers(odds), targets(labels), LABELS, DEAR)
    shifted = choose_decision(answers(odds + 3), targets(labels), LABELS, DEAR)
    assert sound is not None
    assert shifted is not None
    assert sound.threshold is not None
    assert usual / 2 < sound.threshold < 2 * usual
    assert shifted.threshold is not None
    assert shifted.threshold > 2 * usual
    plain = with_costs(shifted, DEAR)
    test_labels, test_odds = log_odds(4_000, seed=7)
    raw = answers(test_odds + 3)
    assert _cost([decided(each, shifted) for each in raw], test_labels) < _cost(
        [decided(each, plain) for each in raw], test_labels
    )


def test_too_few_rows_of_the_dear_label_leave_the_threshold_to_theory() -> None:
    labels, odds = log_odds(60, seed=8, share=0.05)
    assert 0 < labels.count("spam") < 5
    decision = choose_decision(answers(odds), targets(labels), LABELS, DEAR)
    assert decision is not None
    assert decision.threshold is None
    assert decision.costs == DEAR


def test_the_threshold_is_within_noise_of_the_cheapest_by_brute_force() -> None:
    generator = np.random.default_rng(9)
    share, is_it = generator.random(40), generator.random(40) < 0.4
    found = choose_threshold(share, np.where(is_it, 0.0, 1.0), np.where(is_it, 3.0, 0.0), usual=0.25)

    def cost(threshold: float) -> float:
        return float(np.where(share >= threshold, ~is_it, 3 * is_it).mean())

    least = min(map(cost, [*share, 0.0, 2.0]))
    assert cost(found.share) == pytest.approx(found.cost)
    assert cost(0.25) == pytest.approx(found.usual_cost)
    assert least <= found.cost <= found.usual_cost + 1e-12


def test_answers_without_a_probability_of_every_label_are_left_as_they_are() -> None:
    bare = Prediction(row="0", output={"label": "ham"}, confidence=0.9, seconds=0.0)
    assert choose_decision([bare], {"0": "ham"}, LABELS, DEAR) is None
    assert choose_decision([], {}, LABELS, DEAR) is None
    assert decided(bare, Decision(costs=DEAR)) is bare


def test_a_predictor_that_says_the_same_to_everything_gives_the_cheapest_constant_answer() -> None:
    labels, _ = log_odds(200, seed=10)
    constant = [said({"ham": 0.8, "spam": 0.2}).model_copy(update={"row": str(row)}) for row in range(200)]
    decision = choose_decision(constant, targets(labels), LABELS, DEAR)
    assert decision is not None
    assert (decision.temperature, decision.budget) == (1.0, None)
    assert decided(constant[0], decision).output["label"] == "spam"


@pytest.mark.parametrize(("temperature", "odds"), list(product((0.3, 1.0, 2.5), (-30.0, -4.0, 0.2, 12.0))))
def test_the_models_own_probabilities_can_be_told_from_the_decided_ones(temperature: float, odds: float) -> None:
    (raw,) = answers([odds])
    now = decided(raw, Decision(temperature=temperature, costs=DEAR))
    assert undecided_scores(now) == pytest.approx(raw.output["scores"], rel=1e-3)
    assert undecided_scores(raw) == raw.output["scores"]


def test_a_probability_that_was_rounded_to_nothing_is_small_and_not_impossible() -> None:
    now = decided(said({"ham": 1.0, "spam": 0.0}), Decision(temperature=3.0))
    assert 0 < now.output["scores"]["spam"] < 0.01


class _Fixed:
    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question, each in zip(questions, answers([-2.0] * len(questions)), strict=True):
            yield each.model_copy(update={"row": question.row})


def test_a_deciding_predictor_answers_by_its_decision_and_shows_the_one_behind() -> None:
    behind: Predictor = _Fixed()
    predictor = Deciding(behind, Decision(costs=DEAR))
    (answer,) = predictor.answer([Question("7", {"text": "t"})])
    assert (answer.row, answer.output["label"], answer.temperature) == ("7", "spam", 1.0)
    assert answer.confidence == pytest.approx(answer.output["scores"]["spam"])
    assert predictor.loaded() is behind


def _recall(found: list[Prediction], labels: list[str]) -> float:
    spam = [bool(each.output["label"] == "spam") for each, label in zip(found, labels, strict=True) if label == "spam"]
    return sum(spam) / len(spam)


def _cost(found: list[Prediction], labels: list[str]) -> float:
    paid = [DEAR.of(label, each.output["label"]) for each, label in zip(found, labels, strict=True)]
    return sum(paid) / len(paid)
