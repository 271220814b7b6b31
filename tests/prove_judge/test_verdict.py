"""What the verdict says, in both languages, in every case that is easy to get wrong."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sonmat.core.proof import Proof
from sonmat.core.text import LANGUAGES, Text
from sonmat.plugins import find
from sonmat.steps.prove.judge import Evidence, judge
from sonmat.steps.prove.phrases import duration
from tests.prove_judge.worlds import (
    LABELS,
    TITLES,
    answers_with,
    balanced_targets,
    evidence_of,
    examples_of,
    metrics,
    proof_of,
    random_answers,
)


def said(proof: Proof) -> str:
    return proof.verdict.sentence.en


def details(proof: Proof) -> str:
    return " ".join(detail.en for detail in proof.verdict.details)


def test_a_tuned_arm_that_beats_the_base_is_named_with_its_numbers() -> None:
    targets = balanced_targets(200)
    proof = proof_of(
        targets, {"floor": ["a"] * 200, "base": answers_with(targets, 80), "full": answers_with(targets, 20, start=1)}
    )
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("full", True)
    pattern = (
        r"^Use full fine-tuning: accuracy 90\.0 % \[85\.1, 93\.4\], "
        r"30\.0 points above the untuned base \[19\.5, 39\.9\]; 0\.02 s per answer\.$"
    )
    assert re.match(pattern, said(proof)), said(proof)
    assert proof.verdict.sentence.ko.startswith(
        "추천: 전체 미세조정. 정확도 90.0% [85.1, 93.4], 미세조정하지 않은 기본 모델보다 30.0%p 높습니다 ["
    )
    assert proof.verdict.sentence.ko.endswith("답변 하나에 0.02초.")


def test_without_a_base_the_floor_is_what_a_tuned_arm_is_measured_by() -> None:
    targets = balanced_targets(200)
    proof = proof_of(targets, {"floor": ["a"] * 200, "full": answers_with(targets, 20)})
    assert proof.verdict.fine_tune
    assert "points above the floor, commonest answer, [" in said(proof)
    assert "기준선인 가장 흔한 답보다" in proof.verdict.sentence.ko


def test_of_two_tuned_arms_inside_the_noise_the_cheaper_is_used_and_no_winner_named() -> None:
    targets = balanced_targets(200)
    arms = {"floor": ["a"] * 200, "full": answers_with(targets, 20), "lora": answers_with(targets, 18, start=1)}
    evidence = [evidence_of(name, given) for name, given in arms.items()]
    evidence[1] = evidence_of("full", arms["full"], fit_seconds=30)
    proof = judge(evidence, examples_of(targets), metrics(), labels=LABELS, seed=0, seal="s", titles=TITLES)
    assert proof.verdict.use == "full"
    assert "Not to be told from it on this test set, and not cheaper: LoRA adapter." in details(proof)
    assert re.search(
        r"LoRA adapter is 1\.0 point above full fine-tuning .* inside the noise.*about [\d,]+ test items", details(proof)
    )


def test_answering_a_fifth_slower_is_timing_noise_and_twice_as_slow_is_not() -> None:
    targets = balanced_targets(60)
    for seconds, cheaper in ((0.024, "lora"), (0.04, "full")):
        evidence = [
            evidence_of("floor", ["a"] * 60),
            evidence_of("full", targets, seconds=0.02, fit_seconds=60),
            evidence_of("lora", targets, seconds=seconds, fit_seconds=30),
        ]
        proof = judge(evidence, examples_of(targets), metrics(), labels=LABELS, seed=0, seal="s")
        assert proof.verdict.use == cheaper


def test_a_base_that_is_better_than_every_tuned_arm_is_said_strongly() -> None:
    targets = balanced_targets(200)
    proof = proof_of(
        targets, {"floor": ["a"] * 200, "base": answers_with(targets, 10), "full": answers_with(targets, 70, start=1)}
    )
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("base", False)
    assert said(proof).startswith(
        "Do not fine-tune: it makes the answers worse. Use base model, prompted: accuracy 95.0 % ["
    )
    assert "full fine-tuning, is 30.0 points below the untuned base [" in said(proof)
    assert proof.verdict.sentence.ko.startswith("미세조정하지 마세요. 답이 오히려 나빠집니다. 추천: 기본 모델에 질문만.")
    assert "Training did harm: full fine-tuning" in details(proof)


def test_a_majority_as_good_as_everything_means_that_nothing_has_been_learnt() -> None:
    targets = ["a"] * 950 + ["b"] * 50
    proof = proof_of(targets, {"floor": ["a"] * 1000, "base": ["a"] * 1000, "full": ["a"] * 1000})
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("floor", False)
    assert said(proof).startswith("Do not fine-tune: nothing has been learnt")
    assert "level with the floor, commonest answer, [" in said(proof)
    assert proof.verdict.sentence.ko.startswith("미세조정하지 마세요. 학습으로 얻은 것이 없습니다.")


def test_guessing_does_not_beat_the_floor_although_macro_f1_rewards_it() -> None:
    targets = balanced_targets(400)
    guesses = np.random.default_rng(0).choice(LABELS, 400).tolist()
    proof = proof_of(targets, {"floor": ["a"] * 400, "full": guesses}, headline="macro_f1")
    assert proof.comparisons[0].better == "a"
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("floor", False)
    assert said(proof).startswith("Do not fine-tune: nothing has been learnt")
    assert "fit the questions no better than the same answers shuffled" in said(proof)
    assert "무작위로 섞어도" in proof.verdict.sentence.ko


def test_a_weak_arm_that_has_learnt_something_is_not_taken_for_a_guesser() -> None:
    targets = balanced_targets(300)
    answers = random_answers(targets, 0.55, np.random.default_rng(0))
    proof = proof_of(targets, {"floor": ["a"] * 300, "full": answers}, headline="macro_f1")
    assert proof.verdict.use == "full"
    assert proof.verdict.fine_tune


def test_identical_arms_have_no_winner_and_the_cheapest_role_is_used() -> None:
    targets = balanced_targets(300)
    answers = answers_with(targets, 30)
    proof = proof_of(targets, {"base": answers, "full": answers, "lora": answers})
    assert {each.better for each in proof.comparisons} == {"neither"}
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("base", False)
    assert said(proof).startswith("Do not fine-tune: it does not beat the untuned base beyond noise.")
    assert "level with the untuned base [" in said(proof)
    assert "미세조정하지 않은 기본 모델보다 오차 범위를 넘어 낫지 않습니다." in proof.verdict.sentence.ko


def test_a_small_test_set_says_what_it_cannot_rule_out() -> None:
    targets = balanced_targets(20)
    proof = proof_of(
        targets, {"floor": ["a"] * 20, "base": answers_with(targets, 6), "full": answers_with(targets, 3, start=1)}
    )
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("base", False)
    assert "Do not fine-tune on this evidence: 20 test items are too few to tell, and a gain of up to " in said(proof)
    assert "테스트 문항 20개는 판단하기에 너무 적고" in proof.verdict.sentence.ko
    assert re.search(r"With 20 test items a difference of about \d\d\.\d points", details(proof))


def test_one_item_decides_nothing() -> None:
    proof = proof_of(["a"], {"floor": ["b"], "base": ["b"], "full": ["a"]})
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("floor", False)
    assert "1 test item is too few to tell" in said(proof)
    assert "1 test item: too few to find any difference reliably." in details(proof)
    assert proof.smallest_detectable == 1.0


def test_a_lone_arm_is_reported_and_nothing_is_claimed() -> None:
    targets = balanced_targets(50)
    proof = proof_of(targets, {"full": answers_with(targets, 5)})
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("full", False)
    assert said(proof).startswith("Only one arm was measured, full fine-tuning: accuracy 90.0 % [")
    assert "nothing to compare it with" in said(proof)
    assert proof.verdict.sentence.ko.startswith("측정된 후보가 하나뿐입니다")


def test_tuned_arms_alone_do_not_show_that_tuning_helps() -> None:
    targets = balanced_targets(50)
    proof = proof_of(targets, {"full": answers_with(targets, 5), "lora": answers_with(targets, 6)})
    assert not proof.verdict.fine_tune
    assert "Whether fine-tuning helps is not shown, because no untrained arm was measured." in said(proof)


def test_without_a_tuned_arm_the_reason_is_told() -> None:
    targets = balanced_targets(100)
    proof = proof_of(
        targets,
        {"floor": ["a"] * 100, "base": answers_with(targets, 20)},
        failed={"lora": Text(en="It ran out of memory.", ko="메모리가 부족했습니다.")},
    )
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("base", False)
    assert said(proof).endswith("No fine-tuned arm was measured.")
    assert "Not measured: LoRA adapter. It ran out of memory." in details(proof)
    assert "측정하지 못한 후보: LoRA 어댑터. 메모리가 부족했습니다." in [each.ko for each in proof.verdict.details]


def test_groups_are_told_with_the_size_of_the_test_set() -> None:
    targets = balanced_targets(60)
    groups = [f"customer {place // 3}" for place in range(60)]
    proof = proof_of(targets, {"floor": ["a"] * 60, "full": answers_with(targets, 4)}, groups=groups)
    assert "With 60 test items in 20 groups" in details(proof)


def proof_by_likelihood(factors: dict[str, float]) -> Proof:
    """Arms whose likelihoods differ by a factor on every one of 80 items."""
    examples = [each.model_copy(update={"target": {"text": "0123456789"}}) for each in examples_of(["a"] * 80)]
    hardness = np.random.default_rng(0).uniform(10, 20, 80)
    arms = []
    for name, factor in factors.items():
        whole = evidence_of(name, [str(number) for number in range(80)])
        rows = [
            each.model_copy(update={"output": {"text": each.output["label"]}, "reference_nll": float(nats * factor)})
            for each, nats in zip(whole.predictions, hardness, strict=True)
        ]
        arms.append(Evidence(whole.candidate, rows, 0.02, 1, 1.0))
    return judge(arms, examples, [find("metrics", "nll_per_character")], labels=(), seed=0, seal="s", titles=TITLES)


def test_a_measure_where_lower_is_better_is_told_the_right_way_round() -> None:
    proof = proof_by_likelihood({"base": 1.0, "full": 0.5})
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("full", True)
    assert proof.comparisons[0].better == "a"
    assert proof.comparisons[0].difference < 0
    assert re.search(
        r"per character 0\.7\d\d \[.*\], 0\.7\d\d below the untuned base \[0\.\d+, 0\.\d+\]; 0\.02 s", said(proof)
    )


def test_where_lower_is_better_a_tuned_arm_that_rose_does_harm() -> None:
    proof = proof_by_likelihood({"base": 0.5, "full": 1.0})
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("base", False)
    assert proof.comparisons[0].better == "b"
    assert "it makes the answers worse" in said(proof)
    assert re.search(r"full fine-tuning, is 0\.7\d\d above the untuned base", said(proof))


@pytest.mark.parametrize("seed", range(6))
def test_no_sentence_is_left_unfinished_in_either_language(seed: int) -> None:
    generator = np.random.default_rng(seed)
    items = int(generator.choice([1, 3, 30, 300]))
    targets = balanced_targets(items)
    arms = {"floor": ["a"] * items} | {
        name: random_answers(targets, float(generator.uniform(0.2, 1)), generator) for name in ("base", "full", "lora")
    }
    verdict = proof_of(targets, arms, headline="macro_f1").verdict
    for text in (verdict.sentence, *verdict.details):
        for language in LANGUAGES:
            words = text.in_language(language)
            assert re.search(r"[.\]]$|초\.$", words), words
            assert not re.search(r"nan|inf\b|None|  |\.\.|e-\d", words), words


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, "0 s"), (3.19e-4, "319 µs"), (8e-6, "8 µs"), (0.35, "0.35 s"), (240.0, "4 min")]
)
def test_short_times_are_told_and_not_only_said_to_be_short(seconds: float, told: str) -> None:
    assert duration(seconds).en == told
