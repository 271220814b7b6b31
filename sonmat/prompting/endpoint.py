"""Asks a model that another machine answers for, in the words that an untuned base is asked in.

In: questions. Out: predictions with the wall seconds of their requests and the tokens that the endpoint counted. Labels are read off
what it writes; words that name none are a wrong answer. Nothing is cut off a question: the endpoint has its own limits. Likelihoods
of references cannot be had, so a question that wants nothing else is not sent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, Final

from sonmat.core.proof import Prediction
from sonmat.core.protocols import Question, Task
from sonmat.core.text import Text
from sonmat.core.values import Json, Spec
from sonmat.inference.endpoint.client import Client
from sonmat.inference.endpoint.kept import Reply
from sonmat.prompting.prompt import Prompt, messages_of
from sonmat.reading.tools import calls_of, target_of

LABEL_ROOM: Final = 16
"""Tokens for naming a label, as for a base of this machine."""
_BYTES_A_TOKEN: Final = 2
"""Fewer than any tokenizer's mean, so that no label is cut."""
_MODELS_NAMED: Final = 3


@dataclass(frozen=True)
class Sending:
    """What is about to leave this machine."""

    requests: int
    characters: int
    """Of all messages together."""


@dataclass
class EndpointPredictor:
    """Asks for a label or for the next turn of a conversation.

    Args:
        room: longest answer in tokens; what the task takes if None.
    """

    client: Client
    task: Task
    spec: Spec
    room: int | None = None
    prompt: Prompt = field(default_factory=Prompt)
    _replies: dict[str, Reply] = field(default_factory=dict)
    _without_label: set[str] = field(default_factory=set)

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        asked = [question for question in questions if question.write]
        for question in questions:
            if not question.write:
                yield Prediction(row=question.row, output={}, seconds=0.0)
        # A pause must end the asking, not only stop listening.
        with closing(self.client.ask([self.body_of(question) for question in asked])) as replies:
            for place, reply in replies:
                yield self._prediction(asked[place].row, reply)

    def body_of(self, question: Question) -> Json:
        """What is sent for a question."""
        messages = messages_of(self.prompt, self.task, question.input, (), self.spec)
        tools = question.input.get("tools")
        return {
            "model": self.client.address.model,
            "messages": plain_messages(messages),
            "temperature": 0,
            "max_tokens": question.max_new_tokens or self._room(),
            **({"tools": tools} if tools else {}),
        }

    def sending(self, questions: Sequence[Question]) -> Sending:
        """What of `questions` has not been answered yet."""
        return sending(self.client, [self.body_of(question) for question in questions if question.write])

    def remarks(self) -> tuple[Text, ...]:
        """What should be known of the answers that it has given."""
        return tuple(_remarks(self._replies, self._without_label, self.client))

    def _room(self) -> int:
        if self.room is not None:
            return self.room
        if self.task.generates:
            return self.spec.max_new_tokens
        longest = max((len(label.encode()) for label in self.spec.labels), default=0)
        return max(LABEL_ROOM, longest // _BYTES_A_TOKEN + 2)

    def _prediction(self, row: str, reply: Reply) -> Prediction:
        output = self._output(reply)
        self._replies[row] = reply
        if output.get("label") == "":
            self._without_label.add(row)
        return Prediction(
            row=row,
            output=output,
            seconds=reply.seconds,
            tokens=reply.output_tokens or 0,
            input_tokens=reply.input_tokens or 0,
        )

    def _output(self, reply: Reply) -> Json:
        calls = calls_of({"tool_calls": list(reply.tool_calls)}, 1) if reply.tool_calls and self.task.generates else []
        if isinstance(calls, list) and calls:
            return {"text": target_of({"content": reply.text.strip(), "tool_calls": calls})["text"]}
        return self.task.parse(reply.text, self.spec)


def sending(client: Client, bodies: Sequence[Json]) -> Sending:
    """What of `bodies` has not been answered yet."""
    missing = client.missing(bodies)
    return Sending(len(missing), sum(characters_of(body) for body in missing))


def characters_of(body: Json) -> int:
    """Characters of the messages, and of the tools that go along."""
    said = sum(len(str(message.get("content") or "")) for message in body["messages"])
    calls = sum(
        len(json.dumps(message["tool_calls"], ensure_ascii=False))
        for message in body["messages"]
        if "tool_calls" in message
    )
    return said + calls + (len(json.dumps(body["tools"], ensure_ascii=False)) if "tools" in body else 0)


def plain_messages(messages: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Messages with the fields alone that the protocol knows. Calls get ids and arguments as text, where a row has none."""
    found: list[Json] = []
    unanswered: list[str] = []
    for message in messages:
        plain: Json = {"role": message["role"], "content": message.get("content") or ""}
        calls = message.get("tool_calls")
        if calls:
            plain["tool_calls"] = [_call(call, f"call_{len(found)}_{number}") for number, call in enumerate(calls)]
            unanswered = [call["id"] for call in plain["tool_calls"]]
        if message["role"] == "tool":
            plain["tool_call_id"] = message.get("tool_call_id") or (unanswered[0] if unanswered else "call_0_0")
            unanswered = [id for id in unanswered if id != plain["tool_call_id"]]
        elif message.get("name"):
            plain["name"] = message["name"]
        found.append(plain)
    return found


def _call(call: Mapping[str, Any], id: str) -> Json:
    arguments = call["function"].get("arguments", "")
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {
        "id": call.get("id") or id,
        "type": "function",
        "function": {"name": call["function"]["name"], "arguments": written},
    }


def _remarks(replies: Mapping[str, Reply], without_label: set[str], client: Client) -> Iterator[Text]:
    total, host = len(replies), client.address.host
    names = sorted({reply.model for reply in replies.values() if reply.model})
    if names and names != [client.address.model]:
        listed = ", ".join(names[:_MODELS_NAMED]) + (" …" if len(names) > _MODELS_NAMED else "")
        yield Text(en=f"{host} says that the answers are of {listed}.", ko=f"{host}에 따르면 답한 모델은 {listed}입니다.")
    if any(reply.own_temperature for reply in replies.values()):
        yield Text(
            en=f"{host} refuses temperature 0, so its answers are drawn at random and would differ another time.",
            ko=f"{host}이(가) temperature 0을 받지 않아 답이 무작위로 뽑혔습니다. 다시 물으면 달라질 수 있습니다.",
        )
    refused = sum(reply.ended in ("refused", "content_filter") for reply in replies.values())
    if refused:
        yield Text(
            en=f"Of {total} questions {host} refused {refused} (too long, or its filter); they count as empty answers.",
            ko=f"질문 {total}개 가운데 {refused}개를 {host}이(가) 거절했습니다(길이나 필터). 빈 답으로 셉니다.",
        )
    cut = sum(reply.ended == "length" for reply in replies.values())
    if cut:
        yield Text(
            en=f"Of {total} answers {cut} ended at the longest length (--set openai.max_new_tokens=N allows more).",
            ko=f"답 {total}개 가운데 {cut}개가 최대 길이에서 잘렸습니다(--set openai.max_new_tokens=N으로 늘릴 수 있습니다).",
        )
    if without_label:
        yield Text(
            en=f"Of {total} answers {len(without_label)} without any of the labels; they count as wrong.",
            ko=f"답 {total}개 가운데 {len(without_label)}개에는 라벨이 없어 오답으로 셉니다.",
        )
    if replies and all(reply.input_tokens is None for reply in replies.values() if reply.ended != "refused"):
        yield Text(
            en=f"{host} does not say how many tokens it counts, so money for its answers cannot be worked out.",
            ko=f"{host}이(가) 토큰 수를 알려 주지 않아 비용을 셈할 수 없습니다.",
        )
    if client.repeated:
        yield Text(
            en=f"{client.repeated} request{'s' * (client.repeated > 1)} had to be repeated, and {client.waited:.0f} s were waited; "
            "times do not count it.",
            ko=f"요청 {client.repeated}번을 다시 했고 {client.waited:.0f}초를 기다렸습니다. 답변 시간에는 넣지 않았습니다.",
        )
