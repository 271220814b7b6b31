"""A JSON document: a list of objects, or an object that holds one such list. Rows are numbered by the line that they begin in,
or counted from 1 where they share lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.encoding import find_encoding, is_damaged, open_text
from sonmat.reading.json_text import checked_row, decoder, items, kind_of, looks_like_one_document, members
from sonmat.runs.files import replacing


class JsonDocument:
    name = "json"
    title = Text(en="JSON", ko="JSON")
    suffixes: tuple[str, ...] = (".json",)
    holds: Holds = "json"

    def matches(self, path: Path) -> bool:
        named = path.suffix.lower() in (".json", ".jsonl", ".ndjson")
        return named and path.is_file() and looks_like_one_document(path)

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path).title
        return Text(en=f"JSON, {encoding}", ko=f"JSON, {encoding}")

    def read(self, path: Path) -> Iterator[Record]:
        text = _whole_text(path)
        rows = _find_rows(path, text)
        for number, placed in enumerate(items(text, rows.start), start=1):
            source = Source(file=path.name, row=placed.line if rows.on_lines else number)
            row = checked_row(placed.value)
            yield Record(source=source, problem=row) if isinstance(row, Text) else Record(source=source, fields=row)

    def write(self, records: Iterable[Record], path: Path) -> None:
        with replacing(path) as stream:
            stream.write("[")
            for number, record in enumerate(records):
                stream.write(("," if number else "") + "\n" + json.dumps(record.fields, ensure_ascii=False))
            stream.write("\n]\n")


def _whole_text(path: Path) -> str:
    encoding = find_encoding(path)
    with open_text(path, encoding) as stream:
        text = stream.read()
    if is_damaged(text, encoding):
        lines = [number for number, line in enumerate(text.split("\n"), start=1) if is_damaged(line, encoding)]
        raise DataError(
            Text(
                en=f"{path} has characters that are broken in {encoding.title}, first in line {lines[0]} "
                f"({len(lines)} lines in all).",
                ko=f"{path}에 {encoding.title}로 읽을 수 없는 깨진 글자가 있습니다. 처음 나오는 곳은 {lines[0]}행이고 "
                f"모두 {len(lines)}행입니다.",
            ),
            Text(
                en="Mend these lines, or save the file again as UTF-8.",
                ko="해당 행을 고치거나 파일을 UTF-8로 다시 저장하세요.",
            ),
        )
    return text


@dataclass(frozen=True)
class _Rows:
    """Where the list of rows starts, and whether there are lines enough to number the rows by."""

    start: int
    on_lines: bool


def _find_rows(path: Path, text: str) -> _Rows:
    document = _parsed(path, text)
    start = len(text) - len(text.lstrip())
    breaks = text.count("\n")
    if isinstance(document, list):
        return _Rows(start, breaks >= len(document))
    if not isinstance(document, dict):
        found = kind_of(document)
        raise _no_rows(path, Text(en=f"It holds {found.en}.", ko=f"들어 있는 것은 {found.ko}입니다."))
    lists = [
        name for name, value in document.items() if isinstance(value, list) and any(isinstance(v, dict) for v in value)
    ]
    if len(lists) == 1:
        position = next(position for name, position in members(text, start) if name == lists[0])
        return _Rows(position, breaks >= len(document[lists[0]]))
    names = ", ".join(f"'{name}'" for name in list(lists or document)[:8])
    if lists:
        raise _no_rows(path, Text(en=f"Several fields hold lists: {names}.", ko=f"목록을 담은 필드가 여럿입니다: {names}."))
    raise _no_rows(path, Text(en=f"Its fields are {names}.", ko=f"필드는 {names}입니다."))


def _parsed(path: Path, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        where = Text(
            en=f"{path}, line {error.lineno}, column {error.colno}: not valid JSON ({error.msg}).",
            ko=f"{path} {error.lineno}행 {error.colno}번째 글자: 올바른 JSON이 아닙니다({error.msg}).",
        )
    except ValueError as error:
        where = Text(en=f"{path}: not valid JSON ({error}).", ko=f"{path}: 올바른 JSON이 아닙니다({error}).")
    except RecursionError:
        where = Text(en=f"{path} is nested too deeply.", ko=f"{path}이(가) 너무 깊게 중첩되어 있습니다.")
    raise DataError(where, Text(en="Mend that line and try again.", ko="그 행을 고친 뒤 다시 시도하세요."))


def _no_rows(path: Path, found: Text) -> DataError:
    return DataError(
        Text(en=f"{path} has no list of rows. {found.en}", ko=f"{path}에 행의 목록이 없습니다. {found.ko}"),
        Text(
            en='Expected: [{"text": "...", "label": "..."}, ...], or one such list inside an object. '
            'With pandas: df.to_json(path, orient="records").',
            ko='[{"text": "...", "label": "..."}, ...] 꼴이거나 객체 안에 그런 목록이 하나 있어야 합니다. '
            'pandas라면 df.to_json(path, orient="records")로 저장하세요.',
        ),
    )


plugin = JsonDocument()
