"""ShareGPT's chat rows: {"conversations": [{"from": "human" | "gpt" | "system", "value"}, ...], "system"?}."""

from __future__ import annotations

from typing import Any

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.turns import pair_of_turns

_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "system": "system",
}
_NAMES = {"user": "human", "assistant": "gpt", "system": "system"}


class ShareGpt:
    name = "sharegpt"
    title = Text(en="chat messages (ShareGPT)", ko="대화 메시지(ShareGPT)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.target is not None:
            return None
        for column in [wanted.input] if wanted.input else sorted(table.columns, key=lambda name: name != "conversations"):
            lists = [row[column] for row in table.rows if isinstance(row.get(column), list)]
            turns = sum(bool(messages) and all(map(_is_turn, messages)) for messages in lists)
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
        messages = fields.get(column)
        if not isinstance(messages, list) or not messages:
            return Text(en=f"has no list of messages in '{column}'", ko=f"'{column}'에 메시지 목록이 없습니다")
        system = fields.get("system")
        before = [{"role": "system", "content": system}] if system else []
        return pair_of_turns([*before, *map(_openai_turn, messages)])

    def write(self, pair: Pair, columns: Columns) -> Json:
        turns: list[Json] = [*pair.input["messages"], {"role": "assistant", "content": pair.target["text"]}]
        return {columns.input or "conversations": [_sharegpt_turn(turn) for turn in turns]}


def _is_turn(message: object) -> bool:
    return isinstance(message, dict) and "from" in message and "value" in message


def _openai_turn(message: Any) -> Any:
    if not _is_turn(message):
        return message
    spoken = {name: value for name, value in message.items() if name == "weight"}
    return {"role": _ROLES.get(message["from"], message["from"]), "content": message["value"], **spoken}


def _sharegpt_turn(turn: Json) -> Json:
    spoken = {name: value for name, value in turn.items() if name == "weight"}
    return {"from": _NAMES[turn["role"]], "value": turn["content"], **spoken}


plugin = ShareGpt()
