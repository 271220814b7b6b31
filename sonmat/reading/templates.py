"""A prompt written with columns in braces: '{audience} 고객에게 보내는 {occasion} 문구를 써 줘'. Doubled braces stand for themselves.

In: the template's text, and the fields of rows. Out: the prompt of each row, or the reason why it has none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sonmat.core.errors import SettingError
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.cells import text_of

_PIECE = re.compile(r"\{\{|\}\}|\{([^{}]+)\}|[{}]|[^{}]+")


@dataclass(frozen=True)
class _Column:
    name: str


@dataclass(frozen=True)
class Template:
    text: str
    """As it was written; also the name of the column that it makes."""
    pieces: tuple[str | _Column, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns in it, each once."""
        return tuple(dict.fromkeys(piece.name for piece in self.pieces if isinstance(piece, _Column)))

    def fill(self, fields: Json) -> str | Text:
        """The prompt of a row; a row that lacks a value has none."""
        parts: list[str] = []
        for piece in self.pieces:
            if isinstance(piece, str):
                parts.append(piece)
                continue
            value = text_of(fields, piece.name)
            if isinstance(value, Text):
                return value
            if not value.strip():
                return Text(
                    en=f"has nothing in '{piece.name}', which the template needs",
                    ko=f"템플릿에 필요한 '{piece.name}' 칸이 비어 있습니다",
                )
            parts.append(value)
        return "".join(parts)


def parse_template(text: str) -> Template:
    """The template that `text` says.

    Raises:
        SettingError: a brace stands alone, or no column is named.
    """
    pieces: list[str | _Column] = []
    for match in _PIECE.finditer(text):
        found = match.group()
        if match[1] is not None and match[1].strip():
            pieces.append(_Column(match[1].strip()))
        elif found in ("{{", "}}"):
            pieces.append(found[0])
        elif found in ("{", "}") or match[1] is not None:
            raise _broken(text, match.start())
        else:
            pieces.append(found)
    if not any(isinstance(piece, _Column) for piece in pieces):
        raise SettingError(
            Text(en=f"The template '{text}' names no column.", ko=f"템플릿 '{text}'에 열 이름이 없습니다."),
            Text(
                en="Write column names in braces, e.g. 'Write a note for {audience}'.",
                ko="열 이름을 중괄호로 묶어 쓰세요. 예: '{audience} 고객에게 보낼 문구를 써 줘'.",
            ),
        )
    return Template(text, tuple(pieces))


def _broken(text: str, at: int) -> SettingError:
    return SettingError(
        Text(
            en=f"The template '{text}' has a brace without its partner, or nothing in braces, at character {at + 1}.",
            ko=f"템플릿 '{text}'의 {at + 1}번째 글자에서 중괄호가 짝이 맞지 않거나 비어 있습니다.",
        ),
        Text(
            en="Put column names in {braces}; for a brace itself write it twice: {{ or }}.",
            ko="열 이름은 {중괄호}로 묶고, 중괄호 글자 자체는 {{ 또는 }}처럼 두 번 쓰세요.",
        ),
    )
