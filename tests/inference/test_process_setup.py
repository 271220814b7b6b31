"""Threads, allocator and huge pages of a process that computes: from the machine, and never against the user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sonmat.inference import process_setup as setup
from sonmat.inference.process_setup import setup_under, usable_cores, worker_environment


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty machine: write files of /sys and /proc into it."""
    monkeypatch.setattr(setup, "_SYSTEM", tmp_path / "sys")
    monkeypatch.setattr(setup, "_PROC", tmp_path / "proc")
    monkeypatch.setattr(setup, "_glibc_version", lambda: (2, 36))
    monkeypatch.setattr(setup, "installed_allocator", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    return tmp_path


def write(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="ascii")


def processors(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(setup, "_allowed_processors", lambda: list(range(count)))


def siblings(machine: Path, pairs: dict[int, str]) -> None:
    for number, names in pairs.items():
        write(machine / f"sys/devices/system/cpu/cpu{number}/topology/thread_siblings_list", names + "\n")


def test_two_threads_of_a_core_count_once(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 4)
    siblings(machine, {0: "0,2", 1: "1,3", 2: "0,2", 3: "1,3"})
    assert usable_cores() == 2


def test_where_siblings_are_not_told_each_processor_counts(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 4)
    assert usable_cores() == 4


def test_no_more_than_64_threads_are_used(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 192)
    assert usable_cores() == 64


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("200000 100000", 2), ("150000 100000", 1), ("50000 100000", 1), ("max 100000", 8), ("290000 100000", 3)],
)
def test_the_quota_of_a_container_bounds_the_threads(
    machine: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    processors(monkeypatch, 8)
    write(machine / "sys/fs/cgroup/cpu.max", quota)
    assert usable_cores() == cores


def test_the_tightest_of_the_groups_above_counts(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 8)
    write(machine / "proc/self/cgroup", "0::/user/job\n")
    write(machine / "sys/fs/cgroup/user/job/cpu.max", "600000 100000")
    write(machine / "sys/fs/cgroup/user/cpu.max", "300000 100000")
    assert usable_cores() == 3


@pytest.mark.parametrize(("quota", "cores"), [("400000", 4), ("-1", 8)])
def test_the_first_version_of_control_groups_is_read_too(
    machine: Path, monkeypatch: pytest.MonkeyPatch, quota: str, cores: int
) -> None:
    processors(monkeypatch, 8)
    write(machine / "sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota)
    write(machine / "sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000")
    assert usable_cores() == cores


def test_what_the_user_has_set_is_never_changed(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 8)
    monkeypatch.setattr(setup, "installed_allocator", lambda: "libjemalloc.so.2")
    write(machine / "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never")
    asked = {
        "OMP_NUM_THREADS": "3",
        "LD_PRELOAD": "",
        "GLIBC_TUNABLES": "glibc.malloc.check=1",
        "THP_MEM_ALLOC_ENABLE": "0",
        "HOME": "x",
    }
    found = worker_environment(asked)
    assert {name: found[name] for name in asked} == asked
    # One library asked for three threads: the other is not left with eight.
    assert found["MKL_NUM_THREADS"] == "3"
    assert "MALLOC_CONF" not in found


def test_an_installed_allocator_is_taken_and_glibc_left_alone(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 2)
    monkeypatch.setattr(setup, "installed_allocator", lambda: "libjemalloc.so.2")
    write(machine / "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never")
    found = worker_environment({})
    assert found["LD_PRELOAD"] == "libjemalloc.so.2"
    assert "MALLOC_CONF" in found
    assert "GLIBC_TUNABLES" not in found
    assert setup_under(found).allocator == "jemalloc"


@pytest.mark.parametrize(
    ("mode", "said"),
    [("always [madvise] never", "asked for"), ("[always] madvise never", "always"), ("always madvise [never]", "no")],
)
def test_huge_pages_are_asked_for_only_where_the_system_allows_it(
    machine: Path, monkeypatch: pytest.MonkeyPatch, mode: str, said: str
) -> None:
    processors(monkeypatch, 2)
    write(machine / "sys/kernel/mm/transparent_hugepage/enabled", mode)
    found = worker_environment({})
    assert ("GLIBC_TUNABLES" in found) == (said != "no")
    assert setup_under(found).huge_pages == said
    assert setup_under({}).huge_pages == ("always" if said == "always" else "no")


def test_an_old_c_library_is_not_asked_for_what_it_does_not_know(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 2)
    monkeypatch.setattr(setup, "_glibc_version", lambda: (2, 31))
    write(machine / "sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never")
    assert "GLIBC_TUNABLES" not in worker_environment({})


def test_other_systems_than_linux_get_threads_alone(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 2)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert worker_environment({}) == {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}


def test_a_worker_of_another_launcher_gets_the_threads_too(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    processors(monkeypatch, 5)
    for name in setup.THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", "0")
    before = dict(os.environ)
    try:
        setup.set_up_this_process()
        assert os.environ["OMP_NUM_THREADS"] == "5"
        assert os.environ["THP_MEM_ALLOC_ENABLE"] == "0"
        assert "LD_PRELOAD" not in os.environ or "LD_PRELOAD" in before
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
