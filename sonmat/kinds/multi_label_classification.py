"""Texts that several labels fit at once, or none: topics, toxicity, symptoms."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sonmat.core.text import Text


class MultiLabelInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


class MultiLabelTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    labels: list[Annotated[str, StringConstraints(min_length=1)]]
    """Each once, in the order of the data; empty where none fits."""


class MultiLabelClassification:
    name = "multi-label-classification"
    title = Text(en="classification with several labels", ko="다중 라벨 분류")
    Input: type[BaseModel] = MultiLabelInput
    Target: type[BaseModel] = MultiLabelTarget
    shapes: tuple[str, ...] = ("text_labels", "label_columns")
    modality: Literal["text", "image", "audio"] = "text"


plugin = MultiLabelClassification()
