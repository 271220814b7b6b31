"""What a prompt says, in whichever roles a base knows, and what it loses when it does not fit."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.values import Example, Json, Source, Spec
from sonmat.inference.tiny import CHATML
from sonmat.prompting.prompt import Prompt, Shot, can_be_shown, messages_of, shot_of, text_of
from sonmat.prompting.rendering import Renderer, fit_to_roles, takes_system
from tests.prompting.tiny_talker import as_chat, examples, talker_tokenizer

SPEC = Spec(labels=("bad", "good"), max_tokens=200)
LABELS, CHAT = plugins.find("tasks", "text-classification"), plugins.find("tasks", "chat")
NO_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}" + CHATML
SILENT_SYSTEM = CHATML.replace(
    "{% for message in messages %}", "{% for message in messages if message['role'] != 'system' %}"
)


def said(prompt: Prompt, input: Json, shots: list[Shot] | None = None) -> list[tuple[str, str]]:
    messages = messages_of(prompt, LABELS, input, shots or [], SPEC)
    return [(message["role"], message["content"]) for message in messages]


def test_without_an_instruction_a_prompt_is_what_the_task_asks() -> None:
    shots = [shot_of(example) for example in examples(2)]
    own = LABELS.ask({"text": "hm"}, examples(2), SPEC)
    assert messages_of(Prompt(), LABELS, {"text": "hm"}, shots, SPEC) == own


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        (
            Prompt(instruction="Choose.", place="first"),
            [("user", "Choose.\n- bad\n- good\n\nText: hm\nLabel:")],
        ),
        (
            Prompt(instruction="One of {labels}!", place="system", labels="commas"),
            [("system", "One of bad, good!"), ("user", "Text: hm\nLabel:")],
        ),
        (
            Prompt(
                instruction="고르세요.",
                place="last",
                text_word="글",
                answer_word="라벨",
                labels="examples",
                typical={"bad": "no"},
            ),
            [("user", "글: hm\n\n고르세요.\n- bad (no)\n- good\n라벨:")],
        ),
    ],
)
def test_an_instruction_stands_where_the_prompt_says(prompt: Prompt, expected: list[tuple[str, str]]) -> None:
    assert said(prompt, {"text": "hm"}) == expected


def test_shots_of_labels_are_answered_turns_before_the_question() -> None:
    shots = [Shot(input={"text": "yes"}, target={"label": "good"})]
    assert said(Prompt(instruction="Choose.", labels="commas"), {"text": "hm"}, shots) == [
        ("user", "Choose.\nbad, good\n\nText: yes\nLabel:"),
        ("assistant", "good"),
        ("user", "Text: hm\nLabel:"),
    ]


def test_a_rows_own_system_message_stays_beside_the_instruction_and_is_not_repeated_by_shots() -> None:
    rows = [as_chat(example, system="You sell tea.") for example in examples(2)]
    messages = messages_of(Prompt(instruction="Be brief.", place="system"), CHAT, rows[0].input, [shot_of(rows[1])], Spec())
    assert [message["role"] for message in messages] == ["system", "user", "assistant", "user"]
    assert messages[0]["content"] == "Be brief.\n\nYou sell tea."


@pytest.mark.parametrize(("place", "expected"), [("first", "Be brief.\n\nhm"), ("last", "hm\n\nBe brief.")])
def test_an_instruction_for_chat_may_stand_in_the_users_words(place: Any, expected: str) -> None:
    input = {"messages": [{"role": "user", "content": "hm"}]}
    (message,) = messages_of(Prompt(instruction="Be brief.", place=place), CHAT, input, [], Spec())
    assert message["content"] == expected


@pytest.mark.parametrize(("template", "expected"), [(CHATML, True), (NO_SYSTEM, False), (SILENT_SYSTEM, False)])
def test_a_template_that_refuses_or_hides_system_messages_has_no_system_role(template: str, expected: bool) -> None:
    tokenizer = talker_tokenizer()
    tokenizer.chat_template = template
    assert takes_system(tokenizer) is expected


@pytest.mark.parametrize("template", [NO_SYSTEM, SILENT_SYSTEM])
def test_what_the_system_is_told_reaches_a_base_without_that_role(template: str) -> None:
    tokenizer = talker_tokenizer()
    tokenizer.chat_template = template
    renderer = Renderer(LABELS, SPEC, tokenizer, room=16)
    ids = renderer.ids(Prompt(instruction="good day", place="system"), {"text": "no hope"})
    assert "good day - bad - good Text: no hope" in " ".join(tokenizer.decode(ids).split())


def test_roles_that_a_base_knows_are_left_alone() -> None:
    messages = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    assert fit_to_roles(messages, lambda: True) == messages
    assert fit_to_roles(messages, lambda: False) == [{"role": "user", "content": "a\n\nb"}]


def rendered(prompt: Prompt, input: Json, shots: list[Shot], most: int) -> str:
    tokenizer = talker_tokenizer()
    renderer = Renderer(LABELS, SPEC.model_copy(update={"max_tokens": most}), tokenizer, room=4)
    ids = renderer.ids(prompt, input, shots)
    assert len(ids) <= most - 4
    return " ".join(tokenizer.decode(ids).split())


def test_what_does_not_fit_loses_its_oldest_shots_first_and_never_the_question() -> None:
    shots = [Shot(input={"text": f"fine {number}"}, target={"label": "good"}) for number in range(6)]
    whole = rendered(Prompt(), {"text": "no hope"}, shots, 200)
    assert [f"fine {number}" in whole for number in range(6)] == [True] * 6
    cut = rendered(Prompt(), {"text": "no hope"}, shots, 70)
    shown = [f"fine {number}" in cut for number in range(6)]
    assert 0 < sum(shown) < 6
    assert shown == sorted(shown), "the nearest shots, which come last, are kept"
    assert "Classify the text." in cut
    assert "Text: no hope" in cut


def test_a_text_that_is_too_long_loses_its_end_and_keeps_the_instruction_and_the_question() -> None:
    cut = rendered(Prompt(), {"text": "no hope " + "fine " * 500}, [], 60)
    assert cut.count("fine") < 60
    for part in ("Classify the text.", "- good", "Text: no hope fine", "Label:"):
        assert part in cut


def test_chat_that_does_not_fit_loses_shots_then_the_instruction_then_nothing_more() -> None:
    tokenizer = talker_tokenizer()
    spec = Spec(max_tokens=64, max_new_tokens=8)
    renderer = Renderer(CHAT, spec, tokenizer, room=8)
    shots = [shot_of(as_chat(example)) for example in examples(4)]
    prompt = Prompt(instruction="good day", place="system")
    short = renderer.chat_input(prompt, as_chat(examples(1)[0]).input, shots)
    assert len(CHAT.encode_input(short, tokenizer, spec).arrays["input_ids"]) <= 56
    assert 0 < renderer.shots_that_fit(prompt, as_chat(examples(1)[0]).input, shots) < 4
    assert short["messages"][0] == {"role": "system", "content": "good day"}
    long = {"messages": [{"role": "user", "content": "fine " * 100}]}
    assert renderer.chat_input(prompt, long, shots) == long


def test_what_an_input_says_is_its_text_or_its_last_user() -> None:
    assert text_of({"text": "a"}) == "a"
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    assert text_of({"messages": turns}) == "c"


def test_examples_with_tools_are_not_shown() -> None:
    plain = as_chat(examples(1)[0])
    offered = plain.model_copy(update={"input": {**plain.input, "tools": [{"name": "x"}]}})
    answered = Example(
        id="a", source=Source(file="", row=0), target={"text": "b"},
        input={"messages": [*plain.input["messages"], {"role": "tool", "content": "3"}]},
    )  # fmt: skip
    assert [can_be_shown(each) for each in (plain, offered, answered)] == [True, False, False]
