"""A format: questions and answers in a plain text file (`.qa`), one pair a block, blocks apart by an empty line.

Q: When do you open?
A: At nine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.encoding import find_encoding, open_text
from sonmat.runs.files import replacing


class QaText:
    name = "qa_text"
    title = Text(en="question and answer text", ko="질문·답변 텍스트")
    suffixes: tuple[str, ...] = (".qa",)
    precedence = 0
    holds: Holds = "text"

    def matches(self, path: Path) -> bool:
        return path.suffix == ".qa"

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path).title
        return Text(en=f"questions and answers in blocks, {encoding}", ko=f"질문과 답변 묶음, {encoding}")

    def read(self, path: Path) -> Iterator[Record]:
        block: list[str] = []
        start = 1
        # Sonmat's own reading room finds the encoding (UTF-8, UTF-16, CP949) and refuses an empty file.
        with open_text(path, find_encoding(path)) as text:
            lines = [*text.read().split("\n"), ""]
        for number, line in enumerate(lines, start=1):
            if line:
                start = start if block else number
                block.append(line)
            elif block:
                yield _record(block, Source(file=path.name, row=start))
                block = []

    def write(self, records: Iterable[Record], path: Path) -> None:
        blocks = [
            "\n".join(f"{name}: {escaped(str(value))}" for name, value in record.fields.items()) for record in records
        ]
        with replacing(path) as stream:
            stream.write("\n\n".join(blocks) + "\n")


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _record(block: list[str], source: Source) -> Record:
    fields: dict[str, str] = {}
    for line in block:
        name, mark, text = line.partition(": ")
        if not mark:
            return Record(
                source=source,
                problem=Text(en=f"'{line}' has no name before a colon", ko=f"'{line}'에 콜론 앞 이름이 없습니다"),
            )
        fields[name] = _unescaped(text)
    return Record(source=source, fields=fields)


def _unescaped(text: str) -> str:
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text):
            out.append({"n": "\n", "r": "\r"}.get(text[at + 1], text[at + 1]))
            at += 2
        else:
            out.append(text[at])
            at += 1
    return "".join(out)


plugin = QaText()
