"""What is known of a model folder without loading its weights: from config.json and the headers of its weight files.

In: a Transformers folder. Out: `ModelFacts`, or a `ModelError` that says what is broken. Never imports torch for safetensors.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import struct
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sonmat import plugins
from sonmat.core.errors import ModelError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Json, ModelFacts

Shapes = dict[str, tuple[int, ...]]
"""Tensor names and shapes."""

_EMBEDDING = re.compile(
    r"(embed_tokens|word_embeddings|position_embeddings|token_type_embeddings|embed_positions|wte|wpe)\.weight$"
)
_BLOCK = re.compile(r"\.(?:layers?|h|blocks?|stages?)\.(\d+)\.")
_PICKLED = "pytorch_model.bin"
_OFFSET_POSITIONS = {"roberta", "xlm-roberta", "camembert"}
"""Model types whose position table opens with the padding's rows, so that they take fewer tokens than it has rows."""


def facts_of_folder(
    path: Path,
    name: str,
    origin: str,
    *,
    emit: Emit,
    checksum: str | None = None,
    chat: bool | None = None,
    licence: str = "unknown",
    languages: tuple[str, ...] = (),
) -> ModelFacts:
    """Facts of the Transformers folder `path`. `checksum` and `chat` are found out where they are not given.

    Raises:
        ModelError: config or weights are missing, damaged or cut off.
    """
    config = read_config(path)
    files = weight_files(path)
    shapes: Shapes = {}
    for file in files:
        shapes.update(_shapes_of(file))
    family = plugins.family_of(name, config)
    blocks = {match.group(1) for tensor in shapes if (match := _BLOCK.search(f".{tensor}"))}
    return ModelFacts(
        name=name,
        path=str(path),
        origin=origin,
        checksum=checksum or checksum_of(files, emit),
        family=family.name,
        model_type=str(config["model_type"]),
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        embedding_parameters=sum(math.prod(shape) for tensor, shape in shapes.items() if _EMBEDDING.search(tensor)),
        hidden_size=_number(config, "hidden_size", "d_model", "n_embd") or _head_width(shapes),
        layers=_number(config, "num_hidden_layers", "n_layer", "num_layers", "encoder_layers") or len(blocks),
        vocabulary=_number(config, "vocab_size"),
        max_positions=_max_positions(path, config),
        chat=has_chat_template(path) if chat is None else chat,
        licence=licence,
        languages=languages,
    )


def read_config(path: Path) -> Json:
    """The folder's config.json.

    Raises:
        ModelError: there is none, it is no JSON object, or it names no model type.
    """
    file = path / "config.json"
    if not file.is_file():
        raise _broken(path, Text(en="there is no config.json", ko="config.json이 없습니다"))
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _broken(
            path, Text(en=f"config.json is no JSON: {error}", ko=f"config.json이 JSON이 아닙니다: {error}")
        ) from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise _broken(path, Text(en="config.json names no 'model_type'", ko="config.json에 'model_type'이 없습니다"))
    return config


def weight_files(path: Path) -> tuple[Path, ...]:
    """The files that hold the folder's weights, in the order of their names.

    Raises:
        ModelError: there are none, or one that the index names is missing.
    """
    for stem in ("model.safetensors", _PICKLED):
        index = path / f"{stem}.index.json"
        if index.is_file():
            names = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
            missing = [name for name in names if not (path / name).is_file()]
            if missing:
                raise _broken(
                    path,
                    Text(
                        en=f"{index.name} names {missing[0]}, which is missing",
                        ko=f"{index.name}에 적힌 {missing[0]}이(가) 없습니다",
                    ),
                )
            return tuple(path / name for name in names)
        if (path / stem).is_file():
            return (path / stem,)
    raise _broken(
        path,
        Text(
            en="there are no weights (model.safetensors or pytorch_model.bin)",
            ko="가중치 파일(model.safetensors 또는 pytorch_model.bin)이 없습니다",
        ),
    )


def has_chat_template(path: Path) -> bool:
    """Whether the folder's tokenizer brings a template of its own."""
    if (path / "chat_template.jinja").is_file():
        return True
    file = path / "tokenizer_config.json"
    return file.is_file() and bool(json.loads(file.read_text(encoding="utf-8")).get("chat_template"))


def checksum_of(files: Sequence[Path], emit: Emit) -> str:
    """SHA-256 over the content of `files` in order, with progress where it takes long."""
    digest = hashlib.sha256()
    total = sum(file.stat().st_size for file in files)
    done, started, said = 0, time.monotonic(), time.monotonic()
    for file in files:
        with file.open("rb") as stream:
            while chunk := stream.read(1 << 24):
                digest.update(chunk)
                done += len(chunk)
                now = time.monotonic()
                if now - said > 1:
                    said = now
                    emit("progress", done=done, total=total, seconds_left=(now - started) * (total - done) / done)
    return digest.hexdigest()


def _shapes_of(file: Path) -> Shapes:
    return _pickled_shapes(file) if file.suffix == ".bin" else _safetensors_shapes(file)


def _safetensors_shapes(file: Path) -> Shapes:
    """Shapes from the header: 8 bytes of its length, then JSON with each tensor's shape and byte span behind the header."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        length_bytes = stream.read(8)
        length = struct.unpack("<Q", length_bytes)[0] if len(length_bytes) == 8 else 0
        if not 2 <= length <= size - 8:
            raise _broken(
                file, Text(en="it is no safetensors file or is cut off", ko="safetensors 파일이 아니거나 잘렸습니다")
            )
        try:
            header: dict[str, Any] = json.loads(stream.read(length))
        except ValueError as error:
            raise _broken(file, Text(en="its header is damaged", ko="머리 부분이 손상되었습니다")) from error
    header.pop("__metadata__", None)
    expected = 8 + length + max((entry["data_offsets"][1] for entry in header.values()), default=0)
    if size != expected:
        raise _broken(
            file,
            Text(
                en=f"it has {size:,} bytes, its header promises {expected:,}; the file is cut off or damaged",
                ko=f"크기가 {size:,}바이트인데 머리 부분에는 {expected:,}바이트로 적혀 있습니다. 파일이 잘렸거나 손상되었습니다",
            ),
        )
    # Counters and position numbers are stored too and are no parameters; nor are the running means of batch norms.
    floats = {name: entry for name, entry in header.items() if "F" in entry["dtype"]}
    return {name: tuple(entry["shape"]) for name, entry in floats.items() if ".running_" not in name}


def _pickled_shapes(file: Path) -> Shapes:
    import torch

    try:
        tensors: Mapping[str, torch.Tensor] = torch.load(file, map_location="meta", weights_only=True)
    except Exception as error:
        detail = str(error).splitlines()[0]
        raise _broken(file, verbatim(detail)) from error
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def _number(config: Json, *names: str) -> int:
    """The first of `names` that the config, or its part for text, has; 0 if none."""
    for part in (config, config.get("text_config")):
        for name in names:
            if isinstance(part, dict) and isinstance(part.get(name), int):
                return int(part[name])
    return 0


def _head_width(shapes: Shapes) -> int:
    """Width of the features that a classifier sees, for configs that do not say it."""
    return next((shape[1] for name, shape in shapes.items() if name == "classifier.weight" and len(shape) == 2), 0)


def _max_positions(path: Path, config: Json) -> int:
    positions = _number(config, "max_position_embeddings", "n_positions", "max_target_positions") or 512
    if config["model_type"] in _OFFSET_POSITIONS:
        positions -= int(config.get("pad_token_id") or 0) + 1
    file = path / "tokenizer_config.json"
    if file.is_file():
        stated = json.loads(file.read_text(encoding="utf-8")).get("model_max_length")
        # Transformers writes 10^30 for "no limit".
        if isinstance(stated, int | float) and 0 < stated < positions:
            return int(stated)
    return positions


def _broken(path: Path, why: Text) -> ModelError:
    return ModelError(
        Text(
            en=f"{path} cannot be used as a base model: {why.en}.", ko=f"{path}은(는) 기반 모델로 쓸 수 없습니다: {why.ko}."
        ),
        Text(
            en="A base folder is what Transformers' save_pretrained writes: config.json, weights and tokenizer or image "
            "processor. Copy or download it again.",
            ko="기반 모델 폴더에는 Transformers의 save_pretrained가 쓰는 config.json, 가중치, 토크나이저(또는 이미지 처리기)가 "
            "있어야 합니다. 다시 복사하거나 내려받으세요.",
        ),
    )
