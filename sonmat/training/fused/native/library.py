"""Compiles the kernels (the .c files beside it) for this processor, once, and loads it.

In: nothing but a C compiler (`cc`, `gcc` or `clang`), if there is one. Out: the loaded library, or None; then callers compute the
same with PyTorch. What was compiled is kept in the cache folder under a name made of the source, the compiler and the processor,
so that a changed one never meets an old file. SONMAT_KERNELS=off leaves it out.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sonmat.core.errors import ResourceError
from sonmat.core.text import Text
from sonmat.runs.cache import cache_folder

if TYPE_CHECKING:
    from torch import Tensor

SOURCES: Final = tuple(sorted(Path(__file__).parent.glob("*.c")))
SHARED: Final = tuple(sorted(Path(__file__).parent.glob("*.h")))
COMPILERS: Final = ("cc", "gcc", "clang")
FLAGS: Final = ("-O3", "-march=native", "-fopenmp", "-fno-math-errno", "-fno-trapping-math", "-fPIC", "-shared")
SECONDS_TO_COMPILE: Final = 120

_log = logging.getLogger(__name__)


@cache
def library() -> ctypes.CDLL | None:
    """The kernels, or None where they cannot be had: switched off, no compiler, or one that refuses."""
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if os.environ.get("SONMAT_KERNELS", "").lower() == "off" or compiler is None:
        return None
    try:
        return ctypes.CDLL(str(_compiled(compiler)))
    except (OSError, subprocess.SubprocessError) as problem:
        _log.debug("no compiled kernels: %s", problem)
        return None


def fingerprint() -> str | None:
    """Of the kernels in use: other sources, compilers or processors have another; None where there are none."""
    found = library()
    return None if found is None else Path(found._name).stem


def enough_memory(failed: int) -> None:
    """
    Raises:
        ResourceError: a kernel says that it found no room to compute in.
    """
    if failed:
        raise ResourceError(
            Text(en="There is not enough memory to compute in.", ko="계산에 쓸 메모리가 모자랍니다."),
            Text(en="Close other programs, or lower max_tokens.", ko="다른 프로그램을 닫거나 max_tokens를 줄이세요."),
        )


def matrix(tensor: Tensor) -> tuple[ctypes.c_void_p, ctypes.c_int64]:
    """Where a matrix begins, and how far apart its rows are, as kernels are told; numbers of a row are neighbours."""
    return address(tensor), integer(tensor.stride(0))


def address(tensor: Tensor | None) -> ctypes.c_void_p:
    """Where a tensor's numbers begin, as kernels are told; of None, nowhere."""
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())


def integer(number: int) -> ctypes.c_int64:
    """A size or a count, as kernels are told."""
    return ctypes.c_int64(number)


def _compiled(compiler: str) -> Path:
    folder = cache_folder() / "kernels"
    target = folder / f"{_fingerprint(compiler)}.so"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            made = Path(work) / "kernels.so"
            subprocess.run(
                [compiler, *FLAGS, "-o", str(made), *map(str, SOURCES), "-lm"],
                check=True,
                capture_output=True,
                timeout=SECONDS_TO_COMPILE,
            )
            # Two processes may compile at once; either file is whole.
            made.replace(target)
    return target


def _fingerprint(compiler: str) -> str:
    processor = Path("/proc/cpuinfo")
    flags = (
        next((line for line in processor.read_text().splitlines() if line.startswith("flags")), "")
        if processor.exists()
        else ""
    )
    told = (
        *(path.read_bytes() for path in (*SOURCES, *SHARED)),
        compiler,
        *FLAGS,
        platform.platform(),
        platform.processor(),
        flags,
    )
    return hashlib.sha256("\0".join(str(part) for part in told).encode()).hexdigest()[:32]
