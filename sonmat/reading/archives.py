"""Archives of several files: ZIP and TAR, unpacked into a folder of their own.

In: a path and an empty folder. Out: the folder, filled. An archive is untrusted: members that would leave the folder, links,
devices, passwords, two members of one name, too many members and bombs are refused, and the error names the member. Files that
operating systems leave behind (__MACOSX, .DS_Store) are passed over.
"""

from __future__ import annotations

import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.reading.compressed import damaged_archive, decompress
from sonmat.reading.encoding import unreadable_file
from sonmat.reading.room import Allowance

ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst")
_CHUNK_BYTES = 1 << 20
_MOST_MEMBERS = 2_000_000
_DRIVE = re.compile(r"[A-Za-z]:")
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1


def is_archive_name(name: str) -> bool:
    return name.lower().endswith(ARCHIVE_SUFFIXES)


def extract(path: Path, folder: Path) -> None:
    """Unpack every file of the archive at `path` into `folder`.

    Raises:
        DataError: the archive is damaged, cut off, locked or a bomb, or a member may not be unpacked.
        ResourceError: there is no room for it.
    """
    try:
        if path.name.lower().endswith(".zip"):
            _unpack(_zip_members(path), path, folder, Allowance(path, folder))
        else:
            _extract_tar(path, folder)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, NotImplementedError) as error:
        raise damaged_archive(path, str(error)) from error
    except OSError as error:
        raise unreadable_file(path, error) from error


@dataclass(frozen=True)
class _Member:
    """A file to unpack: its name in the archive, and how to open its content."""

    name: str
    open: Callable[[], IO[bytes]]


def _unpack(members: Generator[_Member, None, None], path: Path, folder: Path, allowance: Allowance) -> None:
    with closing(members):
        for count, member in enumerate(members, start=1):
            if count > _MOST_MEMBERS:
                raise _refused(path, member.name, Text(en="is one of too many files", ko="까지 파일이 너무 많습니다"))
            _write(member, path, folder.joinpath(*_safe_parts(path, member.name)), allowance)


def _write(member: _Member, path: Path, target: Path, allowance: Allowance) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        out = target.open("xb")
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        why = Text(en="has the same name as another file", ko="은(는) 다른 파일과 이름이 같습니다")
        raise _refused(path, member.name, why) from None
    with out, member.open() as content:
        while piece := content.read(_CHUNK_BYTES):
            allowance.spend(len(piece))
            out.write(piece)


def _safe_parts(path: Path, name: str) -> tuple[str, ...]:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    outside = not parts or parts[0] == "/" or ".." in parts or _DRIVE.match(name) is not None
    if outside or any(ord(sign) < 32 for sign in name):
        why = Text(en="would be written outside of its folder", ko="은(는) 폴더 밖에 쓰이게 됩니다")
        raise _refused(path, name, why)
    return parts


def _zip_members(path: Path) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            name = _zip_name(info)
            if _left_by_systems(name) or info.is_dir():
                continue
            mode = info.external_attr >> 16
            if mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
                raise _refused(path, name, _NO_FILE)
            if info.flag_bits & _ENCRYPTED:
                raise _locked(path)
            yield _Member(name, partial(archive.open, info))


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's name; Windows writes Korean ones in CP949 without saying so, and macOS in UTF-8."""
    if info.flag_bits & _UTF8_NAME or info.filename.isascii():
        return info.filename
    try:
        written = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for codec in ("utf-8", "cp949"):
        try:
            return written.decode(codec)
        except UnicodeDecodeError:
            continue
    return info.filename


def _extract_tar(path: Path, folder: Path) -> None:
    allowance = Allowance(path, folder)
    if path.name.lower().endswith(".tar"):
        _unpack(_tar_members(path), path, folder, allowance)
        return
    # First as a whole, under the limits, because headers inside are believed by the module that reads them.
    with TemporaryDirectory(dir=folder.parent, prefix="sonmat-unpacked-") as plain:
        _unpack(_tar_members(decompress(path, Path(plain))), path, folder, allowance)


def _tar_members(path: Path) -> Generator[_Member, None, None]:
    with tarfile.open(path, "r:") as archive:
        for info in archive:
            if info.isdir() or _left_by_systems(info.name):
                continue
            if not info.isfile():
                raise _refused(path, info.name, _NO_FILE)
            yield _Member(info.name, partial(_open_tar_member, archive, info))
            # The module keeps every header that it has seen.
            archive.members = []  # type: ignore[attr-defined]
        with path.open("rb") as stream:
            stream.seek(archive.offset)
            # A file that breaks off, or a header that is damaged, ends the module's walk without a word.
            if stream.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
                raise tarfile.ReadError("the end of the archive is missing")


def _open_tar_member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(info)
    if content is None:
        raise tarfile.ReadError(f"{info.name} has no content")
    return content


def _left_by_systems(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return bool(parts) and (parts[0] == "__MACOSX" or parts[-1] in (".DS_Store", "Thumbs.db", "desktop.ini"))


_NO_FILE = Text(en="is a link or a device and no file", ko="은(는) 파일이 아니라 링크나 장치입니다")


def _refused(path: Path, name: str, why: Text) -> DataError:
    shown = "".join(sign if sign.isprintable() else "?" for sign in name[:200])
    return DataError(
        Text(
            en=f"{path} was not unpacked: '{shown}' {why.en}.",
            ko=f"{path}의 압축을 풀지 않았습니다. '{shown}'{why.ko}.",
        ),
        Text(
            en="Pack the folder again with plain files only, or unpack it yourself and name the folder.",
            ko="보통 파일만 넣어 다시 압축하거나, 직접 푼 뒤 그 폴더를 지정하세요.",
        ),
    )


def _locked(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} is protected by a password.", ko=f"{path}에 암호가 걸려 있습니다."),
        Text(en="Unpack it yourself and name what came out.", ko="직접 푼 뒤 나온 파일이나 폴더를 지정하세요."),
    )
