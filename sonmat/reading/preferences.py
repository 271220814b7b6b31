"""Preference pairs from whatever way an answer is written: a text, one message, or a conversation that ends with it.

In: the conversation so far and two answers. Out: the pair of the `preference` kind, or the reason why there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.cells import parsed, text_of
from sonmat.reading.tools import target_of, with_tools
from sonmat.reading.turns import is_conversation, question_of, turns_of


def preference_pair(asked: list[Any], chosen: str, rejected: str, fields: Json) -> Pair | Text:
    """The pair of a conversation and its two answers; `fields` may offer tools."""
    messages = question_of(asked)
    if isinstance(messages, Text):
        return messages
    input = with_tools({"messages": messages}, fields)
    return input if isinstance(input, Text) else Pair(input=input, target={"chosen": chosen, "rejected": rejected})


@dataclass(frozen=True)
class Ending:
    """An answer, and what was said before it where the same field tells."""

    before: list[Json]
    answer: str


def ending_of(fields: Json, column: str) -> Ending | Text:
    """The answer in a column: its text, or the last of its messages."""
    value = parsed(fields.get(column))
    if isinstance(value, dict):
        value = [value]
    if not is_conversation(value):
        text = text_of(fields, column)
        return text if isinstance(text, Text) else Ending([], text)
    turns = turns_of(value)
    if isinstance(turns, Text):
        return Text(en=f"'{column}': {turns.en}", ko=f"'{column}': {turns.ko}")
    if turns[-1]["role"] != "assistant":
        return Text(
            en=f"'{column}' does not end with an assistant turn", ko=f"'{column}'이(가) assistant 차례로 끝나지 않습니다"
        )
    return Ending(turns[:-1], target_of(turns[-1])["text"])
