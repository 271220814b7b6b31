"""What the training benchmarks share: every measurement in a process of its own, the machine's matrix rate, Markdown tables.

In: a program, its arguments. Out: the JSON object that the program's last line of output is. A process that was asked for a peer
that is not installed says so in `skipped`; one that died says how in `failed`. What a process writes beside its result is deleted.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

Measured = dict[str, Any]

AS_JOB = "-as-job"
"""Behind the name of a peer's run that starts as Sonmat's jobs do."""


def measured_in_its_own_process(module: str, arguments: Sequence[str], *, as_job: bool = False) -> Measured:
    """What the program `module` printed last, as JSON; warnings and progress bars of peers are kept out of sight unless it dies.

    Args:
        as_job: start it as Sonmat starts its jobs (threads, huge pages), and not as a shell would.
    """
    from sonmat.inference.process_setup import worker_environment

    quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1", "PYTHONWARNINGS": "ignore"}
    started = worker_environment(os.environ) if as_job else os.environ
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            capture_output=True,
            text=True,
            env={**started, **quiet, "TMPDIR": folder},
            cwd=Path(__file__).resolve().parents[1],
            check=False,
        )
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        print("\n".join(lines[-6:]), file=sys.stderr)
        return {"failed": lines[-1][:200]}
    found: Measured = json.loads(done.stdout.strip().splitlines()[-1])
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def in_turns(names: Sequence[str], repeats: int) -> Iterator[str]:
    """A B C A B C: what changes on the machine in the meantime meets all alike."""
    for _ in range(repeats):
        yield from names


QUIET_TRAINER = {
    "dataloader_pin_memory": False,
    "report_to": "none",
    "save_strategy": "no",
    "logging_strategy": "no",
    "disable_tqdm": True,
    "seed": 0,
}
"""Of Transformers' TrainingArguments: nothing but training."""


def gemm_rate(dtype: str) -> float:
    """Operations a second of square matrix products in `dtype`: the best of some tries at two sizes."""
    import torch

    best = 0.0
    for size in (1024, 2048):
        left = torch.randn(size, size).to(getattr(torch, dtype))
        right = torch.randn(size, size).to(getattr(torch, dtype))
        for _ in range(6):
            start = time.perf_counter()
            torch.mm(left, right)
            best = max(best, 2 * size**3 / (time.perf_counter() - start))
    return best


def compute_type() -> str:
    """The type that both sides' products run in: bf16 where the hardware has it."""
    from sonmat.inference.device import compute_dtype, detect_device

    return str(compute_dtype(detect_device())).removeprefix("torch.")


def middle(runs: Sequence[Measured], name: str) -> float | None:
    """The median over the runs that have a value."""
    values = [run[name] for run in runs if run.get(name) is not None]
    return statistics.median(values) if values else None


def spread(runs: Sequence[Measured], name: str, digits: int = 0) -> str:
    """The median, and in brackets the lowest and highest where there is more than one run."""
    values = sorted(run[name] for run in runs if run.get(name) is not None)
    if not values:
        return "–"
    shown = f"{statistics.median(values):,.{digits}f}"
    return shown if len(values) == 1 else f"{shown} ({values[0]:,.{digits}f}–{values[-1]:,.{digits}f})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def circumstances() -> str:
    """Command, machine, date and versions: what has to stand beside every figure."""
    from importlib.metadata import PackageNotFoundError, version

    from sonmat.inference.device import detect_device

    versions = []
    for name in ("torch", "transformers", "peft", "trl", "setfit"):
        try:
            versions.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            versions.append(f"{name} not installed")
    device = detect_device()
    load = f"load average before: {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    lines = [
        f"Command: `python -m {' '.join([f'benchmarks.{Path(sys.argv[0]).stem}', *sys.argv[1:]])}`",
        f"Machine: {device.name}, {device.cores} cores, {device.memory_bytes / 2**30:.0f} GiB free, {platform.system()}",
        f"Date: {date.today().isoformat()}. {', '.join(versions)}. {load}",
    ]
    return "\n".join(f"- {line}" for line in lines)
