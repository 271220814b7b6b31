"""JSON as rows: parses one row, and tells a document from lines.

In: text. Out: JSON objects, or the reason why there is none. NaN and Infinity are refused, because they are not JSON and no
other program would read them back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from sonmat.core.text import Text
from sonmat.core.values import Json, Record, Source
from sonmat.reading.encoding import (
    LONGEST_LINE,
    TooLong,
    bounded_lines,
    damaged_text,
    find_encoding,
    has_lone_surrogate,
    is_damaged,
    open_text,
    too_long_line,
)

_HEAD_CHARACTERS = 1 << 20
_TOKEN = re.compile(r'[{}\[\]]|"(?P<name>(?:[^"\\]|\\.)*)"\s*:|"(?:[^"\\]|\\.)*"')


def looks_like_one_document(path: Path) -> bool:
    """Whether the file is a single JSON value (a list, or one object over all lines) and not a value a line.

    Raises:
        DataError: the file cannot be read as text.
    """
    expected = path.suffix.lower() == ".json"
    with open_text(path, find_encoding(path)) as stream:
        first = _next_filled(stream)
        second = _next_filled(stream)
    if first.startswith("["):
        return True
    if first.startswith("{") and isinstance(parse_row(first), dict):
        return expected and not second
    # A broken first row of JSON lines is still a row; a document breaks off where it goes on in the next line.
    return expected or (first.startswith("{") and first.endswith(("{", "[", ",", ":")))


def has_members(path: Path, wanted: Collection[str], known: Collection[str], within: str) -> bool:
    """Whether a document begins as an object that has one of the `wanted` members, none but `known` ones, and `within` an inner one.

    Only the beginning is looked at.

    Raises:
        DataError: the file cannot be read as text.
    """
    with open_text(path, find_encoding(path)) as stream:
        head = stream.read(_HEAD_CHARACTERS)
    if not head.lstrip().startswith("{") or f'"{within}"' not in head:
        return False
    outer: list[str] = []
    depth = 0
    for found in _TOKEN.finditer(head):
        sign = found[0][0]
        if sign in "{[":
            depth += 1
        elif sign in "}]":
            depth -= 1
        elif depth == 1 and found["name"] is not None:
            outer.append(found["name"])
    return any(name in wanted for name in outer) and all(name in known for name in outer)


def _next_filled(stream: TextIO) -> str:
    """The next line that is not blank, without white space around it; only the beginning of one that is too long."""
    while line := stream.readline(LONGEST_LINE):
        if line.strip():
            return line.strip()
    return ""


def read_json_lines(path: Path) -> Iterator[Record]:
    """Every line that is not blank as a record.

    Raises:
        DataError: the file cannot be read as text.
    """
    encoding = find_encoding(path)
    with open_text(path, encoding) as stream:
        for number, line in enumerate(bounded_lines(stream), start=1):
            if type(line) is TooLong:
                yield Record(source=Source(file=path.name, row=number), problem=too_long_line())
            elif not line.isspace():
                row = damaged_text(encoding) if is_damaged(line, encoding) else parse_row(line)
                source = Source(file=path.name, row=number)
                yield Record(source=source, problem=row) if isinstance(row, Text) else Record(source=source, fields=row)


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
    return checked_row(value, text)


def checked_row(value: Any, written: str) -> Json | Text:
    """`value`, which stood as `written`, if it is an object whose texts can be written again; else why not."""
    if not isinstance(value, dict):
        found = kind_of(value)
        return Text(
            en=f'holds {found.en} where an object with named fields is expected, e.g. {{"text": "...", "label": "..."}}',
            ko=f'객체가 아니라 {found.ko}입니다. {{"text": "...", "label": "..."}}처럼 필드에 이름이 있어야 합니다',
        )
    # Half a character comes from an escape only, and most rows have none.
    if "\\u" in written and has_lone_surrogate(json.dumps(value, ensure_ascii=False)):
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


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


decoder = json.JSONDecoder(parse_constant=_refuse)
"""Python's decoder without NaN and Infinity."""
