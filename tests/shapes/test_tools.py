"""Tools in conversations: kept when read, rendered by the template, learnt, and never lost without a word."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.errors import DataError, ModelError
from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Columns, Example, Json, Source, Spec
from sonmat.inference.rendering import render_prompt, render_training
from sonmat.inference.tiny import CHATML, word_tokenizer
from sonmat.reading.tools import text_with_calls

TOOL: Json = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Seoul"}'}}
ASKED: list[Json] = [{"role": "user", "content": "is it cold"}]
TALK: list[Json] = [
    *ASKED,
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "minus two"},
    {"role": "assistant", "content": "yes"},
]
KNOWS_TOOLS = (
    "{% if tools %}{{ '<|im_start|>system\n' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{ '<|im_end|>\n' }}"
    "{% endif %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content }}"
    "{% for call in m.tool_calls or [] %}{{ ' <tool_call> ' + call.function.name + ' ' + call.function.arguments.city }}"
    "{% endfor %}{{ ' <|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
messages = plugins.find("shapes", "messages")


def read(row: Json) -> Pair | Text:
    return messages.read(row, Columns(input="messages"))


def tokenizer(template: str) -> Any:
    made = word_tokenizer(["is it cold minus two yes <tool_call> weather Seoul"], chat=True)
    made.chat_template = template
    return made


def test_tools_calls_and_results_are_kept() -> None:
    pair = read({"messages": TALK, "tools": [TOOL]})
    assert isinstance(pair, Pair)
    assert pair.input["tools"] == [TOOL]
    assert pair.input["messages"][1] == {"role": "assistant", "content": "", "tool_calls": [CALL]}
    assert pair.target == {"text": "yes"}
    chat = plugins.find("tasks", "chat")
    chat.Input.model_validate(pair.input)


def test_the_older_form_says_the_same() -> None:
    older: list[Json] = [
        *ASKED,
        {"role": "assistant", "content": None, "function_call": CALL["function"]},
        {"role": "function", "name": "weather", "content": "minus two"},
        {"role": "assistant", "content": "yes"},
    ]
    pair = read({"messages": older, "functions": [TOOL["function"]]})
    assert isinstance(pair, Pair)
    assert pair.input["tools"] == [TOOL]
    assert pair.input["messages"][1]["tool_calls"][0]["function"] == CALL["function"]
    assert pair.input["messages"][2] == {"role": "tool", "content": "minus two", "name": "weather"}


def test_an_answer_that_calls_a_tool_is_a_target_that_metrics_can_compare() -> None:
    pair = read({"messages": TALK[:2], "tools": [TOOL]})
    assert isinstance(pair, Pair)
    assert pair.target == {"text": '[{"arguments": {"city": "Seoul"}, "name": "weather"}]', "tool_calls": [CALL]}
    assert messages.write(pair, Columns())["messages"][-1] == {"role": "assistant", "content": "", "tool_calls": [CALL]}
    generated = 'I look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Seoul"}}\n</tool_call>'
    assert text_with_calls(generated) == f"I look.\n{pair.target['text']}"
    assert text_with_calls("<tool_call>broken</tool_call>") == "<tool_call>broken</tool_call>"


@pytest.mark.parametrize(
    ("talk", "said"),
    [
        ([*ASKED, {"role": "tool", "content": "x"}, TALK[-1]], "the role 'tool'"),
        ([*TALK[:2], TALK[-1]], "where 'tool' is expected"),
        ([*ASKED, {"role": "assistant", "tool_calls": [{}]}], "calls a tool without naming it"),
        (TALK[:3], "does not end with an assistant turn"),
    ],
)
def test_tools_out_of_turn_are_a_fault_of_the_row(talk: list[Json], said: str) -> None:
    reason = read({"messages": talk})
    assert isinstance(reason, Text)
    assert said in reason.en


def test_what_the_template_makes_of_tools_is_read_and_calls_are_learnt() -> None:
    pair = read({"messages": TALK, "tools": [TOOL]})
    assert isinstance(pair, Pair)
    made = tokenizer(KNOWS_TOOLS)
    whole = render_training([*pair.input["messages"], TALK[-1]], made, "all", pair.input["tools"])
    learnt = made.decode([token for token, on in zip(whole.ids, whole.supervised, strict=True) if on])
    assert learnt == "<tool_call> weather Seoul <|im_end|> yes <|im_end|>"
    prompt = render_prompt(pair.input["messages"], made, pair.input["tools"])
    assert whole.ids[: len(prompt)] == prompt
    # The call that is the answer itself goes through the task.
    chat, calling = plugins.find("tasks", "chat"), read({"messages": TALK[:2], "tools": [TOOL]})
    assert isinstance(calling, Pair)
    example = Example(id="1", input=calling.input, target=calling.target, source=Source(file="", row=1))
    row = chat.encode(example, made, Spec())
    assert made.decode([label for label in row.arrays["labels"] if label >= 0]) == "<tool_call> weather Seoul <|im_end|>"


@pytest.mark.parametrize(
    ("talk", "tools", "template", "said"),
    [
        (ASKED, [TOOL], CHATML, "leaves out the tools"),
        ([*ASKED, {**TALK[1], "content": ""}, TALK[2]], None, CHATML, "leaves out calls of tools"),
        (
            [*ASKED, {**TALK[1], "content": ""}, TALK[2]],
            None,
            KNOWS_TOOLS.replace("'\n' + m.content", "'\n' + (m.content if m.role != 'tool' else '')"),
            "leaves out what tools answered",
        ),
        (ASKED, None, "{{ raise_exception('Conversation roles must alternate') }}", "refuses this conversation"),
    ],
)
def test_a_template_that_would_lose_tools_is_refused(talk: Any, tools: Any, template: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        render_prompt(talk, tokenizer(template), tools)
    assert said in caught.value.what.en


@pytest.mark.parametrize("name", ["alpaca", "sharegpt", "input_output", "context_chat"])
def test_shapes_without_a_place_for_tools_refuse_them(name: str) -> None:
    pair = read({"messages": [*ASKED, TALK[-1]], "tools": [TOOL]})
    assert isinstance(pair, Pair)
    with pytest.raises(DataError, match="tools"):
        plugins.find("shapes", name).write(pair, Columns())


def test_sharegpt_s_calls_and_observations_are_read() -> None:
    row: Json = {
        "conversations": [
            {"from": "human", "value": "is it cold"},
            {"from": "function_call", "value": '{"name": "weather", "arguments": {"city": "Seoul"}}'},
            {"from": "observation", "value": "minus two"},
            {"from": "gpt", "value": "yes"},
        ],
        "tools": '[{"name": "weather", "parameters": {}}]',
    }
    pair = plugins.find("shapes", "sharegpt").read(row, Columns(input="conversations"))
    assert isinstance(pair, Pair)
    assert pair.input["messages"][1]["tool_calls"][0]["function"]["arguments"] == {"city": "Seoul"}
    assert pair.input["tools"][0]["function"]["name"] == "weather"
