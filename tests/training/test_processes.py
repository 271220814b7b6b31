"""Two processes are one: the same rows, order and settings give the same weights."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).with_name("two_processes.py")
ROOT = SCRIPT.parents[2]


@pytest.mark.real
@pytest.mark.parametrize("weighted", [(), ("weighted",)])
def test_two_processes_give_the_weights_of_one(tmp_path: Path, weighted: tuple[str, ...]) -> None:
    results = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        subprocess.run(
            [*launcher, "-m", "tests.training.two_processes", str(folder), *weighted],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=300,
        )
        results.append(torch.load(folder / "result.pt"))
    one, two = results
    assert one["steps"] == two["steps"]
    assert weighted or one["steps"] == 18
    # Their lengths too, because AdamW forgives gradients of a wrong scale.
    assert two["norms"] == pytest.approx(one["norms"], rel=1e-4)
    assert torch.allclose(one["weights"], two["weights"], atol=1e-6)


@pytest.mark.real
def test_two_processes_take_the_budget_that_the_first_has_found(tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*launcher, "-m", "tests.training.two_processes", str(tmp_path), "probed"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=300)
    first, second = (torch.load(tmp_path / f"budget{rank}.pt") for rank in range(2))
    assert first == second
    assert first["reason"] == "probed"
    assert torch.load(tmp_path / "result.pt")["steps"] == 18


@pytest.mark.real
def test_of_two_processes_one_computes_the_frozen_layers_and_both_train_as_one_would(tmp_path: Path) -> None:
    norms, computed = [], []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        subprocess.run(
            [*launcher, "-m", "tests.training.two_processes_frozen", str(folder)],
            cwd=ROOT,
            check=True,
            capture_output=True,
            timeout=300,
        )
        results = [torch.load(folder / f"{rank}.pt") for rank in range(processes)]
        norms.append(results[0]["norms"])
        computed.append(sum(result["computed"] for result in results))
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)
    assert computed == [12, 12]


@pytest.mark.real
def test_processes_that_are_late_see_otherwise_or_are_asked_alone_still_go_together(tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    command = [*launcher, "-m", "tests.training.two_processes_apart", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    assert (first["paused_at"], first["resumed"], first["steps"]) == (4, [3], 18)
    assert torch.equal(first.pop("weights"), second.pop("weights"))
    assert first == second
