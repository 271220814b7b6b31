"""The judge: scores and comparisons by hand, other items refused, noise never a winner."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support
from statsmodels.stats.contingency_tables import mcnemar

from sonmat.core.errors import DataError, RunError, SonmatError
from sonmat.core.proof import Comparison, Prediction, Proof
from sonmat.core.protocols import Judged
from sonmat.core.text import verbatim
from sonmat.plugins import find
from sonmat.steps.prove.judge import Evidence, class_scores, judge
from tests.prove_judge.worlds import (
    LABELS,
    answers_with,
    balanced_targets,
    evidence_of,
    examples_of,
    metrics,
    proof_of,
    random_answers,
)


def comparison(proof: Proof, a: str, b: str, metric: str = "accuracy") -> Comparison:
    return next(each for each in proof.comparisons if (each.a, each.b, each.metric) == (a, b, metric))


def judged_alone(evidence: Evidence, items: int = 6) -> Proof:
    return judge([evidence], examples_of(balanced_targets(items)), metrics(), labels=LABELS, seed=0, seal="s")


def changed(predictions: list[Prediction]) -> Evidence:
    whole = evidence_of("full", balanced_targets(6))
    return Evidence(whole.candidate, predictions, 0.02, 1, 1.0)


def test_scores_and_paired_differences_are_those_of_the_items() -> None:
    targets = balanced_targets(100)
    proof = proof_of(
        targets, {"floor": ["a"] * 100, "base": answers_with(targets, 30), "full": answers_with(targets, 10, start=1)}
    )
    assert [arm.headline.value for arm in proof.arms] == pytest.approx([0.34, 0.70, 0.90])
    assert all(score.low < score.value < score.high for arm in proof.arms for score in arm.scores)
    paired = comparison(proof, "full", "base")
    assert paired.difference == pytest.approx(0.2)
    assert paired.low < 0.2 < paired.high
    assert paired.better == "a"
    table = [[0, paired.a_only_right], [paired.b_only_right, 0]]
    assert paired.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)


def test_every_pair_of_arms_is_compared_in_every_metric_the_costlier_role_first() -> None:
    targets = balanced_targets(30)
    proof = proof_of(targets, {"floor": ["a"] * 30, "lora": targets, "base": answers_with(targets, 9), "full": targets})
    pairs = [(each.a, each.b) for each in proof.comparisons if each.metric == "accuracy"]
    assert pairs == [
        ("lora", "base"),
        ("full", "base"),
        ("lora", "floor"),
        ("full", "floor"),
        ("base", "floor"),
        ("lora", "full"),
    ]
    assert len(proof.comparisons) == 2 * len(pairs)


def test_a_winner_and_an_interval_on_one_side_of_zero_are_the_same_thing() -> None:
    generator = np.random.default_rng(0)
    for _ in range(20):
        targets = balanced_targets(25)
        arms = {"floor": ["a"] * 25} | {name: random_answers(targets, 0.75, generator) for name in ("base", "full", "lora")}
        for each in proof_of(targets, arms, headline="macro_f1").comparisons:
            assert each.adjusted_p_value is not None
            assert (each.better == "a") == (each.low > 0)
            assert (each.better == "b") == (each.high < 0)
            assert each.better == "neither" or each.adjusted_p_value <= 0.05
            assert each.level >= 0.95
            assert each.low <= each.difference <= each.high


def test_precision_recall_and_f1_of_each_class_equal_those_of_scikit_learn() -> None:
    targets, answers = ["a", "a", "b", "b", "b", "c"], ["a", "b", "b", "b", "no label", "a"]
    rows = class_scores(
        [Judged({}, {"label": target}, {"label": answer}) for target, answer in zip(targets, answers, strict=True)], LABELS
    )
    expected = precision_recall_fscore_support(targets, answers, labels=list(LABELS), zero_division=0)
    assert [row.label for row in rows] == list(LABELS)
    for row, precision, recall, f1, support in zip(rows, *expected, strict=True):
        assert (row.precision, row.recall, row.f1, row.support) == pytest.approx((precision, recall, f1, support))
    assert [row.predicted for row in rows] == [2, 3, 0]


def test_predictions_may_come_in_any_order() -> None:
    whole = evidence_of("full", answers_with(balanced_targets(6), 2))
    turned = Evidence(whole.candidate, list(reversed(whole.predictions)), 0.02, 10**9, 60.0)
    assert judged_alone(turned) == judged_alone(whole)


def test_an_arm_that_answered_fewer_items_is_refused_by_name_and_row() -> None:
    with pytest.raises(RunError, match=r"'full'.*1 missing: row-3") as caught:
        judged_alone(
            changed([each for each in evidence_of("full", balanced_targets(6)).predictions if each.row != "row-3"])
        )
    assert "빠진 행 1개: row-3" in caught.value.what.ko


def test_an_arm_that_answered_other_items_is_refused() -> None:
    others = [each.model_copy(update={"row": f"other-{each.row}"}) for each in evidence_of("full", ["a"] * 6).predictions]
    with pytest.raises(RunError, match=r"6 missing: row-0.*…; 6 not of the test set: other-row-0"):
        judged_alone(changed(others))


def test_an_arm_that_answered_an_item_twice_is_refused() -> None:
    rows = list(evidence_of("full", balanced_targets(6)).predictions)
    with pytest.raises(RunError, match="1 answered twice: row-2"):
        judged_alone(changed([*rows, rows[2]]))


def test_an_empty_test_set_proves_nothing() -> None:
    with pytest.raises(DataError, match="The test set is empty"):
        judge([], [], metrics(), labels=LABELS, seed=0, seal="s")


def test_no_evidence_at_all_says_why_each_candidate_failed() -> None:
    with pytest.raises(SonmatError, match="lora: Out of memory"):
        judge(
            [], examples_of(["a"]), metrics(), labels=LABELS, seed=0, seal="s", failed={"lora": verbatim("Out of memory.")}
        )


def test_an_arm_without_likelihoods_has_no_score_in_that_metric_and_the_others_stay() -> None:
    examples = [each.model_copy(update={"target": {"text": "yes"}}) for each in examples_of(["a"] * 8)]
    arms = []
    for name, nll in (("base", None), ("full", 2.0)):
        whole = evidence_of(name, ["a"] * 8)
        rows = [each.model_copy(update={"output": {"text": "yes"}, "reference_nll": nll}) for each in whole.predictions]
        arms.append(Evidence(whole.candidate, rows, 0.02, 1, 1.0))
    measures = [find("metrics", "exact_match"), find("metrics", "nll_per_character")]
    proof = judge(arms, examples, measures, labels=(), seed=0, seal="s")
    assert [[score.metric for score in arm.scores] for arm in proof.arms] == [
        ["exact_match"],
        ["exact_match", "nll_per_character"],
    ]
    assert proof.arms[0].per_class == ()
    assert {each.metric for each in proof.comparisons} == {"exact_match"}
    by_likelihood = judge(arms, examples, measures[::-1], labels=(), seed=0, seal="s")
    assert [arm.candidate for arm in by_likelihood.arms] == ["full"]
    assert "no value of negative log-likelihood" in by_likelihood.failed["base"].en


@pytest.mark.parametrize(("metric", "pairs"), [("accuracy", 200), ("macro_f1", 100)])
def test_of_many_pairs_of_equally_good_arms_at_most_five_per_cent_have_a_winner(metric: str, pairs: int) -> None:
    generator = np.random.default_rng(1)
    won = 0
    for _ in range(pairs):
        targets = balanced_targets(24)
        evidence = [evidence_of(name, random_answers(targets, 0.7, generator)) for name in ("base", "full")]
        proof = judge(evidence, examples_of(targets), [find("metrics", metric)], labels=(), seed=0, seal="s")
        won += proof.comparisons[0].better != "neither"
        assert proof.verdict.use == ("full" if proof.comparisons[0].better == "a" else "base")
    assert won <= 0.05 * pairs


def test_twelve_items_of_one_customer_are_one_observation() -> None:
    targets = balanced_targets(12)
    arms = {"base": answers_with(targets, 12), "full": targets}
    assert comparison(proof_of(targets, arms), "full", "base").better == "a"
    grouped = comparison(proof_of(targets, arms, groups=["one customer"] * 12), "full", "base")
    assert grouped.better == "neither"
    assert grouped.p_value == 1.0


def test_the_proof_is_the_same_every_time_and_survives_writing() -> None:
    targets = balanced_targets(40)
    arms = {"floor": ["a"] * 40, "base": answers_with(targets, 9), "full": answers_with(targets, 3)}
    first, again = proof_of(targets, arms), proof_of(targets, arms)
    assert first == again
    assert Proof.model_validate_json(first.model_dump_json()) == first
