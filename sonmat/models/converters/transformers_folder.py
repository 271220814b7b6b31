"""Files that already are a Transformers folder: copied, with pickled weights rewritten as safetensors.

A folder that has a WordPiece vocabulary and no tokenizer.json gets one, because the model type alone does not always tell
the tokenizer: Korean ALBERT models use BERT's.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

_PICKLED = "pytorch_model.bin"


def convert(files: Sequence[Path], folder: Path) -> None:
    """Put `files` into `folder`; `pytorch_model.bin` becomes `model.safetensors`."""
    for file in files:
        if file.name != _PICKLED:
            shutil.copyfile(file, folder / file.name)
    pickled = next((file for file in files if file.name == _PICKLED), None)
    if pickled is not None and not any(file.suffix == ".safetensors" for file in files):
        _rewrite(pickled, folder / "model.safetensors")
    if (folder / "vocab.txt").is_file() and not (folder / "tokenizer.json").is_file():
        _write_tokenizer(folder)


def _rewrite(pickled: Path, target: Path) -> None:
    import torch
    from safetensors.torch import save_file

    # weights_only: a pickle may run code when it is read; this reads tensors and nothing else.
    loaded = torch.load(pickled, map_location="cpu", weights_only=True)
    tensors: dict[str, torch.Tensor] = {}
    stored: set[int] = set()
    for name, tensor in loaded.items():
        # A tied tensor appears under several names; safetensors keeps the first and Transformers ties it again.
        if tensor.data_ptr() not in stored:
            stored.add(tensor.data_ptr())
            tensors[name] = tensor.contiguous()
    save_file(tensors, target, metadata={"format": "pt"})


def _write_tokenizer(folder: Path) -> None:
    from transformers import BertTokenizer

    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    tokenizer = BertTokenizer.from_pretrained(folder, local_files_only=True, **settings)
    tokenizer.save_pretrained(folder)
