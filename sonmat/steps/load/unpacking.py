"""Compressed files and archives as containers of whatever lies inside: `faq.csv.gz`, `photos.zip`, `data.tar.gz`.

In: a path and how to find the format of what came out. Out: a `Format` that reads the packed path. It is unpacked once, under hard
limits, into a temporary folder that is there as long as the format is in use. What formats say of the temporary folder is said of
the packed path.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.protocols import Format, Holds
from sonmat.core.text import Text
from sonmat.core.values import Json, Record
from sonmat.reading.archives import extract, is_archive_name
from sonmat.reading.audio_names import is_audio_name
from sonmat.reading.compressed import compress, decompress, is_compressed_name
from sonmat.reading.folders import entries
from sonmat.reading.images import is_image_name
from sonmat.runs.files import replacing

_MOST_LAYERS = 2
"""An archive may hold a compressed file, but nothing packed within that."""

Find = Callable[[Path], Format]


def is_packed_name(name: str) -> bool:
    return is_archive_name(name) or is_compressed_name(name)


def unpack(path: Path, find: Find) -> Format:
    """A format that reads what is packed in `path`, whose own format `find` tells.

    Raises:
        DataError: it is damaged or not to be trusted, or what came out cannot be read.
        ResourceError: there is no room for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="sonmat-unpacked-"))
    try:
        inner = _unpacked(path, folder)
        try:
            format = find(inner)
        except DataError as error:
            raise _said_of(path, folder, error) from error
        return Packed(path, format, _Inside(folder, inner))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def packing(path: Path, find_by_name: Find) -> Format:
    """A format that writes `path` compressed; what it holds is told by the name without its last ending.

    Raises:
        DataError: archives are not written, or no format has that name.
    """
    _refuse_archive(path)
    return Packed(path, find_by_name(path.with_suffix("")), None)


@dataclass(frozen=True)
class _Inside:
    """Where the content of a packed path lies for now."""

    folder: Path
    path: Path


class Packed:
    """What lies in a packed path, read and written as its own format does. `name` is that format's name."""

    def __init__(self, path: Path, inner: Format, inside: _Inside | None) -> None:
        self.name = inner.name
        self.title: Text = inner.title
        self.suffixes: tuple[str, ...] = ()
        self.holds: Holds = inner.holds
        self.precedence = inner.precedence
        self._path = path
        self._inner = inner
        self._inside = inside
        if inside is not None:
            weakref.finalize(self, shutil.rmtree, inside.folder, ignore_errors=True)

    def matches(self, path: Path) -> bool:
        return path == self._path

    def describe(self, path: Path) -> Text:
        if self._inside is None:
            return self._as_written().describe(path)
        try:
            said = self._inner.describe(self._inside.path)
        except DataError as error:
            raise _said_of(self._path, self._inside.folder, error) from error
        name = self._inside.path.name
        return Text(en=f"unpacked {name}: {said.en}", ko=f"압축을 푼 {name}: {said.ko}")

    def read(self, path: Path) -> Iterator[Record]:
        inside = self._inside
        if inside is None:
            yield from self._as_written().read(path)
            return
        root = inside.path if inside.path.is_dir() else inside.path.parent
        try:
            for record in self._inner.read(inside.path):
                if any(map(_names_medium, record.fields.values())):
                    yield record.model_copy(update={"fields": _absolute(record.fields, root)})
                else:
                    yield record
        except DataError as error:
            raise _said_of(self._path, inside.folder, error) from error

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write compressed.

        Raises:
            DataError: `path` is an archive, or its own format cannot hold the records.
        """
        _refuse_archive(path)
        with tempfile.TemporaryDirectory(prefix="sonmat-packing-") as folder:
            plain = Path(folder) / path.stem
            self._inner.write(records, plain)
            with plain.open("rb") as content, replacing(path, binary=True) as stream:
                compress(content, stream, path.suffix)

    def _as_written(self) -> Format:
        return unpack(self._path, lambda _: self._inner)


def _refuse_archive(path: Path) -> None:
    if is_archive_name(path.name):
        raise DataError(
            Text(en=f"{path}: archives are not written.", ko=f"{path}: 압축 파일은 쓰지 않습니다."),
            Text(en="Name a file, which may end in .gz or .zst.", ko="파일을 지정하세요. .gz나 .zst로 끝나도 됩니다."),
        )


def _unpacked(path: Path, folder: Path) -> Path:
    """The file or folder that came out, unpacked again if it is itself compressed."""
    inner = path
    for layer in range(_MOST_LAYERS):
        into = folder / f"layer{layer}" / path.stem
        into.mkdir(parents=True)
        try:
            inner = _sole(_unpacked_once(inner, into))
        except DataError as error:
            raise _said_of(path, folder, error) from error
        if inner.is_dir() or not is_packed_name(inner.name):
            return inner
    raise DataError(
        Text(
            en=f"{path} holds packed files within packed files.",
            ko=f"{path}에는 압축 파일 안에 또 압축 파일이 들어 있습니다.",
        ),
        Text(en="Unpack it yourself and name what came out.", ko="직접 푼 뒤 나온 것을 지정하세요."),
    )


def _unpacked_once(path: Path, folder: Path) -> Path:
    if is_archive_name(path.name):
        extract(path, folder)
        return folder
    return decompress(path, folder)


def _sole(found: Path) -> Path:
    """What an archive holds: its only file, or the innermost folder that is not alone in its own."""
    while found.is_dir():
        within = entries(found)
        if len(within) != 1:
            return found
        found = within[0]
    return found


def _names_medium(value: object) -> bool:
    return isinstance(value, str) and (is_image_name(value) or is_audio_name(value))


def _absolute(fields: Json, root: Path) -> Json:
    """Names of media relative to what was unpacked as paths that open from anywhere."""
    return {
        name: str(root / value)
        if _names_medium(value) and ".." not in Path(value).parts and (root / value).is_file()
        else value
        for name, value in fields.items()
    }


def _said_of(path: Path, folder: Path, error: DataError) -> DataError:
    """`error` with the temporary folder named as what the user knows."""
    if str(folder) not in error.what.en:
        return error

    def renamed(text: Text) -> Text:
        english, korean = text.en, text.ko
        for layer in range(_MOST_LAYERS):
            inside = str(folder / f"layer{layer}" / path.stem)
            english, korean = english.replace(inside, str(path)), korean.replace(inside, str(path))
        return Text(en=english, ko=korean)

    return DataError(renamed(error.what), renamed(error.fix) if error.fix is not None else None)
