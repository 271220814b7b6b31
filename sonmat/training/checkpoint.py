"""Saving and restoring all that an optimisation depends on, so that a killed run continues on the identical curve.

A checkpoint holds the trained weights, the optimiser and the loop's own numbers; order and randomness are functions of
(seed, epoch, step) and need no saving. A new checkpoint replaces the old by one rename, so a kill leaves one or the other.
The best one is the same file under a second name: large models are not written twice.

What only another version of Sonmat could continue rightly is refused in words, and left as it is.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from sonmat import __version__
from sonmat.core.errors import ResourceError, RunError
from sonmat.core.text import Text
from sonmat.runs.files import sync_folder

if TYPE_CHECKING:
    import torch
    from torch import nn

FORMAT: Final = 2
"""Of what a checkpoint holds. Raise it when an earlier one would be continued otherwise than it was begun."""


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
    """Write `content` (tensors, numbers, text) in place of `path`, and of `also` before; with the format and who made it.

    Raises:
        ResourceError: the disk is full; the previous checkpoint stays.
    """
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with temporary.open("wb") as stream:
            torch.save({"format": FORMAT, "made_by": __version__, **content}, stream)
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


def gives_second_names(folder: Path) -> bool:
    """Whether a file in `folder` can have two names, so that the best checkpoint need not be copied."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".names-") as scratch:
        one = Path(scratch) / "one"
        one.touch()
        try:
            os.link(one, one.with_name("other"))
        except OSError:
            return False
        return True


def clear(folder: Path) -> None:
    """Remove what a killed `save` left half-written; only where nobody is saving."""
    for leftover in folder.glob(".*.part"):
        leftover.unlink(missing_ok=True)


def load(path: Path, *, in_parts: bool = False) -> dict[str, Any] | None:
    """What `save` wrote; None if there is nothing.

    Args:
        in_parts: tensors are read when they are used, so that those which are not take neither time nor memory.
    Raises:
        RunError: the file is damaged, or of another format.
    """
    import torch

    if not path.exists():
        return None
    try:
        content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True, mmap=in_parts)
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        said = str(error).partition("\n")[0]
        raise _not_to_continue(
            path, Text(en=f"it is damaged ({said})", ko=f"파일이 손상되었습니다({said})"), _begin_again(path)
        ) from error
    written_as, made_by = content.pop("format", None), content.pop("made_by", None)
    if written_as != FORMAT:
        raise _not_to_continue(path, _another_version(made_by), _begin_again_or_go_back(path))
    return content


def require_same_training(path: Path, saved: dict[str, Any], model: nn.Module, order: str) -> None:
    """Make sure that `saved`, which `load` gave, is of a training of these very weights on rows in this very order.

    Raises:
        RunError: it is not.
    """
    now, then = ({(name, value.shape) for name, value in each.items()} for each in (trained_state(model), saved["weights"]))
    others = now ^ then
    if others:
        names = ", ".join(sorted({name for name, _ in others})[:3])
        reason = Text(en=f"other weights trained ({names})", ko=f"학습하던 가중치가 다릅니다({names})")
        raise _not_to_continue(path, reason, _begin_again_or_go_back(path))
    if saved["order"] != order:
        reason = Text(
            en="its training gave the rows in another order, so that some would now be seen twice and others never",
            ko="학습하던 행의 순서가 달라, 이어서 학습하면 어떤 행은 두 번 보고 어떤 행은 한 번도 보지 못합니다",
        )
        raise _not_to_continue(path, reason, _begin_again_or_go_back(path))


def _another_version(made_by: str | None) -> Text:
    if made_by is None:
        return Text(en="an earlier version of Sonmat wrote it", ko="손맛의 이전 버전이 쓴 파일입니다")
    return Text(en=f"Sonmat {made_by} wrote it in another form", ko=f"손맛 {made_by}이(가) 다른 형식으로 쓴 파일입니다")


def _not_to_continue(path: Path, reason: Text, fix: Text) -> RunError:
    what = Text(
        en=f"The training cannot be continued from {path}: {reason.en}.",
        ko=f"{path}에서 학습을 이어갈 수 없습니다. {reason.ko}.",
    )
    return RunError(what, fix)


def _begin_again(path: Path) -> Text:
    return Text(
        en=f"To train it from the beginning, delete the folder {path.parent} and run again: nothing else is lost.",
        ko=f"처음부터 학습하려면 {path.parent} 폴더를 지우고 다시 실행하세요. 다른 것은 그대로 남습니다.",
    )


def _begin_again_or_go_back(path: Path) -> Text:
    again = _begin_again(path)
    return Text(
        en=f"{again.en} To keep what was trained, finish it with the version of Sonmat that began it.",
        ko=f"{again.ko} 지금까지 학습한 것을 살리려면 학습을 시작했던 손맛 버전으로 마치세요.",
    )


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
