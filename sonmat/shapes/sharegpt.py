"""ShareGPT's chat rows: {"conversations": [{"from": "human" | "gpt" | "system", "value"}, ...], "system"?, "tools"?}. Calls of
tools (`function_call`) and their results (`observation`) are read, and written as OpenAI's messages alone can hold them."""

from __future__ import annotations

from typing import Any

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import list_of, parsed
from sonmat.reading.tools import with_tools
from sonmat.reading.turns import pair_of_turns, refuse_tools

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "system",
    "function_call": "assistant",
    "observation": "tool",
    "tool": "tool",
}
_NAMES = {"user": "human", "assistant": "gpt", "system": "system"}


class ShareGpt:
    name = "sharegpt"
    title = Text(en="chat messages (ShareGPT)", ko="대화 메시지(ShareGPT)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.target is not None:
            return None
        for column in [wanted.input] if wanted.input else sorted(table.columns, key=lambda name: name != "conversations"):
            lists = [parsed(row.get(column)) for row in table.rows]
            turns = sum(isinstance(found, list) and bool(found) and all(map(_is_turn, found)) for found in lists)
            if turns * 2 > len(table.rows):
                return Guess(
                    sure=0.98,
                    columns=Columns(input=column),
                    reason=Text(
                        en=f"'{column}' holds lists of messages with from and value",
                        ko=f"'{column}'에 from과 value가 있는 메시지 목록이 있습니다",
                    ),
                )
        return None

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        column = columns.input or "conversations"
        messages = list_of(fields, column)
        if isinstance(messages, Text) or not messages:
            return Text(en=f"has no list of messages in '{column}'", ko=f"'{column}'에 메시지 목록이 없습니다")
        system = fields.get("system")
        before = [{"role": "system", "content": system}] if system else []
        pair = pair_of_turns([*before, *map(_openai_turn, messages)])
        if isinstance(pair, Text):
            return pair
        input = with_tools(pair.input, fields)
        return input if isinstance(input, Text) else Pair(input=input, target=pair.target)

    def write(self, pair: Pair, columns: Columns) -> Json:
        refuse_tools(pair, self.title)
        turns: list[Json] = [*pair.input["messages"], {"role": "assistant", "content": pair.target["text"]}]
        return {columns.input or "conversations": [_sharegpt_turn(turn) for turn in turns]}


def _is_turn(message: object) -> bool:
    return isinstance(message, dict) and "from" in message and "value" in message


def _openai_turn(message: Any) -> Any:
    if not _is_turn(message):
        return message
    speaker, value = message["from"], message["value"]
    spoken = {name: value for name, value in message.items() if name == "weight"}
    if speaker == "function_call":
        calls = parsed(value)
        return {
            "role": "assistant",
            "tool_calls": [{"function": call} for call in (calls if isinstance(calls, list) else [calls])],
        }
    return {"role": _ROLES.get(speaker, speaker) if isinstance(speaker, str) else speaker, "content": value, **spoken}


def _sharegpt_turn(turn: Json) -> Json:
    spoken = {name: value for name, value in turn.items() if name == "weight"}
    return {"from": _NAMES[turn["role"]], "value": turn["content"], **spoken}


plugin = ShareGpt()
