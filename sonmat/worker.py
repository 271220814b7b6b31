"""Does one job of a run in a process of its own: `python -m sonmat.worker RUN JOB`.

A job is "fit/CANDIDATE" (train it), "answer/CANDIDATE" (answer the sealed test set) or "replay/CANDIDATE" (answer a few test
questions again with the released model). Events go to the candidate's `events.jsonl`; errors are its last event. A line
"pause" on standard input, or its end, asks the job to pause.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sonmat.core.errors import ResourceError, SonmatError
from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.runs import EventLog, RunFolder
from sonmat.steps.fit import fit_candidate
from sonmat.steps.prove import answer_candidate
from sonmat.steps.release import replay_candidate

Job = Callable[[RunFolder, str, Emit, Callable[[], bool]], None]

JOBS: Final[dict[str, Job]] = {"fit": fit_candidate, "answer": answer_candidate, "replay": replay_candidate}


def main(arguments: list[str]) -> int:
    """Do the job that `arguments` (run folder, job) name; returns the exit code."""
    folder = RunFolder(Path(arguments[0]))
    kind, candidate = arguments[1].split("/", 1)
    emit = EventLog(folder.candidate_folder(candidate) / "events.jsonl", kind)
    pause = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: pause.set())
    threading.Thread(target=_listen, args=(pause,), daemon=True).start()
    try:
        JOBS[kind](folder, candidate, emit, pause.is_set)
    except MemoryError:
        return _report(emit, _out_of_memory())
    except SonmatError as error:
        return _report(emit, error)
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
