"""Which format reads a path, and what the path's content is worth as a fingerprint.

In: a path. Out: a `Format`, a SHA-256. It looks at no rows.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from sonmat import plugins
from sonmat.core.errors import DataError
from sonmat.core.protocols import Format
from sonmat.core.text import Text
from sonmat.reading.encoding import empty_file, unreadable_file
from sonmat.runs.files import sha256_of, sha256_of_file


def find_format(path: Path) -> Format:
    """The format that reads `path`.

    Raises:
        DataError: there is no such path, nothing is in it, or no format reads it.
    """
    if not path.exists():
        raise _missing(path)
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise empty_file(path)
        formats = [format for format in plugins.every("formats") if format.matches(path)]
    except OSError as error:
        raise unreadable_file(path, error) from error
    if not formats:
        raise _unsupported(path)
    return formats[0]


def data_fingerprint(data: Sequence[str]) -> str:
    """SHA-256 of the content of one path, or over those of several."""
    digests = [_fingerprint_of_path(Path(each)) for each in data]
    return digests[0] if len(digests) == 1 else sha256_of(digests)


def _fingerprint_of_path(path: Path) -> str:
    """SHA-256 of the content of a file, or of the names and contents of a folder's files, hidden ones left out.

    Raises:
        DataError: there is no such path, or it cannot be read.
    """
    if not path.exists():
        raise _missing(path)
    try:
        if path.is_file():
            return sha256_of_file(path)
        digest = hashlib.sha256()
        for file in sorted(_visible_files(path)):
            digest.update(f"{file.relative_to(path).as_posix()}\0{sha256_of_file(file)}\n".encode())
        return digest.hexdigest()
    except OSError as error:
        raise unreadable_file(path, error) from error


def _visible_files(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _visible_files(entry)
        else:
            yield entry


def _missing(path: Path) -> DataError:
    parent = path.parent
    names = [entry.name for entry in parent.iterdir() if not entry.name.startswith(".")] if parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.5)
    what = Text(en=f"There is no file or folder {path}.", ko=f"{path}(이)라는 파일이나 폴더가 없습니다.")
    if close:
        listed = ", ".join(str(parent / name) for name in close)
        return DataError(what, Text(en=f"Did you mean {listed}?", ko=f"{listed}을(를) 뜻하셨나요?"))
    where = parent.resolve()
    if not parent.is_dir():
        return DataError(what, Text(en=f"The folder {where} is not there either.", ko=f"폴더 {where}도 없습니다."))
    return DataError(what, Text(en=f"Looked in {where}. Check the name.", ko=f"{where}에서 찾았습니다. 이름을 확인하세요."))


def _unsupported(path: Path) -> DataError:
    known = sorted({suffix for format in plugins.every("formats") for suffix in format.suffixes})
    listed = ", ".join(known)
    return DataError(
        Text(
            en=f"{path} cannot be read: '{path.suffix or path.name}' is no known kind of file.",
            ko=f"{path}을(를) 읽을 수 없습니다. '{path.suffix or path.name}'은(는) 지원하지 않는 종류입니다.",
        ),
        Text(
            en=f"Supported: {listed}, and a folder of pictures with a folder a class.",
            ko=f"지원하는 것: {listed}, 분류마다 폴더가 있는 그림 폴더.",
        ),
    )
