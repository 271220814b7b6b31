"""Conversations as pairs: what was said up to the last question, and the answer to it.

In: messages with role and content. Out: the pair of the chat task, or the reason why the conversation cannot be used. Roles
must take turns, because chat templates refuse or garble anything else; it does not repair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Json

_ROLES = ("system", "user", "assistant")


def single_turn(question: str, answer: str, system: Any = None) -> Pair:
    """One question and its answer, behind a system message if `system` is a text."""
    before = [{"role": "system", "content": system}] if system and isinstance(system, str) else []
    return Pair(input={"messages": [*before, {"role": "user", "content": question}]}, target={"text": answer})


@dataclass(frozen=True)
class SingleTurn:
    question: str
    answer: str
    system: str | None


def single_turn_of(pair: Pair, shape: Text) -> SingleTurn:
    """The parts of a pair of one turn.

    Raises:
        DataError: it has more turns than `shape` can hold.
    """
    messages: list[Json] = pair.input["messages"]
    system = messages[0]["content"] if messages[0]["role"] == "system" else None
    if len(messages) != (1 if system is None else 2):
        raise cannot_hold(shape, Text(en="a conversation of several turns", ko="여러 차례의 대화"))
    return SingleTurn(messages[-1]["content"], pair.target["text"], system)


def cannot_hold(shape: Text, what: Text) -> DataError:
    """The error for writing something in a shape that has no place for it."""
    return DataError(
        Text(
            en=f"Rows of {shape.en} cannot hold {what.en}.", ko=f"{shape.ko} 꼴의 행에는 {what.ko}을(를) 담을 수 없습니다."
        ),
        Text(en="Write them as chat messages (OpenAI) instead.", ko="대신 대화 메시지(OpenAI) 꼴로 쓰세요."),
    )


def pair_of_turns(messages: list[Any]) -> Pair | Text:
    """The pair whose target is the last assistant turn; earlier ones stay in the input with their `weight`."""
    turns: list[Json] = []
    for number, message in enumerate(messages, start=1):
        turn = _turn(message, number)
        if isinstance(turn, Text):
            return turn
        turns.append(turn)
    problem = _order_problem(turns)
    if problem is not None:
        return problem
    if turns[-1].get("weight") == 0:
        return Text(
            en="ends with an assistant turn of weight 0, so there is nothing to learn from it",
            ko="마지막 assistant 차례의 weight가 0이어서 배울 것이 없습니다",
        )
    return Pair(input={"messages": turns[:-1]}, target={"text": turns[-1]["content"]})


def _turn(message: Any, number: int) -> Json | Text:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return Text(en=f"message {number} has no role", ko=f"{number}번째 메시지에 role이 없습니다")
    role = message["role"]
    if role not in _ROLES:
        return Text(
            en=f"message {number} has the role '{role}'; known are {', '.join(_ROLES)}",
            ko=f"{number}번째 메시지의 role이 '{role}'입니다. 쓸 수 있는 값: {', '.join(_ROLES)}",
        )
    content = _content(message.get("content"))
    if content is None:
        return Text(en=f"message {number} has no text", ko=f"{number}번째 메시지에 글이 없습니다")
    if message.get("tool_calls") or message.get("function_call"):
        return Text(en=f"message {number} calls a tool, not text", ko=f"{number}번째 메시지는 글이 아니라 도구 호출입니다")
    weight = message.get("weight")
    if weight is None:
        return {"role": role, "content": content}
    if weight not in (0, 1) or role != "assistant":
        return Text(
            en=f"message {number} has weight {weight!r}; only assistant turns have one, 0 or 1",
            ko=f"{number}번째 메시지의 weight가 {weight!r}입니다. assistant 차례에만 0 또는 1을 쓸 수 있습니다",
        )
    return {"role": role, "content": content, "weight": int(weight)}


def _content(content: Any) -> str | None:
    if (
        isinstance(content, list)
        and content
        and all(isinstance(part, dict) and part.get("type") == "text" for part in content)
    ):
        texts = [part.get("text") for part in content]
        return "".join(texts) if all(isinstance(text, str) for text in texts) else None
    return content if isinstance(content, str) else None


def _order_problem(turns: list[Json]) -> Text | None:
    roles = [turn["role"] for turn in turns]
    spoken = roles[1:] if roles[:1] == ["system"] else roles
    if not spoken or spoken[-1] != "assistant":
        return Text(
            en="does not end with an assistant turn, so there is no answer to learn",
            ko="assistant 차례로 끝나지 않아 배울 답이 없습니다",
        )
    first = len(roles) - len(spoken) + 1
    for number, (role, expected) in enumerate(zip(spoken, ("user", "assistant") * len(spoken), strict=False), start=first):
        if role != expected:
            return Text(
                en=f"message {number} is from '{role}' where '{expected}' is expected; user and assistant must take turns",
                ko=f"{number}번째 메시지는 '{expected}' 차례인데 '{role}'입니다. user와 assistant가 번갈아 나와야 합니다",
            )
    return None
