"""A JSON document as records: a list of objects, or an object that holds one such list.

In: a path. Out: records, read with flat memory. Rows are numbered by the line that they begin in; of rows that share a line,
each has the number behind the one before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.encoding import Encoding, damaged_text, find_encoding, is_damaged, open_text
from sonmat.reading.json_stream import JsonStream, Placed
from sonmat.reading.json_text import checked_row, kind_of

_LOOKED_AT = 1000
"""Items of a list inside an object: it is the list of rows if an object is among so many first ones."""


def read_json(path: Path) -> Iterator[Record]:
    """Every item of the list of rows.

    Raises:
        DataError: it is no valid JSON, or there is no list of rows, or more than one.
    """
    encoding = find_encoding(path)
    with open_text(path, encoding) as stream:
        document = JsonStream(path, stream)
        sign = document.next_sign()
        if sign == "[":
            yield from _records(path, document.items(), encoding)
        elif sign == "{":
            yield from _rows_of_object(path, document, encoding)
        else:
            found = kind_of(document.value().value)
            raise _no_rows(path, Text(en=f"It holds {found.en}.", ko=f"들어 있는 것은 {found.ko}입니다."))
        document.end()


def _rows_of_object(path: Path, document: JsonStream, encoding: Encoding) -> Iterator[Record]:
    lists: list[str] = []
    names: list[str] = []
    for name in document.members():
        names.append(name)
        if document.next_sign() != "[":
            document.skip()
            continue
        items = document.items()
        first = _until_object(items)
        if first and isinstance(first[-1].value, dict):
            lists.append(name)
            if len(lists) == 1:
                yield from _records(path, _chained(first, items), encoding)
        for _ in items:
            pass
    if len(lists) == 1:
        return
    listed = ", ".join(f"'{name}'" for name in (lists or names)[:8])
    if lists:
        raise _no_rows(
            path, Text(en=f"Several fields hold lists: {listed}.", ko=f"목록을 담은 필드가 여럿입니다: {listed}.")
        )
    raise _no_rows(path, Text(en=f"Its fields are {listed}.", ko=f"필드는 {listed}입니다."))


def _until_object(items: Iterator[Placed]) -> list[Placed]:
    """The items up to the first object, or the first few if there is none among them."""
    first: list[Placed] = []
    for item in items:
        first.append(item)
        if isinstance(item.value, dict) or len(first) == _LOOKED_AT:
            break
    return first


def _chained(first: list[Placed], rest: Iterator[Placed]) -> Iterator[Placed]:
    yield from first
    yield from rest


def _records(path: Path, items: Iterator[Placed], encoding: Encoding) -> Iterator[Record]:
    number = 0
    for item in items:
        number = max(item.line, number + 1)
        source = Source(file=path.name, row=number)
        damaged = is_damaged(item.written, encoding)
        row = damaged_text(encoding) if damaged else checked_row(item.value, item.written)
        yield Record(source=source, problem=row) if isinstance(row, Text) else Record(source=source, fields=row)


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
