"""Image classification: one label for a picture. In: a path. Out: a label and every label's share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.errors import DataError
from sonmat.core.protocols import Answer, Batch, Message, Row, RowLosses, Tiny
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, Source, Spec
from sonmat.inference.classification import LabelOutput, LabelTarget, answers_of, label_config, labels_of, losses_of

if TYPE_CHECKING:
    from torch import nn

ROW_COST = 196
"""Cost of one picture beside a text's tokens: 224 x 224 pixels in patches of 16 x 16."""


class ImageInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: str = Field(min_length=1)
    """Path of a picture; relative to the spec's media root, or absolute."""


class ImageClassification:
    name = "image-classification"
    title = Text(en="image classification", ko="이미지 분류")
    route = "/v1/predict"
    Input: type[BaseModel] = ImageInput
    Target: type[BaseModel] = LabelTarget
    Output: type[BaseModel] = LabelOutput
    shapes: tuple[str, ...] = ("image_label",)
    modality: Literal["text", "image", "audio"] = "image"
    auto_model = "AutoModelForImageClassification"
    auto_processor = "AutoImageProcessor"
    generates = False
    metrics: tuple[str, ...] = ("macro_f1", "accuracy")
    selection_metric = "macro_f1"

    def specify(self, examples: Sequence[Example]) -> Spec:
        return Spec(labels=labels_of(examples))

    def configure(self, spec: Spec) -> Json:
        return label_config(spec)

    def encode(self, example: Example, processor: Any, spec: Spec) -> Row:
        row = self.encode_input(example.input, processor, spec)
        return Row({**row.arrays, "label": spec.labels.index(example.target["label"])}, row.length)

    def encode_input(self, input: Json, processor: Any, spec: Spec) -> Row:
        from PIL import Image

        path = Path(spec.media_root) / input["image"]
        try:
            with Image.open(path) as picture:
                pixels = processor(picture.convert("RGB"), return_tensors="np")["pixel_values"][0]
        except OSError as error:
            raise DataError(
                Text(
                    en=f"{path} is not a readable picture: {error}",
                    ko=f"{path}은(는) 읽을 수 있는 이미지가 아닙니다: {error}",
                ),
                Text(en="Give a PNG, JPEG or WebP file.", ko="PNG, JPEG, WebP 파일을 주세요."),
            ) from error
        return Row({"pixel_values": pixels}, ROW_COST)

    def collate(self, rows: Sequence[Row], processor: Any) -> Batch:
        import numpy as np
        import torch

        pixels = torch.from_numpy(np.stack([row.arrays["pixel_values"] for row in rows]))
        # Convolutions train about a fifth faster on a CPU with channels last (docs/log.md).
        batch: Batch = {"pixel_values": pixels.contiguous(memory_format=torch.channels_last)}
        if "label" in rows[0].arrays:
            batch["label"] = torch.tensor([row.arrays["label"] for row in rows])
        return batch

    def losses(self, model: nn.Module, batch: Batch) -> RowLosses:
        return losses_of(model(pixel_values=batch["pixel_values"]).logits.float(), batch["label"])

    def decode(self, model: nn.Module, batch: Batch, processor: Any, spec: Spec) -> list[Answer]:
        return answers_of(model(pixel_values=batch["pixel_values"]).logits.float(), spec)

    def ask(self, input: Json, shots: Sequence[Example], spec: Spec) -> list[Message] | None:
        return None

    def parse(self, text: str, spec: Spec) -> Json:
        raise ValueError("a picture is never asked about in words: `ask` gives None")

    def tiny(self) -> Tiny:
        import tempfile

        import numpy as np
        from PIL import Image
        from transformers import ViTConfig, ViTImageProcessorPil

        folder = Path(tempfile.mkdtemp(prefix="sonmat-tiny-"))
        chance = np.random.default_rng(0)
        examples = []
        for number in range(8):
            bright = number % 2
            pixels = chance.integers(160 * bright, 96 + 159 * bright, size=(32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
            examples.append(
                Example(
                    id=str(number),
                    input={"image": f"{number}.png"},
                    target={"label": "light" if bright else "dark"},
                    source=Source(file="", row=number),
                )
            )
        processor = ViTImageProcessorPil(size={"height": 32, "width": 32})
        config = ViTConfig(
            image_size=32,
            patch_size=8,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=32,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        spec = Spec(labels=("dark", "light"), media_root=str(folder))
        return Tiny(config, processor, tuple(examples), spec)


plugin = ImageClassification()
