"""What this machine can compute with: cores, memory, bf16, accelerator, and the measured rate of its matrix products."""

from __future__ import annotations

import itertools
import sys
import time
from functools import cache
from typing import TYPE_CHECKING

import psutil

from sonmat.core.values import Device
from sonmat.inference.process_setup import usable_cores

if TYPE_CHECKING:
    import torch

CONTAINER_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
"""A container's limit of memory and what it has in use: cgroup version 2 and version 1."""
_FEWEST_TRIES = 8
_MEASURING_SECONDS = 0.5


@cache
def detect_device(measure: bool = False) -> Device:
    """The best device of this machine; with `measure`, its matrix-product rate too (about a second)."""
    import torch

    cores = usable_cores()
    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        device = Device(
            kind="cuda",
            name=torch.cuda.get_device_name(),
            cores=cores,
            memory_bytes=free,
            bf16=torch.cuda.is_bf16_supported(),
        )
    elif torch.backends.mps.is_available():
        device = Device(kind="mps", name="Apple GPU", cores=cores, memory_bytes=available_memory(), bf16=False)
    else:
        device = Device(
            kind="cpu", name=_processor_name(), cores=cores, memory_bytes=available_memory(), bf16=_cpu_has_bf16()
        )
    if not measure:
        return device
    return device.model_copy(update={"flops_per_second": _measure_flops(device)})


def torch_device(device: Device) -> torch.device:
    import torch

    return torch.device(device.kind)


def compute_dtype(device: Device) -> torch.dtype:
    """The type that matrix products run in: bf16 where the hardware has it, else fp32."""
    import torch

    return torch.bfloat16 if device.bf16 else torch.float32


def available_memory() -> int:
    """Bytes of main memory that can be taken without swapping, within the limit of a container."""
    available = psutil.virtual_memory().available
    for limit_file, used_file in CONTAINER_FILES:
        limit, used = _number_in(limit_file), _number_in(used_file)
        if limit is not None and used is not None:
            available = min(available, max(limit - used, 0))
    return available


def _number_in(name: str) -> int | None:
    try:
        with open(name, encoding="ascii") as stream:
            content = stream.read().strip()
    except OSError:
        return None
    return int(content) if content.isdigit() else None


def peak_memory() -> int:
    """Peak bytes of this process so far: resident, and on an accelerator what PyTorch took there."""
    resident = _peak_resident()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return resident + int(torch.cuda.max_memory_allocated())
    return resident


def _peak_resident() -> int:
    try:
        # Of this program alone; getrusage also counts what the parent had before it started this one.
        with open("/proc/self/status", encoding="ascii") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))  # Windows has no getrusage
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _cpu_has_bf16() -> bool:
    """Hardware bf16 products (AVX512-BF16, AMX or Arm BF16); emulated bf16 is slower than fp32."""
    import torch

    if torch.backends.cpu.get_cpu_capability() in ("DEFAULT", "AVX2", "NO AVX"):
        return _flag_in_cpuinfo("bf16")
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()) or _flag_in_cpuinfo("bf16")


def _flag_in_cpuinfo(flag: str) -> bool:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            return any(flag in line.split() for line in lines if line.startswith("Features"))
    except OSError:
        return False


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()


def _measure_flops(device: Device) -> float:
    """Operations a second of a 1024 x 1024 x 1024 product in the compute type: the best of the tries of half a second, because other
    processes slow down most of them where the machine is busy."""
    import torch

    where, dtype = torch_device(device), compute_dtype(device)
    size = 1024
    left = torch.randn(size, size, device=where).to(dtype)
    right = torch.randn(size, size, device=where).to(dtype)
    best = float("inf")
    begin = time.perf_counter()
    for tries in itertools.count():
        start = time.perf_counter()
        if tries >= _FEWEST_TRIES and start - begin > _MEASURING_SECONDS:
            break
        product = left @ right
        product[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
