"""What needs no pretrained model wins where it is as good, and no tuned arm is flattered by a weak base beside it."""

from __future__ import annotations

from sonmat.core.proof import Proof
from tests.prove_judge.worlds import answers_with, balanced_targets, proof_of

TARGETS = balanced_targets(600)
FLOOR = ["a"] * 600


def said(proof: Proof) -> str:
    return proof.verdict.sentence.en


def details(proof: Proof) -> str:
    return "\n".join(detail.en for detail in proof.verdict.details)


def test_counted_words_that_are_as_good_as_a_tuned_encoder_win_over_it() -> None:
    arms = {
        "floor": FLOOR,
        "floor-words": answers_with(TARGETS, 20),
        "base": answers_with(TARGETS, 300),
        "full": answers_with(TARGETS, 18, start=3),
    }
    proof = proof_of(TARGETS, arms)
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("floor-words", False)
    assert said(proof).startswith("Do not fine-tune: it does not beat what needs no pretrained model beyond noise.")
    assert "사전학습 모델이 필요 없는 기준선보다" in proof.verdict.sentence.ko


def test_counted_words_that_are_better_are_not_called_harm_done_by_training() -> None:
    arms = {"floor": FLOOR, "floor-words": answers_with(TARGETS, 10), "full": answers_with(TARGETS, 120, start=1)}
    proof = proof_of(TARGETS, arms)
    assert proof.verdict.use == "floor-words"
    assert said(proof).startswith("Do not fine-tune: what needs no pretrained model does better.")
    assert "Beaten without any pretrained model: full fine-tuning" in details(proof)
    assert "Training did harm" not in details(proof)


def test_a_tuned_arm_that_beats_counted_words_beyond_noise_is_used_and_measured_by_them() -> None:
    arms = {
        "floor": FLOOR,
        "floor-words": answers_with(TARGETS, 90),
        "base": answers_with(TARGETS, 400),
        "full": answers_with(TARGETS, 10, start=3),
    }
    proof = proof_of(TARGETS, arms)
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("full", True)
    # Beside the weak base it would be 65 points.
    assert "points above the floor, words counted, [" in said(proof)


def test_a_base_with_examples_beside_it_is_named_and_not_taken_for_harm_done_by_training() -> None:
    arms = {
        "floor": FLOOR,
        "base": answers_with(TARGETS, 400),
        "base-neighbours": answers_with(TARGETS, 60),
        "full": answers_with(TARGETS, 200, start=1),
    }
    proof = proof_of(TARGETS, arms)
    assert proof.verdict.use == "base-neighbours"
    assert "the base does better without training" in proof.verdict.sentence.en
    assert "worse" not in proof.verdict.sentence.en
    assert "below the untuned base, nearest training rows, [" in said(proof)
    assert "Beaten without training: full fine-tuning" in details(proof)
    assert "Training did harm" not in details(proof)


def test_counted_words_that_are_no_better_than_the_commonest_answer_give_way_to_it() -> None:
    targets = ["a"] * 570 + ["b"] * 30
    words = ["a"] * 565 + ["b"] * 5 + ["a"] * 30
    proof = proof_of(targets, {"floor": FLOOR, "floor-words": words, "full": FLOOR})
    assert proof.verdict.use == "floor"


def test_the_base_is_what_a_tuned_arm_is_measured_by_where_only_guessing_is_cheaper() -> None:
    targets = ["a"] * 400 + ["b"] * 200
    arms = {"floor": FLOOR, "base": ["b"] * 100 + ["a"] * 300 + ["b"] * 100 + ["a"] * 100, "full": targets}
    proof = proof_of(targets, arms)
    assert "above the untuned base" in said(proof)
