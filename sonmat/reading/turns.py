"""Conversations as pairs: what was said up to the last question, and the answer to it.

In: messages with role and content, calls of tools and their results. Out: the pair of the chat task, or the reason why the
conversation cannot be used. Roles must take turns, because chat templates refuse or garble anything else; it does not repair.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.tools import calls_of, target_of, turn_of

_ROLES = ("system", "user", "assistant", "tool")
_PLAIN_ROLES = ("user", "assistant", "system")
_OLDER_NAMES = {"developer": "system", "function": "tool"}


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
        DataError: it has more turns than `shape` can hold, or tools.
    """
    refuse_tools(pair, shape)
    messages: list[Json] = pair.input["messages"]
    system = messages[0]["content"] if messages[0]["role"] == "system" else None
    if len(messages) != (1 if system is None else 2):
        raise cannot_hold(shape, SEVERAL_TURNS)
    return SingleTurn(messages[-1]["content"], pair.target["text"], system)


def refuse_tools(pair: Pair, shape: Text) -> None:
    """Raises `DataError` for a conversation with tools, which few shapes have a place for."""
    calls = "tool_calls" in pair.target or any(turn["role"] == "tool" for turn in pair.input["messages"])
    if calls:
        raise cannot_hold(shape, TOOL_CALLS)
    if pair.input.get("tools"):
        raise cannot_hold(shape, TOOLS)


def refuse_weights(pair: Pair, shape: Text) -> None:
    if any("weight" in turn for turn in pair.input["messages"]):
        raise cannot_hold(shape, WEIGHTS)


SEVERAL_TURNS = Text(en="a conversation of several turns", ko="여러 차례의 대화")
WEIGHTS = Text(en="weights of turns", ko="차례별 weight")
TOOLS = Text(en="the tools that a row offers", ko="행에 적힌 도구 목록")
TOOL_CALLS = Text(en="calls of tools and their results", ko="도구 호출과 그 결과")


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
    turns = turns_of(messages)
    if isinstance(turns, Text):
        return turns
    problem = _order_problem(turns) or _no_answer(turns)
    if problem is not None:
        return problem
    return Pair(input={"messages": turns[:-1]}, target=target_of(turns[-1]))


def turns_of_pair(pair: Pair) -> list[Json]:
    """The whole conversation that `pair_of_turns` made the pair of."""
    return [*pair.input["messages"], turn_of(pair.target)]


def question_of(messages: list[Any]) -> list[Json] | Text:
    """Turns that wait for the assistant's answer."""
    turns = turns_of(messages)
    if isinstance(turns, Text):
        return turns
    return _order_problem([*turns, {"role": "assistant", "content": ""}]) or turns


def is_conversation(value: Any) -> bool:
    """Whether it is a list of messages with roles, in order or not."""
    return isinstance(value, list) and bool(value) and all(isinstance(turn, dict) and "role" in turn for turn in value)


def turns_of(messages: list[Any]) -> list[Json] | Text:
    """Messages in one form, whatever their order: content as text, calls of tools in the newer form."""
    turns: list[Json] = []
    for number, message in enumerate(messages, start=1):
        turn = _turn(message, number)
        if isinstance(turn, Text):
            return turn
        turns.append(turn)
    return turns


def _turn(message: Any, number: int) -> Json | Text:
    if type(message) is dict and len(message) == 2:
        role, content = message.get("role"), message.get("content")
        if role in _PLAIN_ROLES and type(content) is str:
            # Nearly every turn there is.
            return {"role": role, "content": content}
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        return Text(en=f"message {number} has no role", ko=f"{number}번째 메시지에 role이 없습니다")
    role = _OLDER_NAMES.get(message["role"], message["role"])
    if role not in _ROLES:
        return Text(
            en=f"message {number} has the role '{role}'; known are {', '.join(_ROLES)}",
            ko=f"{number}번째 메시지의 role이 '{role}'입니다. 쓸 수 있는 값: {', '.join(_ROLES)}",
        )
    calls = calls_of(message, number) if role == "assistant" else []
    if isinstance(calls, Text):
        return calls
    content = _content(message.get("content"))
    if content is None:
        if not calls or message.get("content"):
            return Text(en=f"message {number} has no text", ko=f"{number}번째 메시지에 글이 없습니다")
        content = ""
    turn: Json = {"role": role, "content": content}
    if calls:
        turn["tool_calls"] = calls
    if role == "tool":
        turn.update({name: message[name] for name in ("tool_call_id", "name") if isinstance(message.get(name), str)})
    return _weighted(turn, message.get("weight"), number)


def _weighted(turn: Json, weight: Any, number: int) -> Json | Text:
    if weight is None:
        return turn
    if weight not in (0, 1) or turn["role"] != "assistant":
        return Text(
            en=f"message {number} has weight {weight!r}; only assistant turns have one, 0 or 1",
            ko=f"{number}번째 메시지의 weight가 {weight!r}입니다. assistant 차례에만 0 또는 1을 쓸 수 있습니다",
        )
    return {**turn, "weight": int(weight)}


def _content(content: Any) -> str | None:
    if (
        isinstance(content, list)
        and content
        and all(isinstance(part, dict) and part.get("type") == "text" for part in content)
    ):
        texts = [part.get("text") for part in content]
        return "".join(texts) if all(isinstance(text, str) for text in texts) else None
    return content if isinstance(content, str) else None


def _no_answer(turns: list[Json]) -> Text | None:
    if turns[-1].get("weight") == 0:
        return Text(
            en="ends with an assistant turn of weight 0, so there is nothing to learn from it",
            ko="마지막 assistant 차례의 weight가 0이어서 배울 것이 없습니다",
        )
    return None


def _order_problem(turns: list[Json]) -> Text | None:
    """Who must speak next: the user, the assistant, after a call the tool, and after its results the assistant again."""
    first = 1 if turns[:1] and turns[0]["role"] == "system" else 0
    spoken = turns[first:]
    if not spoken or spoken[-1]["role"] != "assistant":
        return Text(
            en="does not end with an assistant turn, so there is no answer to learn",
            ko="assistant 차례로 끝나지 않아 배울 답이 없습니다",
        )
    expected: tuple[str, ...] = ("user",)
    for number, turn in enumerate(spoken, start=first + 1):
        role = turn["role"]
        if role not in expected:
            return _out_of_turn(number, role, expected[0])
        if role == "assistant":
            expected = ("tool",) if "tool_calls" in turn else ("user",)
        else:
            expected = ("assistant",) if role == "user" else ("assistant", "tool")
    return None


def _out_of_turn(number: int, role: str, expected: str) -> Text:
    if role == "tool":
        return Text(
            en=f"message {number} has the role 'tool', but the assistant called none just before",
            ko=f"{number}번째 메시지의 role이 'tool'인데 바로 앞에서 assistant가 도구를 부르지 않았습니다",
        )
    return Text(
        en=f"message {number} is from '{role}' where '{expected}' is expected; user and assistant must take turns",
        ko=f"{number}번째 메시지는 '{expected}' 차례인데 '{role}'입니다. user와 assistant가 번갈아 나와야 합니다",
    )
