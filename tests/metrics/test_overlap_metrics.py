"""BLEU and ROUGE-N against the libraries that define them, and what differs on purpose."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import corpus_bleu

from sonmat.core.protocols import Judged
from sonmat.plugins import find
from sonmat.statistics import measure, words

WORD = st.sampled_from(["the", "The", "cat", "sat", "on", "a", "mat", "Dog!", "it's", "3.5%"])
ANSWER = st.lists(WORD, max_size=12).map(" ".join)
REFERENCE = st.lists(WORD, min_size=4, max_size=12).map(" ".join)


def written(pairs: Sequence[tuple[str, str]]) -> list[Judged]:
    """(reference, answer) pairs."""
    return [Judged({}, {"text": reference}, {"text": answer}) for reference, answer in pairs]


def value(name: str, pairs: Sequence[tuple[str, str]]) -> float:
    metric = find("metrics", name)
    return measure(metric.value, metric.statistics(written(pairs)))


@settings(deadline=None)
@given(st.lists(st.tuples(REFERENCE, ANSWER), min_size=1, max_size=6))
def test_bleu_equals_that_of_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    expected = corpus_bleu([answer for _, answer in pairs], [[reference for reference, _ in pairs]]).score
    assert value("bleu", pairs) == pytest.approx(expected / 100, abs=1e-9)


def test_bleu_of_korean_is_that_of_sacrebleu_on_morphemes() -> None:
    pairs = [
        ("오늘은 서울에 비가 많이 옵니다.", "오늘은 서울에 비가 조금 왔습니다."),
        ("주문은 앱에서 바꿀 수 있습니다.", "주문은 앱에서 바꿀 수 있어요."),
    ]
    references = [" ".join(tokens) for tokens in words.tokens_of([reference for reference, _ in pairs])]
    answers = [" ".join(tokens) for tokens in words.tokens_of([answer for _, answer in pairs])]
    expected = corpus_bleu(answers, [references], tokenize="none").score / 100
    assert value("bleu", pairs) == pytest.approx(expected, abs=1e-9)
    # Words between spaces differ in their endings where morphemes agree.
    assert expected > corpus_bleu([answer for _, answer in pairs], [[reference for reference, _ in pairs]]).score / 100


def test_bleu_of_right_one_word_answers_is_one_where_sacrebleu_gives_zero() -> None:
    assert value("bleu", [("yes", "yes"), ("no", "no")]) == pytest.approx(1)
    assert corpus_bleu(["yes", "no"], [["yes", "no"]]).score == 0
    assert value("bleu", [("yes", "no")]) == 0


@pytest.mark.parametrize(("name", "theirs"), [("token_f1", "rouge1"), ("rouge_2", "rouge2")])
@given(pairs=st.lists(st.tuples(REFERENCE, ANSWER), min_size=1, max_size=5))
def test_rouge_n_equals_that_of_rouge_score_on_english(name: str, theirs: str, pairs: list[tuple[str, str]]) -> None:
    scorer = RougeScorer([theirs])
    expected = np.mean([scorer.score(reference, answer)[theirs].fmeasure for reference, answer in pairs])
    assert value(name, pairs) == pytest.approx(expected)


def test_rouge_2_of_texts_of_one_word_says_whether_they_are_equal() -> None:
    assert value("rouge_2", [("yes", "yes"), ("yes", "no"), ("?", "")]) == pytest.approx(2 / 3)


def test_morphemes_are_looked_up_once_for_all_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_remembered", {})
    analyser, asked = words._korean_analyser(), []

    class Counting:
        def tokenize(self, texts: list[str]) -> object:
            asked.extend(texts)
            return analyser.tokenize(texts)

    monkeypatch.setattr(words, "_korean_analyser", Counting)
    texts = ["밥을 먹었습니다.", "밥을 먹어요!", "밥을 먹었습니다.", "not Korean"]
    first = words.words_of(texts)
    assert words.words_of(texts) == first
    assert words.tokens_of(texts)[1][-1] == "!"
    assert asked == ["밥을 먹었습니다.", "밥을 먹어요!"]


def test_the_memory_of_morphemes_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_remembered", {})
    monkeypatch.setattr(words, "_MOST_REMEMBERED", 12)
    for text in ("밥을 먹었습니다.", "물을 마셨습니다.", "아주 긴 글이라서 남기지 않습니다."):
        words.words_of([text])
        assert sum(map(len, words._remembered)) <= 12


def test_metrics_are_found_without_the_libraries_behind_them() -> None:
    code = (
        "import sys; from sonmat.plugins import every; every('metrics'); every('tasks'); "
        "print([name for name in ('torch', 'sacrebleu', 'kiwipiepy', 'sklearn') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
