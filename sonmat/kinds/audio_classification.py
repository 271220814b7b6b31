"""Sounds and the class that each belongs to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text


class AudioInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    audio: str = Field(min_length=1)


class AudioLabelTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1)


class AudioClassification:
    name = "audio-classification"
    title = Text(en="audio classification", ko="소리 분류")
    Input: type[BaseModel] = AudioInput
    Target: type[BaseModel] = AudioLabelTarget
    shapes: tuple[str, ...] = ("audio_label",)
    modality: Literal["text", "image", "audio"] = "audio"


plugin = AudioClassification()
