"""What this machine has and reaches: the facts behind `sonmat doctor`.

In: nothing. Out: `Machine`. It measures and asks; it prints and changes nothing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sonmat.core.values import Value
from sonmat.inference.process_setup import ProcessSetup, setup_under, worker_environment

PACKAGES = ("torch", "transformers", "accelerate", "peft", "huggingface-hub", "kiwipiepy")
INDEX_SECONDS = 3
_PIP_STARTS_SECONDS = 12


class Machine(Value):
    """What was found, in bytes and operations a second."""

    sonmat: str
    python: str
    device: str
    device_name: str
    cores: int
    memory_bytes: int
    """Of main memory or the accelerator, free now."""
    disk_free_bytes: int
    """Where models are kept."""
    bf16: bool
    gpu: bool
    flops_per_second: float
    """Measured in matrix products of the type that is computed in."""
    process: ProcessSetup
    """What jobs start with here."""
    packages: dict[str, str | None]
    """Versions; None where one is missing."""
    cache_folder: str
    cache_bytes: int
    hub_reachable: bool
    index_reachable: bool


def examine() -> Machine:
    """Look at the machine; takes a few seconds, of which the network may take six."""
    from sonmat import __version__
    from sonmat.inference.device import detect_device
    from sonmat.models import cache_folder
    from sonmat.models.hub import is_reachable

    device, cache = detect_device(measure=True), cache_folder()
    return Machine(
        sonmat=__version__,
        python=".".join(str(part) for part in sys.version_info[:3]),
        device=device.kind,
        device_name=device.name,
        cores=device.cores,
        memory_bytes=device.memory_bytes,
        disk_free_bytes=shutil.disk_usage(_nearest_existing(cache)).free,
        bf16=device.bf16,
        gpu=device.kind != "cpu",
        flops_per_second=device.flops_per_second,
        process=setup_under(worker_environment(os.environ)),
        packages={name: _version(name) for name in PACKAGES},
        cache_folder=str(cache),
        cache_bytes=_size(cache),
        hub_reachable=is_reachable(),
        index_reachable=index_answers(),
    )


def _nearest_existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def index_answers() -> bool:
    """Whether pip, as it is set up here, gets an answer from its package index; asked about pip itself."""
    command = [sys.executable, "-m", "pip", "index", "versions", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["--timeout", str(INDEX_SECONDS), "--retries", "0"]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=INDEX_SECONDS + _PIP_STARTS_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    return asked.returncode == 0
