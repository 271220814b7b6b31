"""What is special to each task: cutting, prompts, and reading a prompted model's words."""

from __future__ import annotations

import pytest

from sonmat.core.errors import DataError
from sonmat.core.protocols import Message
from sonmat.core.values import Example, Source, Spec
from sonmat.tasks.chat import plugin as chat
from sonmat.tasks.image_classification import plugin as images
from sonmat.tasks.text_classification import plugin as texts

SPEC = Spec(labels=("refund", "refund status", "other"))


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("refund", "refund"),
        (" Refund.\n", "refund"),
        ("The label is: refund status", "refund status"),
        ("OTHER", "other"),
        ("I cannot say", ""),
        ("refunds", ""),
        ("other, not refund", "other"),
    ],
)
def test_a_prompted_models_words_are_read_as_the_label_named_first(words: str, label: str) -> None:
    assert texts.parse(words, SPEC) == {"label": label}


def test_korean_labels_are_found_in_sentences() -> None:
    assert texts.parse("정답은 '환불' 입니다", Spec(labels=("환불", "배송"))) == {"label": "환불"}


@pytest.mark.parametrize(
    ("words", "label"),
    [("긍정입니다.", "긍정"), ("이 리뷰는 부정이에요", "부정"), ("매우긍정", ""), ("아주 부정적이라 긍정은 아님", "부정")],
)
def test_a_korean_label_is_found_before_its_particle_or_ending(words: str, label: str) -> None:
    assert texts.parse(words, Spec(labels=("긍정", "부정"))) == {"label": label}


def test_a_question_lists_every_label_and_shots_come_before_it() -> None:
    shot = Example(id="1", input={"text": "give me my money"}, target={"label": "refund"}, source=Source(file="", row=1))
    asked = texts.ask({"text": "hello"}, (shot,), SPEC)
    assert asked is not None
    assert [message["role"] for message in asked] == ["user", "assistant", "user"]
    assert all(f"- {label}" in asked[0]["content"] for label in SPEC.labels)
    assert "hello" in asked[2]["content"]


def test_a_long_text_loses_its_end_and_says_how_many_tokens() -> None:
    tiny = texts.tiny()
    spec = tiny.spec.model_copy(update={"max_tokens": 2})
    row = texts.encode(tiny.examples[0], tiny.processor, spec)
    whole = texts.encode(tiny.examples[0], tiny.processor, tiny.spec)
    assert (row.length, row.cut) == (2, whole.length - 2)
    assert whole.cut == 0


def test_a_long_conversation_loses_its_oldest_tokens_and_keeps_the_answer() -> None:
    tiny = chat.tiny()
    whole = chat.encode(tiny.examples[0], tiny.processor, tiny.spec)
    row = chat.encode(tiny.examples[0], tiny.processor, tiny.spec.model_copy(update={"max_tokens": whole.length - 3}))
    assert row.cut == 3
    assert row.supervised == whole.supervised
    assert row.arrays["input_ids"] == whole.arrays["input_ids"][3:]


def test_an_answer_that_does_not_fit_is_refused() -> None:
    tiny = chat.tiny()
    with pytest.raises(DataError, match="the answer has"):
        chat.encode(tiny.examples[1], tiny.processor, tiny.spec.model_copy(update={"max_tokens": 4}))


def test_shots_go_between_the_system_turn_and_the_question() -> None:
    messages: list[Message] = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}]
    shot = chat.tiny().examples[0]
    asked = chat.ask({"messages": messages}, (shot,), Spec())
    assert asked is not None
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "user"]


def test_a_conversation_must_wait_for_an_answer() -> None:
    with pytest.raises(ValueError, match="must be the user's"):
        chat.Input.model_validate({"messages": [{"role": "assistant", "content": "hi"}]})


def test_a_picture_that_is_none_is_named() -> None:
    tiny = images.tiny()
    with pytest.raises(DataError, match=r"missing\.png"):
        images.encode_input({"image": "missing.png"}, tiny.processor, tiny.spec)
