"""Questions whose answers stand word for word in a text that is given with them (extractive question answering)."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str
    start: int | None = Field(None, ge=0)


class QuestionInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1)
    context: str = Field(min_length=1)


class AnswerTarget(Answer):
    """`text` is empty where the context does not answer the question; `start` counts characters of the context from 0."""

    alternatives: list[Answer] = Field(default_factory=list)
    """Further answers that count as right."""


class QuestionAnswering:
    name = "question-answering"
    title = Text(en="extractive question answering", ko="지문에서 답 찾기")
    Input: type[BaseModel] = QuestionInput
    Target: type[BaseModel] = AnswerTarget
    shapes: tuple[str, ...] = ("question_context",)
    modality: Literal["text", "image", "audio"] = "text"


plugin = QuestionAnswering()
