"""Pictures and sounds that lie inside a table, as files, because the rest of Sonmat knows media by their paths.

In: bytes of one picture or sound. Out: the absolute path of a file with these bytes. The files are there until the reading
ends that made them; the load step copies what it keeps.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path, PurePath
from types import TracebackType

_MAGIC = (
    (0, b"\x89PNG\r\n\x1a\n", ".png"),
    (0, b"\xff\xd8\xff", ".jpg"),
    (8, b"WEBP", ".webp"),
    (0, b"GIF8", ".gif"),
    (0, b"II*\0", ".tiff"),
    (0, b"MM\0*", ".tiff"),
    (8, b"WAVE", ".wav"),
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    (0, b"ID3", ".mp3"),
    (0, b"\xff\xfb", ".mp3"),
    (0, b"\xff\xf3", ".mp3"),
)


class MediaFiles:
    """A temporary folder of media, made when the first is kept and removed when the block ends."""

    def __init__(self) -> None:
        self._folder: Path | None = None

    def __enter__(self) -> MediaFiles:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def keep(self, content: bytes, name: str | None = None) -> str:
        """The path of a file with this content; `name`, if the source gives one, tells its kind where the content does not."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sonmat-media-"))
        suffix = media_suffix(content) or PurePath(name or "").suffix.lower()
        path = self._folder / f"{hashlib.sha256(content).hexdigest()}{suffix}"
        if not path.exists():
            path.write_bytes(content)
        return str(path)


def media_suffix(content: bytes) -> str | None:
    """The ending of a picture's or sound's name, told by its first bytes; None for other content."""
    found = next((suffix for start, magic, suffix in _MAGIC if content.startswith(magic, start)), None)
    if found is None and content.startswith(b"BM") and content[6:10] == bytes(4):
        return ".bmp"
    return found
