"""Tools in conversations: which there are, how an assistant calls them, and a call as text that metrics can compare.

In: fields of rows and messages as OpenAI writes them, today's `tools` and `tool_calls` and the older `functions` and
`function_call`; generated text. Out: the newer form, or the reason why not. Nothing is ever called.
"""

from __future__ import annotations

import json
import re
from typing import Any

from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.cells import parsed

_MARKED_CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
"""How Hermes, Qwen, SmolLM and many others write a call."""


def tools_of(fields: Json) -> list[Json] | Text:
    """The tools that the row offers; [] for none."""
    given = parsed(fields.get("tools"))
    if given is None or given == "" or given == []:
        functions = parsed(fields.get("functions"))
        if functions is None or functions == "" or functions == []:
            return []
        given = [{"type": "function", "function": function} for function in functions] if _is_list(functions) else functions
    if not _is_list(given):
        return _no_tools
    tools = [tool if "function" in tool else {"type": "function", "function": tool} for tool in given]
    named = all(isinstance(tool["function"], dict) and _is_name(tool["function"].get("name")) for tool in tools)
    return tools if named else _no_tools


def with_tools(input: Json, fields: Json) -> Json | Text:
    """`input` with the tools of the row, if it offers any."""
    tools = tools_of(fields)
    if isinstance(tools, Text):
        return tools
    return {**input, "tools": tools} if tools else input


def calls_of(message: Json, number: int) -> list[Json] | Text:
    """The calls of an assistant's message, in the newer form; [] for none."""
    calls = message.get("tool_calls") or []
    if not calls and message.get("function_call"):
        calls = [{"type": "function", "function": message["function_call"]}]
    if not isinstance(calls, list):
        calls = [calls]
    found = [_call(call) for call in calls]
    whole = [call for call in found if call is not None]
    if len(whole) < len(found):
        return Text(
            en=f"message {number} calls a tool without naming it and its arguments",
            ko=f"{number}번째 메시지의 도구 호출에 이름이나 인자가 없습니다",
        )
    return whole


def calls_as_text(calls: list[Json]) -> str:
    """Calls as one line of JSON that is equal for equal calls, however their arguments are written."""
    plain = [{"arguments": _arguments(call), "name": call["function"]["name"]} for call in calls]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True)


def text_with_calls(text: str) -> str:
    """Generated `text` with marked calls in it written as `calls_as_text` does; other text as it is."""
    calls: list[Json] = []
    for marked in _MARKED_CALL.findall(text):
        call = _call({"function": parsed(marked)})
        if call is None:
            return text
        calls.append(call)
    if not calls:
        return text
    said = _MARKED_CALL.sub("", text).strip()
    return _both(said, calls_as_text(calls))


def target_of(turn: Json) -> Json:
    """The target that an assistant's turn gives: its text, and its calls, which stand in the text too."""
    calls = turn.get("tool_calls")
    if not calls:
        return {"text": turn["content"]}
    return {"text": _both(turn["content"], calls_as_text(calls)), "tool_calls": calls}


def turn_of(target: Json) -> Json:
    """The assistant's turn that `target_of` made the target of."""
    calls = target.get("tool_calls")
    if not calls:
        return {"role": "assistant", "content": target["text"]}
    said = target["text"].removesuffix(calls_as_text(calls)).removesuffix("\n")
    return {"role": "assistant", "content": said, "tool_calls": calls}


def arguments_as_objects(message: Json) -> Json:
    """`message` with the arguments of its calls as objects, which is how chat templates want them."""
    calls = message.get("tool_calls")
    if not calls:
        return message
    opened = [{**call, "function": {**call["function"], "arguments": _arguments(call)}} for call in calls]
    return {**message, "tool_calls": opened}


def _is_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _call(call: Any) -> Json | None:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not _is_name(function.get("name")):
        return None
    arguments = function.get("arguments", {})
    if not isinstance(arguments, str | dict):
        return None
    id = {"id": call["id"]} if isinstance(call.get("id"), str) else {}
    return {**id, "type": "function", "function": {"name": function["name"], "arguments": arguments}}


def _arguments(call: Json) -> Any:
    return parsed(call["function"]["arguments"])


def _both(said: str, calls: str) -> str:
    return f"{said}\n{calls}" if said else calls


_no_tools = Text(
    en="offers tools in another form than OpenAI's: a list of {'type': 'function', 'function': {'name', ...}}",
    ko="tools의 꼴이 OpenAI와 다릅니다. {'type': 'function', 'function': {'name', ...}}의 목록이어야 합니다",
)
