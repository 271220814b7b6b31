"""Single compressed files: gzip and zstd, unpacked and packed as streams.

In: a path. Out: the unpacked file in a given folder, or a compressed file. What comes out is limited (see `room`); a file that
is cut off or damaged raises, so that its beginning is never taken for the whole.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.reading.encoding import unreadable_file
from sonmat.reading.room import Allowance

COMPRESSED_SUFFIXES = (".gz", ".zst")
_CHUNK_BYTES = 1 << 20
_ZSTD_PIECE_BYTES = 1 << 11
"""Packed bytes given to zstd at once. One of its 4-byte blocks can stand for 128 KiB, so that this bounds a piece to 64 MiB."""


def is_compressed_name(name: str) -> bool:
    return name.lower().endswith(COMPRESSED_SUFFIXES)


def decompress(path: Path, folder: Path) -> Path:
    """The unpacked file in `folder`, named like `path` without its last ending.

    Raises:
        DataError: the file is damaged, cut off, or a bomb.
        ResourceError: there is no room for it.
    """
    unpacked = folder / path.stem
    allowance = Allowance(path, folder)
    try:
        with path.open("rb") as packed, unpacked.open("wb") as out:
            for piece in _zstd_pieces(packed) if path.suffix.lower() == ".zst" else _gzip_pieces(packed):
                allowance.spend(len(piece))
                out.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile, _DamagedError) as error:
        raise damaged_archive(path, str(error)) from error
    except OSError as error:
        raise unreadable_file(path, error) from error
    return unpacked


@contextmanager
def plain_file(path: Path) -> Iterator[Path]:
    """`path` itself, or if it is compressed, the unpacked file for the length of the block."""
    if not is_compressed_name(path.name):
        yield path
        return
    with TemporaryDirectory(prefix="sonmat-unpacked-") as folder:
        yield decompress(path, Path(folder))


def compress(content: IO[bytes], out: IO[bytes], suffix: str) -> None:
    """Write `content` to `out`, compressed as the ending says; equal content gives equal bytes."""
    if suffix.lower() == ".zst":
        import zstandard

        zstandard.ZstdCompressor(level=10, write_checksum=True).copy_stream(content, out)
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as packed:
        while piece := content.read(_CHUNK_BYTES):
            packed.write(piece)


def damaged_archive(path: Path, detail: str) -> DataError:
    """The error for a packed file that does not unpack whole."""
    first = detail.strip().splitlines()[0].rstrip(".") if detail.strip() else "-"
    return DataError(
        Text(
            en=f"{path} cannot be unpacked: it is damaged or cut off ({first}).",
            ko=f"{path}의 압축을 풀 수 없습니다. 손상되었거나 잘렸습니다({first}).",
        ),
        Text(en="Copy or download the file again.", ko="파일을 다시 복사하거나 내려받으세요."),
    )


class _DamagedError(Exception):
    """zstd found no whole frame where one was due."""


def _gzip_pieces(packed: BinaryIO) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=packed) as stream:
        while piece := stream.read(_CHUNK_BYTES):
            yield piece


def _zstd_pieces(packed: BinaryIO) -> Iterator[bytes]:
    """Frame by frame, because zstandard's own readers take a frame that is cut off for a whole one."""
    import zstandard

    frame = None
    try:
        while piece := packed.read(_ZSTD_PIECE_BYTES):
            while piece:
                frame = frame or zstandard.ZstdDecompressor().decompressobj()
                yield frame.decompress(piece)
                piece = frame.unused_data if frame.eof else b""
                if frame.eof:
                    frame = None
    except zstandard.ZstdError as error:
        raise _DamagedError(str(error)) from error
    if frame is not None:
        raise _DamagedError("the last frame is not whole")
