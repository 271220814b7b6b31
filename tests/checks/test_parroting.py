"""Answers that only repeat the question; greetings, extracts and corrections are fine."""

from __future__ import annotations

import pytest

from sonmat.checks.parroting import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import CHAT, LABELS, answers, finds_answers, texts

CLEAN = [(f"{number}번 주문은 언제 오나요?", f"내일 {number}시쯤 도착할 예정입니다.") for number in range(30)]
QUESTION = "What is the capital of France, please?"


def test_every_form_of_the_question_again_is_found() -> None:
    faulty = [QUESTION, f"“{QUESTION}”", QUESTION.upper(), f"  {QUESTION}  ...", f"So: {QUESTION}"]
    (found,) = finds_answers(plugin, answers(CLEAN), answers([(QUESTION, answer) for answer in faulty], "faulty"))
    assert found.severity == "warning"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("안녕하세요", "안녕하세요"),
        ("서울의 인구는 얼마인가요? 서울에는 천만 명 가까이 삽니다. 부산은 삼백만입니다.", "천만 명 가까이"),
        ("What is the capital of France?", "The capital of France is Paris, on the Seine."),
        ("파이썬이 무엇인가요? 알려 주세요", "파이썬은 프로그래밍 언어입니다 참고하세요"),
    ],
)
def test_other_likeness_is_fine(question: str, answer: str) -> None:
    assert findings_of(plugin, answers([*CLEAN, (question, answer)]), CHAT) == []


def test_where_many_answers_are_the_question_it_is_only_noted() -> None:
    (found,) = findings_of(plugin, answers([(QUESTION, QUESTION)] * 20 + CLEAN), CHAT)
    assert found.severity == "note"


def test_only_the_last_question_of_a_conversation_counts() -> None:
    (row,) = answers([(QUESTION, QUESTION)])
    longer = {
        "messages": [{"role": "user", "content": "x" * 500}, {"role": "assistant", "content": "y"}, *row.input["messages"]]
    }
    assert findings_of(plugin, [row.model_copy(update={"input": longer})], CHAT)[0].rows == (row.id,)


def test_labels_are_no_answers() -> None:
    assert findings_of(plugin, texts(["배송 문의를 하고 싶습니다"]), LABELS) == []
