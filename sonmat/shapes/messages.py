"""OpenAI's chat rows: {"messages": [{"role", "content"}, ...]}, of one or many turns, with `weight` 0 or 1 if given."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.turns import pair_of_turns


class Messages:
    name = "messages"
    title = Text(en="chat messages (OpenAI)", ko="대화 메시지(OpenAI)")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.target is not None:
            return None
        for column in [wanted.input] if wanted.input else sorted(table.columns, key=lambda name: name != "messages"):
            lists = [row[column] for row in table.rows if isinstance(row.get(column), list)]
            turns = sum(bool(messages) and all(map(_is_turn, messages)) for messages in lists)
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
        messages = fields.get(column)
        if not isinstance(messages, list) or not messages:
            return Text(en=f"has no list of messages in '{column}'", ko=f"'{column}'에 메시지 목록이 없습니다")
        return pair_of_turns(messages)

    def write(self, pair: Pair, columns: Columns) -> Json:
        answer = {"role": "assistant", "content": pair.target["text"]}
        return {columns.input or "messages": [*pair.input["messages"], answer]}


def _is_turn(message: object) -> bool:
    return isinstance(message, dict) and "role" in message and "content" in message


plugin = Messages()
