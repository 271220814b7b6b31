"""Answers of endpoints that have come, so that none is paid for twice: one file an endpoint, a line an answer, append-only.

In: the fingerprint of a request and its reply. Out: the same reply, also after a kill or in another process. The question itself is
not kept here, nor is any key. A line that a kill cut short is left out, and its question is asked again.
"""

from __future__ import annotations

import json
import os
import re
import threading
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from sonmat.core.values import Json, Value
from sonmat.inference.endpoint.address import Address
from sonmat.runs.files import sha256_of


class Reply(Value):
    """What came back for one question."""

    text: str
    tool_calls: tuple[Json, ...] = ()
    ended: str = "stop"
    """As the endpoint says: 'stop', 'length' where the answer was cut, 'content_filter' where it was withheld. 'refused' where the
    endpoint would not take the question, which is told apart from a request that failed."""
    input_tokens: int | None = None
    """As the endpoint counted; None where it did not say."""
    output_tokens: int | None = None
    seconds: float
    """Wall seconds of the request that was answered; waiting before it not counted."""
    model: str = ""
    """What the endpoint calls the model that answered."""
    own_temperature: bool = False
    """Whether the endpoint refused temperature 0, so that the answer is drawn at random."""


class KeptReplies:
    """The replies of one endpoint, in `folder`; only in memory, if that is None."""

    def __init__(self, folder: Path | None, address: Address) -> None:
        self._path = folder / _file_name(address) if folder is not None else None
        self._lock = threading.Lock()
        self._replies: dict[str, Reply] = {}
        for line in self._path.read_bytes().splitlines() if self._path is not None and self._path.exists() else ():
            try:
                document = json.loads(line)
                self._replies[document["request"]] = Reply.model_validate(document["reply"])
            except (ValueError, ValidationError, KeyError, TypeError):
                continue

    def get(self, request: str) -> Reply | None:
        return self._replies.get(request)

    def keep(self, request: str, reply: Reply) -> None:
        """On the disk when this returns; may be called from several threads."""
        line = json.dumps(
            {"request": request, "reply": reply.model_dump(mode="json", exclude_defaults=True)}, ensure_ascii=False
        )
        with self._lock:
            self._replies[request] = reply
            if self._path is None:
                return
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab+") as stream:
                stream.write((b"" if _ends_with_newline(stream) else b"\n") + line.encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())


def _file_name(address: Address) -> str:
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{address.host}-{address.model}")[:80]
    return f"{plain}-{sha256_of(address.url, address.model)[:8]}.jsonl"


def _ends_with_newline(stream: BinaryIO) -> bool:
    if stream.seek(0, os.SEEK_END) == 0:
        return True
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) == b"\n"
