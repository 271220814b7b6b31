"""Texts and pictures as vectors of a pretrained encoder, each computed once and kept on disk.

In: facts of a local Transformers folder, texts or paths. Out: mean-pooled vectors of length 1. What was computed is found again
by the model's checksum and the text, so that checks of one audit and later audits of the run share it. It fetches nothing:
whoever makes an `Encoder` has resolved the model.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.progress import Progress
from sonmat.core.errors import ModelError
from sonmat.core.protocols import Emit, Kind
from sonmat.core.text import Text
from sonmat.core.values import ModelFacts
from sonmat.embedding.directions import unit_rows
from sonmat.embedding.kept_vectors import KeptVectors, key_of

if TYPE_CHECKING:
    import torch

MOST_TOKENS = 128
"""Of each text: what it is about is clear by then, and a sentence rarely has more."""
_TOKENS_AT_ONCE = 4_096
_PICTURES_AT_ONCE = 16
_SAVE_EVERY_SECONDS = 60.0


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder on this machine."""

    facts: ModelFacts
    text_prefix: str
    """What its pretraining put before every text."""
    kept: Path
    """Folder that vectors are kept in."""
    most_tokens: int = MOST_TOKENS
    """Of each text; the rest says nothing."""

    @property
    def name(self) -> str:
        return self.facts.name

    def of_texts(self, texts: Sequence[str], emit: Emit) -> NDArray[np.float32]:
        """One vector of length 1 for each text, float32 of shape (rows, width of the model)."""
        most = min(self.most_tokens, self.facts.max_positions)
        keys = [key_of(f"{most}\n{self.text_prefix}\n{text}".encode("utf-8", "surrogatepass")) for text in texts]
        return self._vectors(keys, lambda places: _text_batches(self, [texts[place] for place in places], most), emit)

    def of_pictures(self, paths: Sequence[Path], emit: Emit) -> NDArray[np.float32]:
        """One vector of length 1 for each picture, float32 of shape (rows, width of the model)."""
        keys = [key_of(path.read_bytes() if path.is_file() else b"") for path in paths]
        return self._vectors(keys, lambda places: _picture_batches(self, [paths[place] for place in places]), emit)

    def _vectors(
        self, keys: Sequence[bytes], batches_of: Callable[[list[int]], _Batches], emit: Emit
    ) -> NDArray[np.float32]:
        kept = KeptVectors(self.kept / self.facts.checksum[:16])
        first_places = {key: place for place, key in reversed(list(enumerate(keys)))}
        missing = sorted(place for key, place in first_places.items() if key not in kept)
        if missing:
            self._compute(kept, keys, missing, batches_of(missing), emit)
        return unit_rows(kept.of(keys))

    def _compute(self, kept: KeptVectors, keys: Sequence[bytes], missing: list[int], batches: _Batches, emit: Emit) -> None:
        what = Text(en=f"Encoding with {self.name}", ko=f"{self.name}(으)로 벡터를 계산하는 중")
        progress = Progress(emit, what, len(missing))
        saved = time.monotonic()
        for members, compute in batches:
            kept.add([keys[missing[member]] for member in members], compute())
            progress.step(len(members))
            if time.monotonic() - saved > _SAVE_EVERY_SECONDS:
                kept.save()
                saved = time.monotonic()
        kept.save()


def encoder_for(kind: Kind, facts: ModelFacts, text_prefix: str, kept: Path) -> Encoder:
    """An `Encoder` that takes what rows of `kind` are.

    Raises:
        ModelError: the model takes something else.
    """
    needed = {"text": "tokenizer_config.json", "image": "preprocessor_config.json"}
    file = needed.get(kind.modality)
    if file is not None and (Path(facts.path) / file).is_file():
        return Encoder(facts, text_prefix, kept)
    raise ModelError(
        Text(
            en=f"{facts.name} cannot be the encoder of {kind.title.en}: it does not take {_WHAT[kind.modality].en}.",
            ko=f"{facts.name}은(는) {_WHAT[kind.modality].ko} 입력을 받지 않아 {kind.title.ko}의 인코더로 쓸 수 없습니다.",
        ),
        Text(
            en="Leave 'embedder' out: the audit then goes by what the rows themselves are made of.",
            ko="'embedder' 설정을 빼세요. 그러면 행 자체의 특징을 씁니다.",
        ),
    )


_WHAT = {
    "text": Text(en="texts", ko="글"),
    "image": Text(en="pictures", ko="그림"),
    "audio": Text(en="sound", ko="소리"),
}

_Batches = Sequence[tuple[list[int], Callable[[], NDArray[np.float32]]]]
"""Places of the rows of each batch, and what computes their vectors."""


def _text_batches(encoder: Encoder, texts: Sequence[str], most_tokens: int) -> _Batches:
    return LoadedEncoder(encoder.facts, most_tokens).batches([encoder.text_prefix + text for text in texts])


class LoadedEncoder:
    """A text encoder that stays in memory, for texts that come a few at a time. It keeps no vectors."""

    def __init__(self, facts: ModelFacts, most_tokens: int) -> None:
        from transformers import AutoModel, AutoTokenizer

        from sonmat.inference.quiet import quiet_transformers

        with quiet_transformers():
            self._tokenizer = AutoTokenizer.from_pretrained(facts.path, local_files_only=True)
            self._model = _loaded(AutoModel, facts)
        self._most_tokens = min(most_tokens, facts.max_positions)

    def of_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One vector of length 1 for each text, prefixes included, float32 of shape (texts, width of the model)."""
        batches = self.batches(texts)
        if not batches:
            return np.zeros((0, int(self._model.config.hidden_size)), dtype=np.float32)
        places = [place for members, _ in batches for place in members]
        vectors = np.concatenate([compute() for _, compute in batches])
        return unit_rows(vectors[np.argsort(places)])

    def batches(self, texts: Sequence[str]) -> _Batches:
        """Places of texts of similar length, and what computes their mean-pooled vectors."""
        from sonmat.inference.quiet import quiet_transformers

        if not texts:
            return []
        with quiet_transformers():
            rows = self._tokenizer(list(texts), truncation=True, max_length=self._most_tokens)["input_ids"]

        def computing(members: list[int]) -> Callable[[], NDArray[np.float32]]:
            def compute() -> NDArray[np.float32]:
                padded = self._tokenizer.pad({"input_ids": [rows[member] for member in members]}, return_tensors="pt")
                return _mean_pooled(self._model, padded["input_ids"], padded["attention_mask"])

            return compute

        return [(members, computing(members)) for members in _by_length([len(row) for row in rows])]


def _by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Places of rows of nearly one length together, the longest first, so that little is padded and memory shows at once."""
    batches: list[list[int]] = []
    longest = 0
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if not batches or (len(batches[-1]) + 1) * longest > _TOKENS_AT_ONCE:
            batches.append([])
            longest = max(lengths[place], 1)
        batches[-1].append(place)
    return batches


def _mean_pooled(model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> NDArray[np.float32]:
    import torch

    with torch.inference_mode():
        mask = attention_mask.to(model.device)
        states = model(input_ids=input_ids.to(model.device), attention_mask=mask).last_hidden_state.float()
        weights = mask[..., None].float()
        pooled = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
    return np.asarray(pooled.cpu().numpy(), dtype=np.float32)


def _picture_batches(encoder: Encoder, paths: Sequence[Path]) -> _Batches:
    return LoadedPictureEncoder(encoder.facts).batches(paths)


class LoadedPictureEncoder:
    """An encoder of pictures that stays in memory, for pictures that come a few at a time. It keeps no vectors."""

    def __init__(self, facts: ModelFacts) -> None:
        from transformers import AutoImageProcessor, AutoModel

        from sonmat.inference.quiet import quiet_transformers

        with quiet_transformers():
            self._processor = AutoImageProcessor.from_pretrained(facts.path, local_files_only=True)
            self._model = _loaded(AutoModel, facts)

    def batches(self, paths: Sequence[Path]) -> _Batches:
        """Places of a few pictures each, and what computes their mean-pooled vectors."""

        def computing(members: list[int]) -> Callable[[], NDArray[np.float32]]:
            return lambda: _pooled_pictures(self._model, self._processor, [paths[member] for member in members])

        places = list(range(len(paths)))
        parts = [places[start : start + _PICTURES_AT_ONCE] for start in range(0, len(places), _PICTURES_AT_ONCE)]
        return [(members, computing(members)) for members in parts]


def _pooled_pictures(model: Any, processor: Any, paths: list[Path]) -> NDArray[np.float32]:
    """The mean of the last hidden states; a picture that cannot be decoded counts as a black one."""
    import torch
    from PIL import Image

    pictures = []
    for path in paths:
        try:
            with Image.open(path) as image:
                pictures.append(image.convert("RGB"))
        except (OSError, SyntaxError, ValueError, EOFError, IndexError, Image.DecompressionBombError):
            pictures.append(Image.new("RGB", (64, 64)))  # the check of broken pictures reports it
    with torch.inference_mode():
        pixels = processor(pictures, return_tensors="pt")["pixel_values"].to(model.device)
        states = model(pixel_values=pixels).last_hidden_state.float()
        # Convolutions give (rows, channels, height, width), transformers (rows, patches, channels).
        pooled = states.mean(dim=(2, 3)) if states.dim() == 4 else states.mean(dim=1)
    return np.asarray(pooled.cpu().numpy(), dtype=np.float32)


def _loaded(auto_model: Any, facts: ModelFacts) -> Any:
    import torch

    from sonmat.inference.device import detect_device, torch_device

    model = auto_model.from_pretrained(facts.path, dtype=torch.float32, local_files_only=True)
    return model.eval().to(torch_device(detect_device()))
