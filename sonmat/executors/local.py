"""Runs a job in a process of its own on this machine, so that an out-of-memory kill takes nothing else down.

In: a run, the name of a job, and who wants to hear its events. The job's process is `python -m sonmat.worker RUN JOB`; it is
asked to pause through its standard input, whose end it also takes for the death of its parent. The first Ctrl-C pauses, the
second kills.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sonmat.core import errors
from sonmat.core.errors import Paused, SonmatError, WorkerFailed
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Event
from sonmat.inference.process_setup import worker_environment
from sonmat.runs import RunFolder, read_events

KILLED = 9
POLL_SECONDS = 0.1
LOG_LINES_SHOWN = 8


def run_locally(folder: RunFolder, job: str, tell: Callable[[Event], None]) -> None:
    """Do `job` and return when it is done.

    Args:
        job: "fit/CANDIDATE", "fit/CANDIDATE@FOLD", "answer/CANDIDATE", "replay/CANDIDATE" or "profile/CANDIDATE".
    Raises:
        Paused: Ctrl-C; the job can be continued.
        SonmatError: what the job itself raised, or `WorkerFailed` if its process died.
    """
    candidate_folder = folder.candidate_folder(job.split("/", 1)[1])
    candidate_folder.mkdir(parents=True, exist_ok=True)
    events_file, log_file = candidate_folder / "events.jsonl", candidate_folder / "worker.log"
    offset = events_file.stat().st_size if events_file.exists() else 0
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            # -P: a random.py beside the user's data must not be taken for Python's own.
            [sys.executable, "-P", "-m", "sonmat.worker", str(folder.path), job],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**worker_environment(os.environ), "SONMAT_CONTROL": "stdin"},
            # Ctrl-C in the terminal must reach this process alone, which then asks the worker to pause.
            **_out_of_reach(),
        )
    failure: Event | None = None
    pausing = False
    try:
        while True:
            try:
                running = process.poll() is None
                for event, behind in read_events(events_file, offset):
                    offset = behind
                    failure = event if event.kind == "failed" else failure
                    tell(event)
                if not running:
                    break
                time.sleep(POLL_SECONDS)
            except KeyboardInterrupt:
                if pausing:
                    raise
                pausing = True
                _ask_to_pause(process)
                tell(_pausing_event(job))
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if process.returncode != 0:
        raise _error(failure, process.returncode, log_file)


def _out_of_reach() -> dict[str, Any]:
    """How to start a process that the terminal's Ctrl-C does not reach."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _ask_to_pause(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        try:
            process.stdin.write(b"pause\n")
            process.stdin.flush()
        except OSError:
            return  # It has ended by itself in the meantime.


def _pausing_event(job: str) -> Event:
    return Event(
        at=time.time(),
        kind="pausing",
        step=job.split("/", 1)[0],
        message=Text(
            en="Pausing after the step in hand; Ctrl-C again stops at once.",
            ko="지금 단계까지 하고 멈춥니다. Ctrl-C를 한 번 더 누르면 바로 멈춥니다.",
        ),
    )


def _error(failure: Event | None, code: int, log_file: Path) -> SonmatError:
    if failure is not None and failure.message is not None:
        kind = getattr(errors, str(failure.data.get("error")), WorkerFailed)
        fix = failure.data.get("fix")
        found: SonmatError = kind(failure.message, Text.model_validate(fix) if fix else None)
        return found
    if code == -KILLED:
        return WorkerFailed(
            Text(
                en="The worker was killed from outside, most likely because memory ran out.",
                ko="작업 프로세스가 외부에서 강제 종료되었습니다. 메모리 부족일 가능성이 큽니다.",
            ),
            Text(
                en="Close other programs, or choose a smaller base or batch_size, and run again: it continues where it was.",
                ko="다른 프로그램을 닫거나 더 작은 모델·batch_size를 고른 뒤 다시 실행하세요. 멈춘 곳부터 이어집니다.",
            ),
        )
    last_lines = "\n".join(log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:])
    if code == -signal.SIGTERM:
        return Paused(verbatim(last_lines or "SIGTERM"))
    return WorkerFailed(
        Text(
            en=f"The worker ended with code {code}. The end of {log_file}:\n{last_lines}",
            ko=f"작업 프로세스가 코드 {code}(으)로 끝났습니다. {log_file}의 끝부분:\n{last_lines}",
        ),
        Text(
            en="If the reason is not clear from this, please report it with that file.",
            ko="원인을 알 수 없다면 이 파일과 함께 알려 주세요.",
        ),
    )
