"""What is said of this machine is of this process and this container."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sonmat.inference import device


def test_a_small_child_of_a_large_parent_reports_its_own_memory() -> None:
    ballast = bytearray(600 << 20)
    ballast[:: 1 << 12] = b"x" * len(ballast[:: 1 << 12])
    code = "from sonmat.inference.device import peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 10 << 20 < int(done.stdout) < 300 << 20
    assert device.peak_memory() > 600 << 20
    del ballast


def test_a_containers_limit_counts_less_what_it_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max").write_text(str(3 << 20))
    (tmp_path / "current").write_text(str(1 << 20))
    monkeypatch.setattr(device, "CONTAINER_FILES", ((str(tmp_path / "max"), str(tmp_path / "current")),))
    assert device.available_memory() == 2 << 20
    (tmp_path / "max").write_text("max")
    assert device.available_memory() > 100 << 20


def test_the_device_has_what_methods_ask_for() -> None:
    found = device.detect_device()
    assert found.cores >= 1
    assert found.memory_bytes > 100 << 20
    assert found.kind in ("cpu", "cuda", "mps")
