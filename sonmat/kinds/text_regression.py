"""A number for a text: a score, a price, a degree of similarity."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text


class RegressionInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1)


class RegressionTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    value: float = Field(allow_inf_nan=False)


class TextRegression:
    name = "text-regression"
    title = Text(en="regression on texts", ko="글의 수치 예측")
    Input: type[BaseModel] = RegressionInput
    Target: type[BaseModel] = RegressionTarget
    shapes: tuple[str, ...] = ("text_number",)
    modality: Literal["text", "image", "audio"] = "text"


plugin = TextRegression()
