"""JSON lines: one JSON object a line, also under the name .json. Rows are numbered by their line.

A line that is no JSON object becomes a record with a problem; blank lines are no rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.encoding import find_encoding
from sonmat.reading.json_text import looks_like_one_document, read_json_lines
from sonmat.runs.files import replacing


class JsonLines:
    name = "jsonl"
    title = Text(en="JSON lines", ko="JSON Lines")
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")
    holds: Holds = "json"
    precedence = 0

    def matches(self, path: Path) -> bool:
        named = path.suffix.lower() in (*self.suffixes, ".json")
        return named and path.is_file() and not looks_like_one_document(path)

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path).title
        return Text(en=f"JSON lines, {encoding}", ko=f"JSON Lines, {encoding}")

    def read(self, path: Path) -> Iterator[Record]:
        return read_json_lines(path)

    def write(self, records: Iterable[Record], path: Path) -> None:
        with replacing(path) as stream:
            for record in records:
                stream.write(json.dumps(record.fields, ensure_ascii=False) + "\n")


plugin = JsonLines()
