"""A GGUF file → bf16 safetensors with config, tokenizer and chat template.

In: one GGUF file, or its parts in order. Out: a Transformers folder. The quantised weights are unpacked once; what quantising
lost stays lost.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sonmat.core.errors import ModelError
from sonmat.core.text import Text


def convert(files: Sequence[Path], folder: Path) -> None:
    """Write the model and tokenizer of the GGUF file that `files` are, or are the parts of, into `folder`.

    Raises:
        ModelError: it is no GGUF file, or of an architecture that Transformers cannot read from GGUF.
    """
    if len(files) == 1:
        _convert_file(files[0], folder)
        return
    with tempfile.TemporaryDirectory(dir=folder.parent) as joined_folder:
        joined = Path(joined_folder) / "model.gguf"
        with joined.open("wb") as target:
            for part in files:
                with part.open("rb") as source:
                    shutil.copyfileobj(source, target)
        _convert_file(joined, folder)


def _convert_file(file: Path, folder: Path) -> None:
    with file.open("rb") as stream:
        if stream.read(4) != b"GGUF":
            raise _unreadable(file, Text(en="it does not begin with 'GGUF'", ko="파일이 'GGUF'로 시작하지 않습니다"))
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # Unpacked at once: Transformers refuses to save a model that keeps its weights in GGUF blocks.
    unpacked = GgufConfig(dequantize=True)
    place = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(**place)
        model = AutoModelForCausalLM.from_pretrained(**place, dtype=torch.bfloat16, quantization_config=unpacked)
    except Exception as error:
        detail = f"{type(error).__name__}: {error}".splitlines()[0]
        raise _unreadable(file, Text(en=detail, ko=detail)) from error
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _unreadable(file: Path, why: Text) -> ModelError:
    return ModelError(
        Text(
            en=f"{file} cannot be read as a GGUF model: {why.en}.",
            ko=f"{file}을(를) GGUF 모델로 읽을 수 없습니다: {why.ko}.",
        ),
        Text(
            en="Check that the file is complete. Llama, Qwen, Gemma, Mistral and Phi models are known to work.",
            ko="파일이 온전한지 확인하세요. Llama, Qwen, Gemma, Mistral, Phi 계열을 읽을 수 있습니다.",
        ),
    )
