"""Saving and restoring all that an optimisation depends on, so that a killed run continues on the identical curve.

A checkpoint holds the trained weights, the optimiser and the loop's own numbers; order and randomness are functions of
(seed, epoch, step) and need no saving. A new checkpoint replaces the old by one rename, so a kill leaves one or the other.
The best one is the same file under a second name: large models are not written twice.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from sonmat.core.errors import ResourceError
from sonmat.core.text import Text
from sonmat.runs.files import sync_folder

if TYPE_CHECKING:
    import torch
    from torch import nn


def trained_state(model: nn.Module) -> dict[str, torch.Tensor]:
    """Names and values of the parameters that train."""
    return {name: parameter.detach() for name, parameter in model.named_parameters() if parameter.requires_grad}


def load_trained_state(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    import torch

    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in state.items():
            parameters[name].copy_(value)


def save(path: Path, content: dict[str, Any], also: Path | None = None) -> None:
    """Write `content` (tensors, numbers, text) in place of `path`, and of `also` before.

    Raises:
        ResourceError: the disk is full; the previous checkpoint stays.
    """
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as stream:
            torch.save(content, stream)
            _to_disk(stream)
        if also is not None:
            _named_too(temporary, also)
    except (OSError, RuntimeError) as error:
        temporary.unlink(missing_ok=True)
        raise ResourceError(
            Text(
                en=f"The checkpoint {path} cannot be written: {error}.",
                ko=f"체크포인트 {path}을(를) 쓸 수 없습니다: {error}.",
            ),
            Text(
                en="Free some disk space and run again: training continues from the last checkpoint.",
                ko="디스크 공간을 비우고 다시 실행하면 마지막 체크포인트부터 이어서 학습합니다.",
            ),
        ) from error
    temporary.replace(path)
    sync_folder(path.parent)


def clear(folder: Path) -> None:
    """Remove what a killed `save` left half-written; only where nobody is saving."""
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)


def load(path: Path, *, in_parts: bool = False) -> dict[str, Any] | None:
    """What `save` wrote; None if there is nothing.

    Args:
        in_parts: tensors are read when they are used, so that those which are not take neither time nor memory.
    """
    import torch

    if not path.exists():
        return None
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=in_parts)
    return content


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def _named_too(written: Path, name: Path) -> None:
    temporary = _temporary(name)
    temporary.unlink(missing_ok=True)
    try:
        os.link(written, temporary)
    except OSError:
        # Not every file system gives a file two names.
        _copy(written, temporary)
    temporary.replace(name)


def _copy(written: Path, to: Path) -> None:
    try:
        shutil.copyfile(written, to)
        with to.open("rb+") as stream:
            _to_disk(stream)
    except OSError:
        to.unlink(missing_ok=True)
        raise


def _to_disk(stream: BinaryIO) -> None:
    """So that a power cut leaves no name without its content."""
    stream.flush()
    os.fsync(stream.fileno())
