"""What this machine can compute with: cores, memory, bf16, accelerator, and the measured rate of its matrix products."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

import psutil

from sonmat.core.values import Device

if TYPE_CHECKING:
    import torch


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


def usable_cores() -> int:
    """Cores that this process may use, which can be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int:
    """Bytes of main memory that can be taken without swapping, within the limit of a container."""
    available = psutil.virtual_memory().available
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(name, encoding="ascii") as stream:
                limit = stream.read().strip()
        except OSError:
            continue
        if limit.isdigit():
            available = min(available, int(limit))
    return available


def peak_memory() -> int:
    """Peak resident bytes of this process so far."""
    try:
        import resource
    except ImportError:
        return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))  # Windows has no getrusage
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes (getrusage(2) of each).
    return peak if os.uname().sysname == "Darwin" else peak * 1024


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
    """Operations a second of a 1024 x 1024 x 1024 product in the compute type: the best of a few tries."""
    import torch

    where, dtype = torch_device(device), compute_dtype(device)
    size = 1024
    left = torch.randn(size, size, device=where).to(dtype)
    right = torch.randn(size, size, device=where).to(dtype)
    best = float("inf")
    for _ in range(8):
        start = time.perf_counter()
        product = left @ right
        product[0, 0].item()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
