"""Which format reads a path, and what the path's content is worth as a fingerprint.

In: a path. Out: a `Format`, a SHA-256. It looks at no rows.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from sonmat import plugins
from sonmat.core.errors import DataError, PluginError
from sonmat.core.protocols import Format
from sonmat.core.text import Text
from sonmat.reading.archives import ARCHIVE_SUFFIXES
from sonmat.reading.compressed import COMPRESSED_SUFFIXES
from sonmat.reading.encoding import empty_file, unreadable_file
from sonmat.reading.signatures import refuse_wrong_name
from sonmat.runs.files import sha256_of, sha256_of_file
from sonmat.steps.load.hub_data import local_path
from sonmat.steps.load.unpacking import is_packed_name, packing, unpack


def find_format(path: Path) -> Format:
    """The format that reads `path`: of those that match, the one with the highest precedence. What is packed is unpacked for it.

    Raises:
        DataError: there is no such path, nothing is in it, it is not what its name says, or no format reads it.
        ResourceError: there is no room to unpack it.
    """
    try:
        if not path.exists():
            raise _missing(path)
        if path.is_file() and path.stat().st_size == 0:
            raise empty_file(path)
        return unpack(path, _plain_format) if path.is_file() and _is_packed(path) else _plain_format(path)
    except OSError as error:
        raise unreadable_file(path, error) from error


def writing_format(path: Path) -> Format:
    """The format that writes a file of this name: the one with the longest ending that it has.

    Raises:
        DataError: no format has such an ending.
    """
    name = path.name.lower()
    if is_packed_name(name):
        return packing(path, writing_format)
    endings = [
        (len(suffix), -format.precedence, format)
        for format in plugins.every("formats")
        for suffix in format.suffixes
        if name.endswith(suffix)
    ]
    if not endings:
        raise _unsupported(path)
    return max(endings, key=lambda entry: entry[:2])[2]


def data_fingerprint(data: Sequence[str]) -> str:
    """SHA-256 of the content of one path or hub name, or over those of several.

    Raises:
        DataError: there is no such path, or it cannot be read.
    """
    digests = [_fingerprint_of_path(local_path(each)) for each in data]
    return digests[0] if len(digests) == 1 else sha256_of(digests)


def _is_packed(path: Path) -> bool:
    refuse_wrong_name(path)
    return is_packed_name(path.name)


def _plain_format(path: Path) -> Format:
    if path.is_file():
        refuse_wrong_name(path)
    matching = sorted(
        (format for format in plugins.every("formats") if format.matches(path)), key=lambda format: -format.precedence
    )
    if not matching:
        raise _unsupported(path)
    best = [format.name for format in matching if format.precedence == matching[0].precedence]
    if len(best) > 1:
        raise PluginError(
            Text(
                en=f"{path} is claimed by several formats of one precedence: {', '.join(best)}.",
                ko=f"{path}을(를) 같은 우선순위의 형식 여럿이 읽으려 합니다: {', '.join(best)}.",
            )
        )
    return matching[0]


def _fingerprint_of_path(path: Path) -> str:
    """SHA-256 of the content of a file, or of the names and contents of a folder's files, hidden ones left out."""
    try:
        if not path.exists():
            raise _missing(path)
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
    known = {suffix for format in plugins.every("formats") for suffix in format.suffixes}
    listed = ", ".join([*sorted(known), *sorted({*ARCHIVE_SUFFIXES, *COMPRESSED_SUFFIXES})])
    return DataError(
        Text(
            en=f"{path} cannot be read: '{path.suffix or path.name}' is no known kind of file.",
            ko=f"{path}을(를) 읽을 수 없습니다. '{path.suffix or path.name}'은(는) 지원하지 않는 종류입니다.",
        ),
        Text(
            en=f"Supported: {listed}; hub:OWNER/NAME; and folders of tables, of a saved Hugging Face data set, or of pictures or "
            "sounds, a folder a class or with metadata.csv.",
            ko=f"지원하는 것: {listed}, hub:소유자/이름, 그리고 표나 저장된 Hugging Face 데이터 세트가 든 폴더, 그림·소리를 "
            "클래스별로 나누거나 metadata.csv와 함께 담은 폴더.",
        ),
    )
