"""Asks a converted model one fixed question and compares the answer with the catalogue's.

In: a model folder and its golden values. Out: nothing, or a `ModelError`. Everything is computed in fp32 on the CPU.
`python -m sonmat.models.golden FOLDER KIND [TEXT]` prints the values for a new row of the catalogue.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sonmat.core.errors import ModelError
from sonmat.core.text import Text
from sonmat.models.entry import Golden

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

_SHOWN = 8
"""How many of the first numbers of an output are compared."""


def verify(folder: Path, golden: Golden) -> None:
    """Hold the model in `folder` to `golden`.

    Raises:
        ModelError: it answers otherwise.
    """
    answer = ask(folder, golden)
    if golden.tokens and answer.tokens != golden.tokens:
        raise _differs(folder, f"{list(answer.tokens)}", f"{list(golden.tokens)}")
    gap = max(abs(found - wanted) for found, wanted in zip(answer.values, golden.values, strict=True))
    if not gap <= golden.tolerance:
        raise _differs(folder, _rounded(answer.values), _rounded(golden.values))


def ask(folder: Path, golden: Golden) -> Golden:
    """`golden` with the tokens and values that the model in `folder` gives for its input."""
    import torch

    with torch.inference_mode():
        if golden.kind == "image-logits":
            return golden.model_copy(update={"values": _first(_image_logits(folder))})
        tokens, output = _text_output(folder, golden)
    return golden.model_copy(update={"tokens": tokens, "values": _first(output)})


def picture() -> Image:
    """A picture of 320 × 256 pixels made of gradients: the same on every machine."""
    import numpy as np
    from PIL import Image

    rows, columns = np.mgrid[0:256, 0:320]
    channels = [columns * 255 // 319, rows, (columns * 3 + rows * 5) % 256]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def _text_output(folder: Path, golden: Golden) -> tuple[tuple[int, ...], torch.Tensor]:
    import torch
    from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    encoded = tokenizer(golden.text, return_tensors="pt")
    tokens = tuple(int(token) for token in encoded["input_ids"][0])
    if golden.kind == "next-token-logits":
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
        return tokens, model(**encoded).logits[0, -1]
    model = AutoModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    mean = model(**encoded).last_hidden_state[0].mean(dim=0)
    return tokens, mean / mean.norm()


def _image_logits(folder: Path) -> torch.Tensor:
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    processor = AutoImageProcessor.from_pretrained(folder, local_files_only=True)
    model = AutoModelForImageClassification.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()
    return cast("torch.Tensor", model(**processor(picture(), return_tensors="pt")).logits[0])


def _first(output: torch.Tensor) -> tuple[float, ...]:
    return tuple(round(float(number), 5) for number in output[:_SHOWN])


def _rounded(values: tuple[float, ...]) -> str:
    return "[" + ", ".join(f"{value:.4f}" for value in values) + "]"


def _differs(folder: Path, found: str, expected: str) -> ModelError:
    return ModelError(
        Text(
            en=f"The converted model in {folder.name} does not answer as it should: found {found}, expected {expected}.",
            ko=f"변환한 모델({folder.name})의 출력이 기대와 다릅니다: 나온 값 {found}, 기대한 값 {expected}.",
        ),
        Text(
            en="It was thrown away. Most likely another version of transformers or torch computes differently: see "
            "`sonmat doctor`, or use the hub's original (hub:ORG/NAME).",
            ko="변환 결과는 지웠습니다. transformers나 torch 버전이 달라 계산이 다를 수 있습니다. `sonmat doctor`로 확인하거나 "
            "허브의 원본(hub:ORG/NAME)을 쓰세요.",
        ),
    )


if __name__ == "__main__":
    kind, text = sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else ""
    question = Golden(kind=cast(Any, kind), text=text, values=(), tolerance=1.0)
    print(repr(ask(Path(sys.argv[1]), question)))
