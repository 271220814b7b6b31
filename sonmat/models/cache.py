"""The folder where fetched and converted models live, and how one gets in: whole or not at all.

In: a key and a function that fills an empty folder. Out: the finished folder. It does not know what a model is.

Layout: `models/KEY/` finished models, `partial/KEY/` work in progress, `locks/KEY.lock` one writer at a time.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from sonmat.core.errors import ResourceError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.runs.cache import cache_folder
from sonmat.runs.files import sync_folder


def model_folder(key: str) -> Path:
    """Where the finished model `key` is or would be."""
    return cache_folder() / "models" / key


def make_model(key: str, needed_bytes: int, fill: Callable[[Path, Path], None], emit: Emit) -> Path:
    """The folder of model `key`, made by `fill(folder, downloads)` unless it is there.

    `fill` gets an empty folder, which takes its place in the cache when `fill` returns, and a folder for downloads, which
    survives a failure so that whole files need not be fetched again. Two processes never fill the same model.

    Raises:
        ResourceError: less than `needed_bytes` are free.
    """
    finished = model_folder(key)
    if finished.is_dir():
        return finished
    lock_path = cache_folder() / "locks" / f"{key}.lock"
    lock_path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(lock_path, key, emit):
        if finished.is_dir():
            return finished
        _require_space(cache_folder(), needed_bytes)
        partial = cache_folder() / "partial" / key
        folder, downloads = partial / "model", partial / "downloads"
        downloads.mkdir(parents=True, exist_ok=True)
        # A killed process leaves what it was doing; only whole files in `downloads` are of use.
        _keep_files_only(partial, downloads)
        folder.mkdir()
        try:
            fill(folder, downloads)
        except BaseException:
            _keep_files_only(partial, downloads)
            raise
        _flush(folder)
        finished.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(finished)
        sync_folder(finished.parent)
        shutil.rmtree(partial, ignore_errors=True)
    return finished


def _keep_files_only(partial: Path, downloads: Path) -> None:
    """Remove all of `partial` but the files that lie directly in `downloads`."""
    for folder in [partial / "model", *(child for child in downloads.iterdir() if child.is_dir())]:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(lock_path: Path, key: str, emit: Emit) -> Iterator[None]:
    lock = FileLock(lock_path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        emit(
            "wait",
            Text(
                en=f"Another process is fetching {key}; waiting for it.",
                ko=f"다른 프로세스가 {key}을(를) 가져오고 있어 끝날 때까지 기다립니다.",
            ),
        )
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _require_space(folder: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise ResourceError(
            Text(
                en=f"Fetching the model takes {_megabytes(needed_bytes)} of free disk at its peak; {folder} has "
                f"{_megabytes(free)}.",
                ko=f"모델을 가져오려면 디스크 여유 공간이 최대 {_megabytes(needed_bytes)} 필요한데, {folder}에는 "
                f"{_megabytes(free)}만 남아 있습니다.",
            ),
            Text(
                en="Free some space, or put the cache on another disk: SONMAT_CACHE=/path/to/folder.",
                ko="공간을 비우거나 SONMAT_CACHE=/다른/폴더 로 캐시를 다른 디스크에 두세요.",
            ),
        )


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
