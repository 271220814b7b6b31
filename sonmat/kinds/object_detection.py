"""Pictures and what is to be found where in them. A box is [x, y, width, height] in pixels from the top left, as COCO has it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Text

Number = Annotated[float, Field(allow_inf_nan=False)]


class DetectionInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: str = Field(min_length=1)


class FoundObject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    box: list[Number] = Field(min_length=4, max_length=4)
    label: str = Field(min_length=1)


class ObjectsTarget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    objects: list[FoundObject]
    """Empty where the picture shows none."""


class ObjectDetection:
    name = "object-detection"
    title = Text(en="object detection", ko="물체 찾기")
    Input: type[BaseModel] = DetectionInput
    Target: type[BaseModel] = ObjectsTarget
    shapes: tuple[str, ...] = ("image_objects",)
    modality: Literal["text", "image", "audio"] = "image"


plugin = ObjectDetection()
