"""General prompts and texts that training may use to keep what a base knows; written for Sonmat, licensed as it is.

In: the JSONL files beside this one. Out: prompts that a base answers itself (replay), and texts on which the distance from a base is
watched (interpolation). None of them is an item of the panel that the proof asks, so the proof stays independent.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

_LANGUAGES = ("en", "ko")


class Prompt(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    language: Literal["en", "ko"]
    prompt: str = Field(min_length=1)
    provenance: str = Field(min_length=1)


class PromptAndText(Prompt):
    text: str = Field(min_length=1)
    """One good answer."""


@cache
def prompts() -> tuple[Prompt, ...]:
    """Every prompt, Korean after English."""
    return tuple(Prompt.model_validate(row) for language in _LANGUAGES for row in _rows(f"prompts.{language}.jsonl"))


@cache
def watched_texts() -> tuple[PromptAndText, ...]:
    """Every prompt with its text, Korean after English."""
    return tuple(PromptAndText.model_validate(row) for language in _LANGUAGES for row in _rows(f"texts.{language}.jsonl"))


def _rows(name: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (files(__name__) / name).read_text(encoding="utf-8").splitlines()]
