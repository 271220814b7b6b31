"""OpenAI's chat rows: {"messages": [{"role", "content"}, ...], "tools"?}, of one or many turns, with `weight` 0 or 1 if given,
calls of tools and their results."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import list_of, parsed
from sonmat.reading.tools import with_tools
from sonmat.reading.turns import pair_of_turns, turns_of_pair


class Messages:
    name = "messages"
    title = Text(en="chat messages (OpenAI)", ko="대화 메시지(OpenAI)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.target is not None:
            return None
        for column in [wanted.input] if wanted.input else sorted(table.columns, key=lambda name: name != "messages"):
            lists = [parsed(row.get(column)) for row in table.rows]
            turns = sum(isinstance(found, list) and bool(found) and all(map(_is_turn, found)) for found in lists)
            if turns * 2 > len(table.rows):
                return Guess(
                    sure=0.98,
                    columns=Columns(input=column),
                    reason=Text(
                        en=f"'{column}' holds lists of messages with role and content",
                        ko=f"'{column}'에 role과 content가 있는 메시지 목록이 있습니다",
                    ),
                )
        return None

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        column = columns.input or "messages"
        messages = list_of(fields, column)
        if isinstance(messages, Text) or not messages:
            return Text(en=f"has no list of messages in '{column}'", ko=f"'{column}'에 메시지 목록이 없습니다")
        pair = pair_of_turns(messages)
        if isinstance(pair, Text):
            return pair
        input = with_tools(pair.input, fields)
        return input if isinstance(input, Text) else Pair(input=input, target=pair.target)

    def write(self, pair: Pair, columns: Columns) -> Json:
        tools = {"tools": pair.input["tools"]} if pair.input.get("tools") else {}
        return {columns.input or "messages": turns_of_pair(pair), **tools}


def _is_turn(message: object) -> bool:
    return (
        isinstance(message, dict)
        and "role" in message
        and bool({"content", "tool_calls", "function_call"} & message.keys())
    )


plugin = Messages()
