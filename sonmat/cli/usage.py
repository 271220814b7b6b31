"""What is wrong with a command line, in words of both languages, from what the parser says in English.

In: the message of a parser's error. Out: the same as a `Text`. The parser has no Korean; a message that is not known here stays
as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from sonmat.core.text import Text

_KINDS: Final = {"argument": "인자", "option": "옵션"}
_VALUE: Final = re.compile(r"Invalid value(?: for (?P<name>.+?))?: (?P<why>.*)", re.DOTALL)
_KOREAN: Final = (
    (r"Missing command\.", "명령을 지정하세요."),
    (r"No such command (?P<name>'.*?')\.(?: Did you mean (?P<near>.*)\?)?", "{name}(이)라는 명령은 없습니다."),
    (r"No such option: (?P<name>\S+)(?: \(Possible options: (?P<near>.*)\))?", "{name} 옵션은 없습니다."),
    (r"Missing (?P<kind>argument|option) (?P<name>.*)\.", "{kind} {name}을(를) 지정하세요."),
    (r"Got unexpected extra arguments?(?:\(s\))? \((?P<name>.*)\)", "쓰이지 않는 인자가 있습니다: {name}."),
    (r"Option (?P<name>'.*') requires an argument\.", "옵션 {name}에 값을 주세요."),
    (r"Option (?P<name>'.*') does not take a value\.", "옵션 {name}에는 값을 줄 수 없습니다."),
)
_WHY: Final = (
    (r"Input should be a valid integer.*", "정수여야 합니다."),
    (r"Input should be a valid number.*", "수여야 합니다."),
    (
        r"(?P<value>'.*?') is not one of (?P<choices>.*)\.",
        "{value}은(는) 쓸 수 없습니다. 다음 가운데 하나를 쓰세요: {choices}.",
    ),
)


def usage_words(message: str) -> Text:
    """`message` of the parser, with Korean where it is a message that parsers have."""
    value = _VALUE.fullmatch(message)
    if value is None:
        return Text(en=message, ko=_translated(message, _KOREAN) or message)
    why = value["why"].removeprefix("Value error, ")
    korean = _translated(why, _WHY) or why
    if value["name"] is None:
        return Text(en=why, ko=korean)
    return Text(en=f"Invalid value for {value['name']}: {why}", ko=f"{value['name']}의 값이 맞지 않습니다: {korean}")


def _translated(message: str, table: Sequence[tuple[str, str]]) -> str | None:
    for pattern, korean in table:
        found = re.fullmatch(pattern, message)
        if found is None:
            continue
        parts = found.groupdict()
        near = f" {parts['near']}을(를) 뜻하셨나요?" if parts.get("near") else ""
        return korean.format(**{**parts, "kind": _KINDS.get(parts.get("kind", ""), "")}) + near
    return None
