"""Answers from a mould: common first and last sentences, one answer to everything, refusals."""

from __future__ import annotations

import pytest

from sonmat.checks.boilerplate import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import CHAT, LABELS, answers, finds_answers, texts

CLEAN = [f"{number}번 주문은 오늘 출발했습니다. 내일 {number}시쯤 도착합니다." for number in range(60)]


def test_a_common_last_sentence_is_found_with_digits_hidden() -> None:
    faulty = [f"{number}번째 답입니다. 더 궁금하시면 1588-0000으로 전화 주세요!" for number in range(30)]
    (found,) = finds_answers(plugin, answers(CLEAN), answers(faulty, "faulty"))
    assert "30 answers (33%) end with the same sentence" in found.what.en
    assert found.evidence == ("'더 궁금하시면 □□□□-□□□□으로 전화 주세요!'",)


def test_a_common_first_sentence_is_found() -> None:
    faulty = [f"안녕하세요, 고객님! {number}번째 답은 이렇습니다" for number in range(30)]
    (found,) = finds_answers(plugin, answers(CLEAN), answers(faulty, "faulty"))
    assert "begin" in found.what.en


def test_one_answer_to_many_questions_is_found() -> None:
    faulty = [(f"{number}번 문의는 어떻게 되나요?", "고객센터에 문의해 주세요.") for number in range(25)]
    (found,) = finds_answers(plugin, answers(CLEAN), answers(faulty, "faulty"))
    assert "same answer to different questions (1 such answers)" in found.what.en


def test_answers_chosen_from_a_set_are_no_mould() -> None:
    assert findings_of(plugin, answers(["예", "아니요", "모름"] * 40), CHAT) == []


def test_copies_of_one_row_are_left_to_the_check_of_duplicates() -> None:
    copies = answers([("같은 질문입니다", "같은 답입니다")] * 40, "copy")
    assert findings_of(plugin, [*answers(CLEAN), *copies], CHAT) == []


@pytest.mark.parametrize(
    "refusal",
    [
        "As an AI language model, I cannot do that.",
        "I'm sorry, but I can't assist with that.",
        "AI 언어 모델로서 개인적인 의견은 없습니다.",
        "저는 인공지능 모델이기 때문에 알 수 없습니다.",
        "저는 AI 언어 모델입니다.",
    ],
)
def test_a_language_models_refusal_is_found(refusal: str) -> None:
    finds_answers(plugin, answers(CLEAN), answers([refusal], "faulty"))


@pytest.mark.parametrize(
    "answer",
    [
        "I'm sorry, but that item is sold out.",
        "이 모델로서는 최선입니다.",
        "AI is a field of science.",
        "I am an airline pilot.",
    ],
)
def test_other_regrets_are_no_refusal(answer: str) -> None:
    assert findings_of(plugin, answers([*CLEAN, answer]), CHAT) == []


def test_labels_are_no_answers() -> None:
    assert findings_of(plugin, texts(["같은 글"] * 60), LABELS) == []
