"""One renderer for training and serving: prompts are beginnings of rows, the stop token is learnt, masks are never all or none."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat.core.errors import DataError, ModelError
from sonmat.inference.rendering import render_prompt, render_training, stop_token
from sonmat.inference.tiny import word_tokenizer

TALK = [
    {"role": "system", "content": "be kind"},
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "good day"},
    {"role": "user", "content": "when do you open"},
    {"role": "assistant", "content": "at nine"},
]


@pytest.fixture
def tokenizer() -> Any:
    return word_tokenizer([message["content"] for message in TALK], chat=True)


def learnt(tokenizer: Any, talk: list[dict[str, Any]], supervise: Any = "all") -> str:
    chat = render_training(talk, tokenizer, supervise)
    return str(tokenizer.decode([token for token, on in zip(chat.ids, chat.supervised, strict=True) if on]))


def test_assistants_words_and_the_end_of_their_turn_are_learnt_and_nothing_else(tokenizer: Any) -> None:
    assert learnt(tokenizer, TALK) == "good day <|im_end|> at nine <|im_end|>"


def test_the_last_turn_alone_can_be_counted(tokenizer: Any) -> None:
    assert learnt(tokenizer, TALK, "last") == "at nine <|im_end|>"


def test_a_turn_of_weight_nothing_is_read_but_not_learnt(tokenizer: Any) -> None:
    talk: list[dict[str, Any]] = [*TALK[:2], {**TALK[2], "weight": 0}, *TALK[3:]]
    assert learnt(tokenizer, talk) == "at nine <|im_end|>"
    assert render_training(talk, tokenizer, "all").ids == render_training(TALK, tokenizer, "all").ids


@pytest.mark.parametrize("turns", [2, 4])
def test_a_prompt_is_token_for_token_the_beginning_of_the_training_row(tokenizer: Any, turns: int) -> None:
    whole = render_training(TALK, tokenizer, "all").ids
    prompt = render_prompt(TALK[:turns], tokenizer)
    assert whole[: len(prompt)] == prompt


def test_the_stop_token_of_every_assistant_turn_is_learnt(tokenizer: Any) -> None:
    chat = render_training(TALK, tokenizer, "all")
    stop = stop_token(tokenizer)
    ends = [on for token, on in zip(chat.ids, chat.supervised, strict=True) if token == stop]
    # System, user, assistant, user, assistant.
    assert ends == [False, False, True, False, True]


def test_a_row_without_anything_to_learn_is_refused(tokenizer: Any) -> None:
    with pytest.raises(DataError, match="no assistant word"):
        render_training(TALK[:2], tokenizer, "all")
    silent: list[dict[str, Any]] = [TALK[1], {**TALK[2], "weight": 0}]
    with pytest.raises(DataError, match="no assistant word"):
        render_training(silent, tokenizer, "all")


def test_a_template_that_hides_the_question_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages if m.role == 'assistant' %}{{ m.content + '<|im_end|>' }}{% endfor %}"
    with pytest.raises(ModelError, match="nothing but the answer"):
        render_training(TALK[1:3], tokenizer, "all")


def test_a_template_that_changes_what_went_before_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = (
        "{{ messages | length }} {% for m in messages %}<|im_start|>{{ m.role }} {{ m.content }}<|im_end|>{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant {% endif %}"
    )
    with pytest.raises(ModelError, match="renders the beginning"):
        render_training(TALK, tokenizer, "all")


def test_a_template_without_a_stop_token_is_refused(tokenizer: Any) -> None:
    tokenizer.chat_template = "{% for m in messages %}{{ m.role + ' ' + m.content + ' ' }}{% endfor %}"
    with pytest.raises(ModelError, match="without a special token"):
        stop_token(tokenizer)


def test_a_model_without_a_template_says_what_to_do(tokenizer: Any) -> None:
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="no chat template"):
        render_prompt(TALK[:2], tokenizer)
