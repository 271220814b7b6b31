"""Pairs of one kind as pairs of another, where that makes sense: a text and its label as a turn of chat, say.

In: a pair and the names of two kinds. Out: the new pair with what it lacks of the old one, or the reason why the row has no such
pair. Between which kinds there is a way is `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.cells import number_of
from sonmat.reading.turns import single_turn


@dataclass(frozen=True)
class Changed:
    pair: Pair
    lost: tuple[Text, ...] = ()


def _label_to_chat(pair: Pair) -> Changed | Text:
    return Changed(single_turn(pair.input["text"], pair.target["label"]))


def _labels_to_chat(pair: Pair) -> Changed | Text:
    labels = pair.target["labels"]
    return Changed(single_turn(pair.input["text"], ", ".join(labels))) if labels else _NO_LABEL


def _number_to_chat(pair: Pair) -> Changed | Text:
    return Changed(single_turn(pair.input["text"], _written(pair.target["value"])))


def _question_to_chat(pair: Pair) -> Changed | Text:
    if not pair.target["text"]:
        return Text(en="the context does not answer the question", ko="지문에 답이 없습니다")
    lost = []
    if "start" in pair.target:
        lost.append(Text(en="where the answer stands in the context", ko="지문 속 답의 위치"))
    if pair.target.get("alternatives"):
        lost.append(Text(en="further right answers", ko="다른 정답들"))
    question = f"{pair.input['context']}\n\n{pair.input['question']}"
    return Changed(single_turn(question, pair.target["text"]), tuple(lost))


def _preference_to_chat(pair: Pair) -> Changed | Text:
    lost = Text(en="the answer that was not preferred", ko="선호되지 않은 답")
    return Changed(Pair(input=pair.input, target={"text": pair.target["chosen"]}), (lost,))


def _label_to_labels(pair: Pair) -> Changed | Text:
    return Changed(Pair(input=pair.input, target={"labels": [pair.target["label"]]}))


def _labels_to_label(pair: Pair) -> Changed | Text:
    labels = pair.target["labels"]
    if len(labels) == 1:
        return Changed(Pair(input=pair.input, target={"label": labels[0]}))
    return Text(en="it has several labels", ko="라벨이 여럿입니다") if labels else _NO_LABEL


def _number_to_label(pair: Pair) -> Changed | Text:
    return Changed(Pair(input=pair.input, target={"label": _written(pair.target["value"])}))


def _label_to_number(pair: Pair) -> Changed | Text:
    number = number_of(pair.target, "label")
    if isinstance(number, Text):
        return Text(en="its label is no number", ko="라벨이 숫자가 아닙니다")
    return Changed(Pair(input=pair.input, target={"value": number}))


def _same(pair: Pair) -> Changed | Text:
    return Changed(pair)


_NO_LABEL = Text(en="it has no label", ko="라벨이 없습니다")
Way = Callable[[Pair], Changed | Text]
WAYS: Final[Mapping[tuple[str, str], Way]] = {
    ("text-classification", "chat"): _label_to_chat,
    ("multi-label-classification", "chat"): _labels_to_chat,
    ("text-regression", "chat"): _number_to_chat,
    ("question-answering", "chat"): _question_to_chat,
    ("preference", "chat"): _preference_to_chat,
    ("text-classification", "multi-label-classification"): _label_to_labels,
    ("multi-label-classification", "text-classification"): _labels_to_label,
    ("text-regression", "text-classification"): _number_to_label,
    ("text-classification", "text-regression"): _label_to_number,
}
"""From which kind to which."""


def way(old: str, new: str) -> Way | None:
    """How pairs of the kind `old` become pairs of `new`; None where they cannot."""
    return _same if old == new else WAYS.get((old, new))


def reductions(input: Json) -> list[tuple[Json, Text]]:
    """A conversation with less and less in it, for shapes that have no place for all: weights, tools, the system message."""
    if "messages" not in input:
        return []
    found: list[tuple[Json, Text]] = []
    messages: list[Json] = input["messages"]
    if any("weight" in turn for turn in messages):
        messages = [{name: value for name, value in turn.items() if name != "weight"} for turn in messages]
        input = {**input, "messages": messages}
        found.append((input, Text(en="weights of turns", ko="차례별 weight")))
    if input.get("tools") and not any("tool_calls" in turn for turn in messages):
        input = {name: value for name, value in input.items() if name != "tools"}
        found.append((input, Text(en="the tools that the row offers", ko="행에 적힌 도구 목록")))
    if messages[0]["role"] == "system" and len(messages) > 1:
        input = {**input, "messages": messages[1:]}
        found.append((input, Text(en="the system message", ko="시스템 메시지")))
    return found


def _written(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
