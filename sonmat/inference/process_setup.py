"""How a process that computes is set up: threads, memory allocator and huge pages, from what this machine lets it have.

In: nothing but the machine and the environment. Out: environment variables for a process that is about to start, and what is in
effect in the present one. Variables that the user has set are never touched. It starts no process and imports no torch.

Why: products and element-wise passes of a training step take and give back blocks of megabytes. The C library hands each back to
the system at once and the system clears every page of it anew, 4 KiB at a time; huge pages make that 512 times fewer faults.
Two threads of one core share its arithmetic units, so that threads beyond the cores only wait for one another.
"""

from __future__ import annotations

import ctypes.util
import math
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Literal

from sonmat.core.values import Value

MOST_THREADS: Final = 64
"""Beyond, products of the sizes here no longer gain."""
THREAD_VARIABLES: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
ALLOCATORS: Final = ("jemalloc", "tcmalloc", "tcmalloc_minimal")
HUGE_PAGES_OF_MALLOC: Final = "glibc.malloc.hugetlb=1"
"""malloc asks for huge pages (madvise) for what it takes from the system; glibc 2.35 and later."""
KEEPING_HEAP: Final = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=8589934592"
"""malloc keeps what was given back instead of handing it to the system: no faults at all, at the price of more memory held."""
JEMALLOC_KEEPS: Final = (
    "oversize_threshold:1,background_thread:true,metadata_thp:auto,dirty_decay_ms:10000,muzzy_decay_ms:10000"
)

Allocator = Literal["glibc", "jemalloc", "tcmalloc", "system"]

_NAMED: Final[tuple[Allocator, ...]] = ("jemalloc", "tcmalloc")
_SYSTEM = Path("/sys")
_PROC = Path("/proc")


class ProcessSetup(Value):
    """What a process runs with."""

    cores: int
    """Cores that may be used: of the machine, less what affinity, container or siblings take away."""
    logical: int
    """Processors that the system shows this process."""
    threads: int
    """That products are computed with."""
    allocator: Allocator
    huge_pages: Literal["always", "asked for", "no"]


def worker_environment(given: Mapping[str, str]) -> dict[str, str]:
    """`given`, and what a process that computes should start with beside it."""
    found = {**with_threads(given), **with_memory(given)}
    return {**found, **given}


def with_threads(given: Mapping[str, str]) -> dict[str, str]:
    """One thread a core; a number that was set for one library is taken for the other too."""
    asked = next((given[name] for name in THREAD_VARIABLES if given.get(name)), str(usable_cores()))
    return {name: asked for name in THREAD_VARIABLES if name not in given}


def with_memory(given: Mapping[str, str]) -> dict[str, str]:
    """Huge pages where they are allowed, and a better allocator where one is installed."""
    if not sys.platform.startswith("linux"):
        return {}
    found: dict[str, str] = {}
    library = None if "LD_PRELOAD" in given else installed_allocator()
    if library is not None:
        found["LD_PRELOAD"] = library
        if "jemalloc" in library:
            found["MALLOC_CONF"] = JEMALLOC_KEEPS
    if huge_pages_of_system() != "never":
        # PyTorch's own switch; read at its first allocation.
        found["THP_MEM_ALLOC_ENABLE"] = "1"
        if library is None and _glibc_version() >= (2, 35):
            found["GLIBC_TUNABLES"] = HUGE_PAGES_OF_MALLOC
    return {name: value for name, value in found.items() if name not in given}


def set_up_this_process() -> None:
    """Make up for what a launcher other than `executors.local` did not set; before torch is imported. An allocator comes too late."""
    found = {**with_threads(os.environ), **with_memory(os.environ)}
    os.environ.update({name: value for name, value in found.items() if name in (*THREAD_VARIABLES, "THP_MEM_ALLOC_ENABLE")})


def setup_under(environment: Mapping[str, str]) -> ProcessSetup:
    """What a process that starts with `environment` runs with on this machine."""
    cores = usable_cores()
    asked = environment.get(THREAD_VARIABLES[0], "")
    preloaded = environment.get("LD_PRELOAD", "")
    return ProcessSetup(
        cores=cores,
        logical=len(_allowed_processors()),
        threads=int(asked) if asked.isdigit() else cores,
        allocator=next((name for name in _NAMED if name in preloaded), _own_allocator()),
        huge_pages=_huge_pages_under(environment),
    )


def usable_cores() -> int:
    """Physical cores that this process may use, within its affinity and the quota of its container; 1 to 64."""
    cores = min(_physical(_allowed_processors()), MOST_THREADS)
    quota = _quota()
    # A share of a core is not worth a thread that waits for its turn most of the time.
    return max(1, cores if quota is None else min(cores, math.floor(quota + 0.25)))


def huge_pages_of_system() -> Literal["always", "madvise", "never"]:
    """What the system allows: to everybody, to those who ask, to nobody."""
    words = _text_of(_SYSTEM / "kernel/mm/transparent_hugepage/enabled")
    modes: tuple[Literal["always", "madvise"], ...] = ("always", "madvise")
    return next((mode for mode in modes if f"[{mode}]" in words), "never")


def installed_allocator() -> str | None:
    """Name of the library of an allocator that gives memory back less eagerly, if one is installed."""
    for name in ALLOCATORS:
        found = ctypes.util.find_library(name)
        if found:
            return found
    return None


def _allowed_processors() -> list[int]:
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _physical(processors: Iterable[int]) -> int:
    """How many cores `processors` are; where that is not told, each counts as one."""
    cores = set[str]()
    for number in processors:
        topology = _SYSTEM / f"devices/system/cpu/cpu{number}/topology"
        siblings = _text_of(topology / "core_cpus_list") or _text_of(topology / "thread_siblings_list")
        cores.add(siblings or f"alone {number}")
    return len(cores)


def _quota() -> float | None:
    """Processors' worth of time that the control groups of this process may use; None where there is no limit."""
    found: list[float] = []
    for group in _groups_and_parents():
        limit, _, period = _text_of(group / "cpu.max").partition(" ")
        if limit.isdigit() and period.isdigit():
            found.append(int(limit) / int(period))
    old = _SYSTEM / "fs/cgroup/cpu"
    limit, period = _text_of(old / "cpu.cfs_quota_us"), _text_of(old / "cpu.cfs_period_us")
    if limit.isdigit() and period.isdigit():
        found.append(int(limit) / int(period))
    return min((quota for quota in found if quota > 0), default=None)


def _groups_and_parents() -> list[Path]:
    """Folders of this process's control group (version 2) and of those above it."""
    root = _SYSTEM / "fs/cgroup"
    names = [line[3:] for line in _text_of(_PROC / "self/cgroup").splitlines() if line.startswith("0::")]
    own = root / names[0].lstrip("/") if names else root
    return [own, *(parent for parent in own.parents if parent == root or root in parent.parents)]


def _own_allocator() -> Allocator:
    return "glibc" if _glibc_version() > (0, 0) else "system"


def _huge_pages_under(environment: Mapping[str, str]) -> Literal["always", "asked for", "no"]:
    allowed = huge_pages_of_system()
    if allowed != "madvise":
        return "always" if allowed == "always" else "no"
    of_malloc = "glibc.malloc.hugetlb=" in environment.get("GLIBC_TUNABLES", "")
    return "asked for" if of_malloc or environment.get("THP_MEM_ALLOC_ENABLE") == "1" else "no"


def _glibc_version() -> tuple[int, int]:
    """(0, 0) where the C library is another."""
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor = number.split(".")[:2]
    except (AttributeError, ValueError, OSError):
        return 0, 0
    return (int(major), int(minor)) if name == "glibc" else (0, 0)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
