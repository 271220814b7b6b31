"""Lines that people's work adds to a file, one at a time: each is on the disk before the next question is asked.

In: a path and a line. Out: the file with the line behind all others. A kill can leave half a last line: readers skip what they cannot
read, and the next writer starts on a fresh line. It knows nothing of what lines say.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def append_line(path: Path, line: str) -> None:
    """Write `line` so that it survives whatever happens next: one write at the end of the file, then fsync."""
    content = line.encode() + b"\n"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(descriptor).st_size
        if size:
            os.lseek(descriptor, size - 1, os.SEEK_SET)
            if os.read(descriptor, 1) != b"\n":
                content = b"\n" + content
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def lines_of(path: Path) -> Iterator[bytes]:
    """Every line that is not empty; none where there is no file."""
    if path.exists():
        yield from (line for line in path.read_bytes().split(b"\n") if line.strip())
