"""`sonmat doctor`: what this machine can do, and what stands in the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonmat.cli.options import AsJson
from sonmat.core.text import Text, reader_language

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.cli.machine import Machine
    from sonmat.inference.process_setup import ProcessSetup

HELP = Text(
    en="Say what this machine can do. Cores, memory, GPU, speed, network and packages.",
    ko="이 기계를 진단합니다. 코어, 메모리, GPU, 속도, 네트워크, 패키지를 확인합니다.",
)
LITTLE_DISK_BYTES = 5_000_000_000
LITTLE_MEMORY_BYTES = 3_000_000_000


def doctor(as_json: AsJson = False) -> None:
    from sonmat.cli.console import console, print_json
    from sonmat.cli.machine import examine

    found = examine()
    if as_json:
        print_json({"doctor": found})
        return
    _print(console(), found)


def _print(screen: Console, found: Machine) -> None:
    from rich.table import Table

    from sonmat.cli.console import show

    grid = Table.grid(padding=(0, 2))
    grid.add_column(width=1)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for good, title, value in _lines(found):
        grid.add_row("✓" if good else "!", str(title), value, style="" if good else "yellow")
    show(screen, grid)


def _lines(found: Machine) -> list[tuple[bool, Text, str]]:
    """What is shown: whether it is as it should be, its name, its value."""
    from sonmat.steps.report.phrasing import Phrasing

    size = Phrasing(reader_language()).size
    yes, no = Text(en="yes", ko="예"), Text(en="no", ko="아니요")
    reached, not_reached = Text(en="reachable", ko="연결됨"), Text(en="not reachable", ko="연결 안 됨")
    no_hub = Text(
        en="not reachable; catalogue models come from the package index",
        ko="연결 안 됨. 목록의 모델은 패키지 저장소에서 받습니다",
    )
    lines = [
        (True, Text(en="Sonmat", ko="손맛"), f"{found.sonmat} · Python {found.python}"),
        (True, Text(en="Computes on", ko="계산 장치"), f"{found.device_name} ({found.device})"),
        (True, Text(en="Cores", ko="코어"), str(found.cores)),
        (True, Text(en="Threads of a job", ko="작업의 스레드"), _threads(found.process)),
        (True, Text(en="Memory of a job", ko="작업의 메모리"), _memory(found.process)),
        (found.memory_bytes >= LITTLE_MEMORY_BYTES, Text(en="Free memory", ko="남은 메모리"), size(found.memory_bytes)),
        (found.disk_free_bytes >= LITTLE_DISK_BYTES, Text(en="Free disk", ko="남은 디스크"), size(found.disk_free_bytes)),
        (True, Text(en="GPU", ko="GPU"), str(yes if found.gpu else no)),
        (True, Text(en="bf16 in hardware", ko="하드웨어 bf16"), str(yes if found.bf16 else no)),
        (True, Text(en="Speed", ko="속도"), f"{found.flops_per_second / 1e9:,.0f} GFLOP/s"),
        (True, Text(en="Models", ko="모델 저장소"), f"{found.cache_folder} ({size(found.cache_bytes)})"),
        (
            found.hub_reachable,
            Text(en="Hugging Face hub", ko="Hugging Face 허브"),
            str(reached if found.hub_reachable else no_hub),
        ),
        (
            found.index_reachable,
            Text(en="Package index", ko="패키지 저장소"),
            str(reached if found.index_reachable else not_reached),
        ),
    ]
    missing = Text(en="missing: pip install {name}", ko="없음: pip install {name}")
    for name, found_version in found.packages.items():
        title = Text(en=name, ko=name)
        lines.append((found_version is not None, title, found_version or str(missing).format(name=name)))
    return lines


def _threads(setup: ProcessSetup) -> str:
    threads = str(setup.threads)
    if setup.logical == setup.cores:
        return threads
    said = Text(
        en=f"{threads} ({setup.logical} processors are shown, {setup.cores} cores may be used)",
        ko=f"{threads} (프로세서 {setup.logical}개 중 코어 {setup.cores}개를 쓸 수 있음)",
    )
    return str(said)


def _memory(setup: ProcessSetup) -> str:
    pages = {
        "always": Text(en="huge pages everywhere", ko="항상 큰 페이지"),
        "asked for": Text(en="huge pages asked for", ko="큰 페이지 요청"),
        "no": Text(en="no huge pages", ko="큰 페이지 없음"),
    }
    return f"{setup.allocator}, {pages[setup.huge_pages]}"
