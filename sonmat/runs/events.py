"""`events.jsonl`: what happened in a run, append-only, one writer. Displays and reports read it; nothing is ever rewritten.

A line is one `Event`. A kill can leave half a last line; readers skip it and the next writer starts on a fresh line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sonmat.core.text import Text
from sonmat.core.values import Event

Listener = Callable[[Event], None]


class EventLog:
    """Appends events to a file and tells listeners. Callable as `core.protocols.Emit`.

    Args:
        path: file to append to; None keeps nothing and only tells the listeners.
        step: name of the step that the events belong to.
    """

    def __init__(self, path: Path | None, step: str = "", listeners: tuple[Listener, ...] = ()) -> None:
        self.path = path
        self.step = step
        self.listeners = listeners

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        self.record(Event(at=time.time(), kind=kind, step=self.step, message=message, data=data))

    def record(self, event: Event) -> None:
        if self.path is not None:
            line = json.dumps(event.model_dump(mode="json"), ensure_ascii=False) + "\n"
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab+") as stream:
                stream.write((b"" if _ends_with_newline(stream) else b"\n") + line.encode())
        self.tell(event)

    def tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


def read_events(path: Path, offset: int = 0) -> Iterator[tuple[Event, int]]:
    """Every whole event after byte `offset`, each with the offset behind it; a half-written last line is left for later."""
    if not path.exists():
        return
    with path.open("rb") as stream:
        stream.seek(offset)
        for line in stream:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            try:
                yield Event.model_validate_json(line), offset
            except ValidationError:
                # A line torn by a kill; the writer after it started on a new line.
                continue


def _ends_with_newline(stream: Any) -> bool:
    stream.seek(0, 2)
    if stream.tell() == 0:
        return True
    stream.seek(-1, 2)
    return bool(stream.read(1) == b"\n")
