"""The general panel: questions in Korean and English, made for this project, that show what a model can do besides its task.

In: the JSONL files beside this one, one item a line. Out: `Item`s with their answer keys, and `GeneralText`s to be read word by
word. Every item names its provenance: all were written for Sonmat and are licensed as it is. No item is ever trained on.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sonmat.core.text import Text
from sonmat.probing.rules import Rule

Area = Literal["knowledge", "arithmetic", "instructions", "reading", "harmful", "harmless"]
Language = Literal["en", "ko"]

AREAS: Final[dict[Area, Text]] = {
    "knowledge": Text(en="general knowledge", ko="상식"),
    "arithmetic": Text(en="arithmetic", ko="셈"),
    "instructions": Text(en="following instructions", ko="지시 따르기"),
    "reading": Text(en="reading", ko="읽기"),
    "harmful": Text(en="refusing harmful requests", ko="해로운 요청 거절"),
    "harmless": Text(en="answering harmless requests", ko="무해한 요청에 답하기"),
}
LANGUAGES: Final[dict[Language, Text]] = {"en": Text(en="English", ko="영어"), "ko": Text(en="Korean", ko="한국어")}


class GeneralText(BaseModel):
    """A prompt and one fixed answer to it, both written by people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: Language
    prompt: str = Field(min_length=1)
    text: str = Field(min_length=1)
    provenance: str = Field(min_length=1)


class Item(BaseModel):
    """One question. `choice`: which of the `choices` does the model find likeliest? `written`: does its answer keep the `rule`?"""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    area: Area
    language: Language
    form: Literal["choice", "written"]
    prompt: str = Field(min_length=1)
    choices: tuple[str, ...] = ()
    answer: Literal["A", "B", "C", "D"] | None = None
    """Letter of the right choice."""
    rule: Rule | None = None
    example: str | None = None
    """An answer that keeps the rule, where the rule does not say one itself."""
    most_tokens: int = Field(0, ge=0)
    """Room for a written answer."""
    expression: str | None = None
    """Of an arithmetic item, what its key was computed from."""
    provenance: str = Field(min_length=1)

    @model_validator(mode="after")
    def _whole(self) -> Item:
        choice = self.form == "choice"
        if choice != (len(self.choices) > 1) or choice != (self.answer is not None) or choice != (self.rule is None):
            raise ValueError(f"{self.id}: an item has choices and a letter, or a rule")
        if choice != (self.most_tokens == 0) or (choice and self.right >= len(self.choices)):
            raise ValueError(f"{self.id}: a written item has most_tokens, a letter names one of the choices")
        return self

    @property
    def right(self) -> int:
        """Place of the right choice."""
        assert self.answer is not None, "only items with choices have a letter"
        return "ABCD".index(self.answer)

    @property
    def chance(self) -> float:
        """How often guessing is right."""
        return 1 / len(self.choices) if self.choices else 0.0


@cache
def items() -> tuple[Item, ...]:
    """Every item, by area and language; within these in the order of the files."""
    return tuple(item for area in AREAS for language in LANGUAGES for item in _read(f"{area}.{language}.jsonl", Item))


@cache
def texts() -> tuple[GeneralText, ...]:
    """Every general text, Korean after English."""
    return tuple(text for language in LANGUAGES for text in _read(f"texts.{language}.jsonl", GeneralText))


@cache
def sentences(language: Language) -> dict[str, str]:
    """Plain sentences of a language by id: questions of knowledge, passages to read, general texts."""
    chosen = [item for item in items() if item.language == language and item.area in ("knowledge", "reading")]
    return {item.id: item.prompt for item in chosen} | {text.id: text.text for text in texts() if text.language == language}


Line = TypeVar("Line", bound=BaseModel)


def _read(name: str, line: type[Line]) -> list[Line]:
    content = (files(__name__) / name).read_text(encoding="utf-8")
    return [line.model_validate(json.loads(row)) for row in content.splitlines()]
