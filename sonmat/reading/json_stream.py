"""A JSON document of any size, walked value by value, so that memory grows with the longest value and not with the file.

In: a text stream. Out: the members of an object, the items of a list with the line that each begins in, or whole values. What
is no valid JSON raises with its line and column, at the place where the walk meets it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.reading.encoding import LONGEST_LINE
from sonmat.reading.json_text import decoder

_CHUNK_CHARACTERS = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class Placed:
    """A value, the line that it begins in, and the text that it was written as."""

    line: int
    value: Any
    written: str


class JsonStream:
    """The rest of a document. Every method takes what it gives, so that the next call goes on behind it."""

    def __init__(self, path: Path, stream: TextIO, longest: int = LONGEST_LINE) -> None:
        self._path = path
        self._stream = stream
        self._longest = longest
        self._text = ""
        self._at = 0
        self._ended = False
        self._line = 1
        self._counted = 0
        """`_line` is the line of this position in `_text`; values are counted from the one before, not from the beginning."""
        self._before = 0
        """Characters between the last line break and the beginning of `_text`."""

    def next_sign(self) -> str:
        """The next character that is no white space, not taken; '' behind the last one."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if self._ended:
                return ""
            self._read_on()

    def value(self) -> Placed:
        """The next value, whole.

        Raises:
            DataError: it is no valid JSON, or longer than any row may be.
        """
        self.next_sign()
        while True:
            try:
                value, end = decoder.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._ended:
                    raise self._broken(error.msg, error.pos) from error
            except ValueError as error:
                raise self._broken(str(error), self._at) from error
            except RecursionError as error:
                raise self._broken("nested too deeply", self._at) from error
            else:
                # A number at the very end of what was read may go on.
                if end < len(self._text) or self._ended:
                    placed = Placed(self._line_here(), value, self._text[self._at : end])
                    self._at = end
                    return placed
            if len(self._text) - self._at > self._longest:
                raise self._too_long()
            self._read_on()

    def members(self) -> Iterator[str]:
        """The name of every member of the object that begins here; take its value before asking for the next."""
        self._take("{")
        while self.next_sign() != "}":
            name = self.value().value
            if not isinstance(name, str):
                raise self._broken("Expecting property name enclosed in double quotes", self._at)
            self._take(":")
            yield name
            self._separate("}")
        self._take("}")

    def items(self) -> Iterator[Placed]:
        """Every item of the list that begins here."""
        self._take("[")
        while self.next_sign() != "]":
            yield self.value()
            self._separate("]")
        self._take("]")

    def skip(self) -> None:
        """Pass over the next value; lists and objects without holding more than one item."""
        sign = self.next_sign()
        if sign == "[":
            for _ in self.items():
                pass
        elif sign == "{":
            for _ in self.members():
                self.skip()
        else:
            self.value()

    def end(self) -> None:
        """Assert that nothing follows.

        Raises:
            DataError: something does.
        """
        if self.next_sign():
            raise self._broken("Extra data", self._at)

    def _separate(self, closing: str) -> None:
        sign = self.next_sign()
        if sign == ",":
            self._at += 1
            if self.next_sign() == closing:
                raise self._broken("Illegal trailing comma", self._at)
        elif sign != closing:
            raise self._broken("Expecting ',' delimiter", self._at)

    def _take(self, sign: str) -> None:
        if self.next_sign() != sign:
            raise self._broken(f"Expecting '{sign}'", self._at)
        self._at += 1

    def _read_on(self) -> None:
        """Read as much again as is still unread, so that a long value is tried a few times only."""
        chunk = self._stream.read(max(_CHUNK_CHARACTERS, len(self._text) - self._at))
        self._ended = not chunk
        self._line_here()
        self._before = self._column(self._at) - 1
        self._text, self._at, self._counted = self._text[self._at :] + chunk, 0, 0

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _column(self, position: int) -> int:
        last = self._text.rfind("\n", 0, position)
        return self._before + position + 1 if last < 0 else position - last

    def _broken(self, detail: str, position: int) -> DataError:
        line = self._line_here() + self._text.count("\n", self._at, position)
        column = self._column(position)
        return DataError(
            Text(
                en=f"{self._path}, line {line}, column {column}: not valid JSON ({detail}).",
                ko=f"{self._path} {line}행 {column}번째 글자: 올바른 JSON이 아닙니다({detail}).",
            ),
            Text(en="Mend that line and try again.", ko="그 행을 고친 뒤 다시 시도하세요."),
        )

    def _too_long(self) -> DataError:
        line = self._line_here()
        return DataError(
            Text(
                en=f"{self._path}, line {line}: a value of more than {self._longest:,} characters, or one that is never closed.",
                ko=f"{self._path} {line}행: 값 하나가 {self._longest:,}자를 넘거나 끝나지 않습니다.",
            ),
            Text(
                en="Make each example an item of one list, or write JSON lines (.jsonl).",
                ko="예시마다 한 목록의 항목이 되게 하거나 JSON Lines(.jsonl)로 쓰세요.",
            ),
        )
