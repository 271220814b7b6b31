"""Speech and what is said in it. In: a sound file. Out: the words."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text


class SpeechInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    audio: str = Field(min_length=1)


class TranscriptTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


class SpeechRecognition:
    name = "speech-recognition"
    title = Text(en="speech recognition", ko="음성 받아쓰기")
    Input: type[BaseModel] = SpeechInput
    Target: type[BaseModel] = TranscriptTarget
    shapes: tuple[str, ...] = ("audio_text",)
    modality: Literal["text", "image", "audio"] = "audio"


plugin = SpeechRecognition()
