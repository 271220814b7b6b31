"""A JSON document: a list of objects, or an object that holds one such list. Rows are numbered by the line that they begin in,
or counted from 1 where they share lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.encoding import find_encoding
from sonmat.reading.json_file import read_json
from sonmat.reading.json_text import looks_like_one_document
from sonmat.runs.files import replacing


class JsonDocument:
    name = "json"
    title = Text(en="JSON", ko="JSON")
    suffixes: tuple[str, ...] = (".json",)
    holds: Holds = "json"
    precedence = 0

    def matches(self, path: Path) -> bool:
        named = path.suffix.lower() in (".json", ".jsonl", ".ndjson")
        return named and path.is_file() and looks_like_one_document(path)

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path).title
        return Text(en=f"JSON, {encoding}", ko=f"JSON, {encoding}")

    def read(self, path: Path) -> Iterator[Record]:
        return read_json(path)

    def write(self, records: Iterable[Record], path: Path) -> None:
        with replacing(path) as stream:
            stream.write("[")
            for number, record in enumerate(records):
                stream.write(("," if number else "") + "\n" + json.dumps(record.fields, ensure_ascii=False))
            stream.write("\n]\n")


plugin = JsonDocument()
