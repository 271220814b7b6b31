"""Does one job of a run in a process of its own: `python -m sonmat.worker RUN JOB`.

A job is "fit/CANDIDATE" (train it), "fit/CANDIDATE@FOLD" (train it for one fold of a cross-validation), "answer/CANDIDATE"
(answer the sealed test set), "replay/CANDIDATE" (answer a few test questions again with the released model) or
"profile/CANDIDATE" (find out on a few steps where the time of its training goes). Events go to the candidate's `events.jsonl`;
errors are its last event. A line "pause" on standard input, or its end, asks the job to pause.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from sonmat.core.errors import ResourceError, RunError, SonmatError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.inference.process_setup import set_up_this_process
from sonmat.runs import EventLog, RunFolder
from sonmat.steps.fit import fit_candidate, profile_candidate
from sonmat.steps.prove import answer_candidate
from sonmat.steps.release import replay_candidate

Job = Callable[[RunFolder, str, Emit, Callable[[], bool]], None]

LOCK_SECONDS = 60.0

JOBS: Final[dict[str, Job]] = {
    "fit": fit_candidate,
    "answer": answer_candidate,
    "replay": replay_candidate,
    "profile": profile_candidate,
}


def main(arguments: list[str]) -> int:
    """Do the job that `arguments` (run folder, job) name; returns the exit code."""
    set_up_this_process()
    folder = RunFolder(Path(arguments[0]))
    kind, candidate = arguments[1].split("/", 1)
    emit = EventLog(folder.candidate_folder(candidate) / "events.jsonl", kind)
    pause = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: pause.set())
    threading.Thread(target=_listen, args=(pause,), daemon=True).start()
    try:
        # A worker whose parent was killed may still be finishing its step.
        with FileLock(folder.candidate_folder(candidate) / ".lock", timeout=LOCK_SECONDS):
            JOBS[kind](folder, candidate, emit, pause.is_set)
    except Timeout:
        return _report(emit, _busy(candidate))
    except SonmatError as error:
        return _report(emit, error)
    except (MemoryError, RuntimeError, OSError) as error:
        known = _resource_error(error)
        if known is None:
            raise
        return _report(emit, known)
    return 0


def _listen(pause: threading.Event) -> None:
    """Set `pause` when the parent says so or is gone; other launchers than `executors.local` give no such pipe."""
    if os.environ.get("SONMAT_CONTROL") != "stdin":
        return
    sys.stdin.readline()
    pause.set()


def _report(emit: Emit, error: SonmatError) -> int:
    fix = error.fix.model_dump() if error.fix is not None else None
    emit("failed", error.what, error=type(error).__name__, fix=fix)
    return error.exit_code


def _resource_error(error: Exception) -> ResourceError | None:
    """The lack of memory or disk behind an error of PyTorch, safetensors or the system; None if it is something else."""
    words = str(error).lower()
    if isinstance(error, MemoryError) or "can't allocate memory" in words or "out of memory" in words:
        return _out_of_memory()
    if "no space left" in words or (isinstance(error, OSError) and error.errno == errno.ENOSPC):
        return ResourceError(
            Text(en=f"The disk is full: {error}.", ko=f"디스크가 가득 찼습니다: {error}."),
            Text(
                en="Free some space and run again: it continues where it was.",
                ko="공간을 비우고 다시 실행하면 멈춘 곳부터 이어집니다.",
            ),
        )
    return None


def _busy(candidate: str) -> RunError:
    return RunError(
        Text(en=f"Another process is still working on {candidate}.", ko=f"다른 프로세스가 아직 {candidate} 작업 중입니다."),
        Text(en="Wait for it, or stop it first.", ko="끝나기를 기다리거나 먼저 멈추세요."),
    )


def _out_of_memory() -> ResourceError:
    return ResourceError(
        Text(en="Memory ran out.", ko="메모리가 부족합니다."),
        Text(
            en="Choose a smaller base, or a smaller batch_size or micro_batch_tokens.",
            ko="더 작은 모델이나 더 작은 batch_size, micro_batch_tokens를 고르세요.",
        ),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
