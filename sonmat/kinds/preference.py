"""Preference pairs: a conversation with an answer that people liked and one that they did not."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text


class PreferenceInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    messages: list[dict[str, Any]] = Field(min_length=1)
    tools: list[dict[str, Any]] = Field(default_factory=list)


class PreferenceTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    chosen: str = Field(min_length=1)
    rejected: str = Field(min_length=1)


class Preference:
    name = "preference"
    title = Text(en="preference pairs", ko="선호 쌍")
    Input: type[BaseModel] = PreferenceInput
    Target: type[BaseModel] = PreferenceTarget
    shapes: tuple[str, ...] = ("preference_openai", "preference_trl")
    modality: Literal["text", "image", "audio"] = "text"


plugin = Preference()
