"""JSON as rows: parses one row, tells a document from lines, and walks a list without losing the line numbers.

In: text. Out: JSON objects, or the reason why there is none. NaN and Infinity are refused, because they are not JSON and no
other program would read them back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.encoding import find_encoding, has_lone_surrogate, open_text

_SPACE = re.compile(r"[ \t\r\n]*")


def looks_like_one_document(path: Path) -> bool:
    """Whether the file is a single JSON value (a list, or one object over all lines) and not a value a line.

    Raises:
        DataError: the file cannot be read as text.
    """
    expected = path.suffix.lower() == ".json"
    with open_text(path, find_encoding(path)) as lines:
        filled = (line.strip() for line in lines if line.strip())
        first = next(filled, "")
        second = next(filled, "")
    if first.startswith("["):
        return True
    if first.startswith("{") and isinstance(parse_row(first), dict):
        return expected and not second
    # A broken first row of JSON lines is still a row; a document breaks off where it goes on in the next line.
    return expected or (first.startswith("{") and first.endswith(("{", "[", ",", ":")))


def parse_row(text: str) -> Json | Text:
    """One JSON object, or why `text` is none."""
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError as error:
        return Text(
            en=f"is not valid JSON: {error.msg} at column {error.colno}",
            ko=f"올바른 JSON이 아닙니다: {error.colno}번째 글자에서 {error.msg}",
        )
    except ValueError as error:
        return Text(en=f"is not valid JSON: {error}", ko=f"올바른 JSON이 아닙니다: {error}")
    except RecursionError:
        return Text(en="is nested too deeply", ko="너무 깊게 중첩되어 있습니다")
    return checked_row(value)


def checked_row(value: Any) -> Json | Text:
    """`value` if it is an object whose texts can be written again, else why not."""
    if not isinstance(value, dict):
        found = kind_of(value)
        return Text(
            en=f'holds {found.en} where an object with named fields is expected, e.g. {{"text": "...", "label": "..."}}',
            ko=f'객체가 아니라 {found.ko}입니다. {{"text": "...", "label": "..."}}처럼 필드에 이름이 있어야 합니다',
        )
    if has_lone_surrogate(json.dumps(value, ensure_ascii=False)):
        return Text(
            en="holds half of a character (a lone surrogate)", ko="반쪽짜리 글자(짝 없는 서로게이트)가 들어 있습니다"
        )
    return value


def kind_of(value: Any) -> Text:
    """What a JSON value is, in words."""
    kinds = {
        dict: Text(en="an object", ko="객체"),
        list: Text(en="a list", ko="목록"),
        str: Text(en="a text", ko="글자열"),
        bool: Text(en="true or false", ko="참·거짓 값"),
        int: Text(en="a number", ko="숫자"),
        float: Text(en="a number", ko="숫자"),
        type(None): Text(en="nothing (null)", ko="빈 값(null)"),
    }
    return kinds[type(value)]


@dataclass(frozen=True)
class Placed:
    """A value of a list and the line that it begins in."""

    line: int
    value: Any


def members(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Name and start of the value of every member of the object at `start`; `text` must be valid JSON."""
    position = _after_space(text, start + 1)
    while text[position] == '"':
        name, position = decoder.raw_decode(text, position)
        position = _after_space(text, _after_space(text, position) + 1)
        yield name, position
        _, position = decoder.raw_decode(text, position)
        position = _after_space(text, position)
        if text[position] == "}":
            return
        position = _after_space(text, position + 1)


def items(text: str, start: int) -> Iterator[Placed]:
    """Every value of the list at `start`, one at a time; `text` must be valid JSON."""
    line = 1 + text.count("\n", 0, start)
    counted = start
    position = _after_space(text, start + 1)
    while text[position] != "]":
        line += text.count("\n", counted, position)
        counted = position
        value, position = decoder.raw_decode(text, position)
        yield Placed(line, value)
        position = _after_space(text, position)
        if text[position] == ",":
            position = _after_space(text, position + 1)


def _after_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


decoder = json.JSONDecoder(parse_constant=_refuse)
"""Python's decoder without NaN and Infinity."""
