"""Metrics against hand-computed cases and against the libraries that define them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_chrf
from sklearn.metrics import accuracy_score, f1_score

from sonmat.core.protocols import Judged
from sonmat.plugins import every, find
from sonmat.statistics import measure

LABELS = st.sampled_from(["a", "b", "c", "", "unheard of"])
WORDS = st.lists(st.sampled_from(["the", "cat", "sat", "on", "a", "mat", "Dog!", "it's"]), max_size=12).map(" ".join)


def labelled(pairs: Sequence[tuple[str, str]]) -> list[Judged]:
    """(target, answer) pairs."""
    return [Judged(input={}, target={"label": target}, output={"label": answer}) for target, answer in pairs]


def written(pairs: Sequence[tuple[str, str]], nll: float | None = None) -> list[Judged]:
    """(reference, answer) pairs."""
    return [Judged({}, {"text": reference}, {"text": answer}, reference_nll=nll) for reference, answer in pairs]


def value(name: str, items: Sequence[Judged]) -> float:
    metric = find("metrics", name)
    return measure(metric.value, metric.statistics(items))


def test_accuracy_counts_what_is_right() -> None:
    assert value("accuracy", labelled([("a", "a"), ("a", "b"), ("b", "b"), ("b", "")])) == 0.5


def test_macro_f1_of_three_classes_by_hand() -> None:
    # a: 2 right, 3 targets, 2 answers → 4/5. b: 1 right, 1 target, 2 answers → 2/3. c: 0.
    pairs = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("c", "d")]
    assert value("macro_f1", labelled(pairs)) == pytest.approx((4 / 5 + 2 / 3 + 0) / 3)


def test_an_answer_without_a_label_is_wrong_and_not_left_out() -> None:
    items = [*labelled([("a", "a")]), Judged({}, {"label": "a"}, {}), Judged({}, {"label": "b"}, {"label": None})]
    assert value("accuracy", items) == pytest.approx(1 / 3)
    assert value("macro_f1", items) == pytest.approx((2 / 3 + 0) / 2)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), LABELS), min_size=1, max_size=40))
def test_classification_metrics_equal_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    targets, answers = [target for target, _ in pairs], [answer for _, answer in pairs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = f1_score(targets, answers, labels=sorted(set(targets)), average="macro", zero_division=0)
    assert value("macro_f1", labelled(pairs)) == pytest.approx(expected)
    assert value("accuracy", labelled(pairs)) == pytest.approx(accuracy_score(targets, answers))


def test_exact_match_forgives_white_space_and_unicode_form_only() -> None:
    pairs = [("one  two\n", "one two"), ("한", "\u1112\u1161\u11ab"), ("One", "one"), ("one", "one.")]
    assert value("exact_match", written(pairs)) == 0.5


def test_token_f1_by_hand() -> None:
    # Shared: "the" once and "cat"; 3 + 3 words. Then an empty answer, then two texts without words.
    pairs = [("the cat sat", "The the cat!"), ("word", ""), ("?", "...")]
    assert value("token_f1", written(pairs)) == pytest.approx((2 * 2 / 6 + 0 + 1) / 3)


def test_korean_answers_with_another_ending_are_partly_right() -> None:
    partly = value("rouge_l", written([("밥을 먹었습니다", "밥을 먹어요")]))
    assert 0.3 < partly < 1
    assert value("token_f1", written([("밥을 먹었습니다", "밥을 먹어요")])) == pytest.approx(partly)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=30)), min_size=1, max_size=6))
def test_chrf_equals_that_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    expected = corpus_chrf([answer for _, answer in pairs], [[reference for reference, _ in pairs]]).score
    assert value("chrf", written(pairs)) == pytest.approx(expected / 100, abs=1e-9)


def test_chrf_of_real_sentences_equals_that_of_sacrebleu() -> None:
    pairs = [("오늘은 비가 많이 옵니다.", "오늘 비가 옵니다."), ("The cat sat.", "A cat sat down."), ("짧다", "")]
    expected = corpus_chrf([answer for _, answer in pairs], [[reference for reference, _ in pairs]]).score
    assert value("chrf", written(pairs)) == pytest.approx(expected / 100, abs=1e-9)
    assert 0.3 < expected / 100 < 0.9


@given(st.lists(st.tuples(WORDS.filter(bool), WORDS), min_size=1, max_size=5))
def test_rouge_l_equals_that_of_rouge_score_on_english(pairs: list[tuple[str, str]]) -> None:
    scorer = RougeScorer(["rougeL"])
    expected = np.mean([scorer.score(reference, answer)["rougeL"].fmeasure for reference, answer in pairs])
    assert value("rouge_l", written(pairs)) == pytest.approx(expected)


def test_rouge_l_of_two_texts_without_words_is_one() -> None:
    assert value("rouge_l", written([("?", ""), ("word", "")])) == 0.5


def test_likelihood_is_weighted_by_characters() -> None:
    items = [*written([("four", "")], nll=8.0), *written([("twelve chars", "")], nll=12.0)]
    assert value("nll_per_character", items) == pytest.approx(20 / 16)


def test_an_item_without_a_likelihood_has_no_value() -> None:
    statistics = find("metrics", "nll_per_character").statistics(written([("four", "four")]))
    assert np.isnan(statistics).all()
    assert math.isnan(value("nll_per_character", [*written([("a", "")], 1.0), *written([("a", "")])]))


def test_a_resample_without_a_class_says_nothing_about_it() -> None:
    metric = find("metrics", "macro_f1")
    statistics = metric.statistics(labelled([("a", "a"), ("b", "a")]))
    assert float(metric.value(np.array([3.0, 0.0]) @ statistics)) == 1.0


def test_metrics_take_many_sums_at_once() -> None:
    for metric in every("metrics"):
        items = [Judged({}, {"label": "a", "text": "a b"}, {"label": "a", "text": "a c"}, reference_nll=2.0)] * 4
        sums = np.broadcast_to(metric.statistics(items).sum(axis=0), (5, 2, metric.statistics(items).shape[1]))
        assert metric.value(sums).shape == (5, 2)
