"""A proof of cross-validated answers: one item a row however often it was answered, and wider intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sonmat.core.errors import RunError
from sonmat.core.proof import Proof
from sonmat.statistics import Interval
from sonmat.statistics.cross_validation import Turns, overlap_p_value, stretched
from sonmat.steps.prove.judge import Evidence, judge
from tests.prove_judge.worlds import LABELS, TITLES, answers_with, balanced_targets, evidence_of, examples_of, metrics

FIVE = Turns(5, 1)
TWICE = Turns(5, 2)


def proof_of(targets: list[str], turns: Turns | None, **answers: list[list[str]]) -> Proof:
    """Of arms with an answer to every item in each repetition."""
    evidence = []
    for name, given in answers.items():
        whole = [evidence_of(name, each) for each in given]
        rows = [prediction for each in whole for prediction in each.predictions]
        evidence.append(Evidence(whole[0].candidate, rows, 0.02, 1, 60.0))
    return judge(
        evidence, examples_of(targets), metrics(), labels=LABELS, seed=0, seal="s", titles=TITLES, turns=turns
    )  # fmt: skip


def test_the_spread_is_that_of_nadeau_and_bengio() -> None:
    # Five folds: (1/5 + 1/4) / (1/5) = 2.25.
    assert Turns(5, 1).spread == pytest.approx(1.5)
    assert Turns(10, 3).spread == pytest.approx((1 + 10 / 9) ** 0.5)


def test_the_corrected_p_value_is_that_of_students_t() -> None:
    assert overlap_p_value(0.3, 0.1, 20) == pytest.approx(2 * stats.t.sf(3, 19))
    assert overlap_p_value(0.0, 0.0, 20) == 1.0


def test_stretching_keeps_within_what_is_possible() -> None:
    found = stretched(Interval(0.4, 0.7), 0.5, 1.5, 0.0, 1.0)
    assert (found.low, found.high) == pytest.approx((0.35, 0.8))
    wide = stretched(Interval(0.2, 0.9), 0.8, 3.0, 0.0, 1.0)
    assert (wide.low, wide.high) == (0.0, 1.0)


def test_intervals_are_widened_and_values_are_not() -> None:
    targets = balanced_targets(90)
    arms = {"floor": [["a"] * 90], "full": [answers_with(targets, 20)]}
    plain, folded = proof_of(targets, None, **arms), proof_of(targets, FIVE, **arms)
    for before, after in zip(plain.arms, folded.arms, strict=True):
        assert after.headline.value == before.headline.value
        assert after.headline.value - after.headline.low == pytest.approx(
            1.5 * (before.headline.value - before.headline.low)
        )
    assert (folded.comparisons[0].p_value or 0) >= (plain.comparisons[0].p_value or 0)
    assert folded.smallest_detectable > plain.smallest_detectable
    assert any("Nadeau and Bengio" in detail.en for detail in folded.verdict.details)
    assert any("교차 검증(폴드 5개)" in detail.ko for detail in folded.verdict.details)
    assert not any("Nadeau" in detail.en for detail in plain.verdict.details)


def test_a_lead_that_independent_rows_would_prove_is_not_enough_in_cross_validation() -> None:
    targets = balanced_targets(60)
    arms = {"base": [answers_with(targets, 12)], "full": [answers_with(targets, 2, start=1)]}
    assert proof_of(targets, None, **arms).comparisons[0].better == "a"
    assert proof_of(targets, FIVE, **arms).comparisons[0].better == "neither"


def test_an_answer_repeated_is_no_second_item() -> None:
    targets = balanced_targets(80)
    base, full = answers_with(targets, 40), answers_with(targets, 8, start=1)
    once, twice = (
        proof_of(targets, FIVE, base=[base], full=[full]),
        proof_of(targets, TWICE, base=[base] * 2, full=[full] * 2),
    )
    assert (once.items, twice.items) == (80, 80)
    one, two = (next(each for each in proof.comparisons if each.metric == "macro_f1") for proof in (once, twice))
    assert (two.difference, two.low, two.high) == pytest.approx((one.difference, one.low, one.high))
    assert [score.support for score in twice.arms[0].per_class] == [score.support for score in once.arms[0].per_class]


def test_mcnemars_counts_are_told_only_where_each_row_has_one_answer() -> None:
    targets = balanced_targets(80)
    base, full = answers_with(targets, 40), answers_with(targets, 8, start=1)
    assert proof_of(targets, FIVE, base=[base], full=[full]).comparisons[0].a_only_right is not None
    other = answers_with(targets, 24, start=2)
    repeated = proof_of(targets, TWICE, base=[base] * 2, full=[full, other])
    assert repeated.comparisons[0].a_only_right is None
    accuracy = repeated.arms[1].headline
    assert accuracy.value == pytest.approx(
        np.mean([[a == b for a, b in zip(targets, each, strict=True)] for each in (full, other)])
    )


def test_a_missing_repetition_is_refused() -> None:
    targets = balanced_targets(30)
    with pytest.raises(RunError, match="missing"):
        proof_of(targets, TWICE, floor=[["a"] * 30, ["a"] * 30], full=[targets])
    with pytest.raises(RunError, match="answered twice"):
        proof_of(targets, FIVE, floor=[["a"] * 30], full=[targets, targets])


def test_guessing_is_seen_in_repeated_answers_too() -> None:
    targets = balanced_targets(120)
    generator = np.random.default_rng(0)
    guesses = [generator.choice(LABELS, 120).tolist() for _ in range(2)]
    proof = proof_of(targets, TWICE, floor=[["a"] * 120] * 2, full=guesses)
    assert proof.verdict.use == "floor"


def test_equally_good_arms_are_rarely_told_apart() -> None:
    """A small null simulation; `benchmarks/cross_validation_null.py` has the figures of the documents."""
    from benchmarks.cross_validation_null import Plain, simulated

    wins, _ = simulated(rows=60, repeats=1, simulations=40, expected=0.6, seed=1, metrics=("accuracy",))
    assert wins["accuracy", Turns] <= 4
    assert wins["accuracy", Turns] <= wins["accuracy", Plain]
