"""A folder of pictures with a folder a class: `photos/cat/1.png` is a picture of the class 'cat'.

Gives `image`, the absolute path, and `label`, the folder's name. Hidden files are left out. Whatever else lies where a picture
is expected, and pictures that lie deeper or in no class folder, become records with a problem, so that none goes missing
unsaid. Files are not opened here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.images import IMAGE_SUFFIXES, is_image_name

_LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini"}


class ImageFolder:
    name = "image_folder"
    title = Text(en="Folder of pictures, a folder a class", ko="분류별 폴더에 담긴 그림")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "image"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.is_dir()

    def describe(self, path: Path) -> Text:
        classes = len(_class_folders(path))
        return Text(en=f"folder with {classes} class folders", ko=f"분류 폴더 {classes}개가 든 폴더")

    def read(self, path: Path) -> Iterator[Record]:
        root = path.resolve()
        classes = _class_folders(path)
        if not any(is_image_name(file.name) for folder in classes for file in _entries(folder)):
            raise _no_pictures(path)
        for file in _entries(root):
            if is_image_name(file.name):
                yield _unusable(root, file, _NO_CLASS)
        for folder in classes:
            for file in _files_below(folder):
                if file.parent != folder:
                    yield _unusable(root, file, _TOO_DEEP)
                elif not is_image_name(file.name):
                    yield _unusable(root, file, _NO_PICTURE)
                else:
                    source = Source(file=str(file.relative_to(root)), row=0)
                    yield Record(source=source, fields={"image": str(file), "label": folder.name})

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Copy every picture into the folder of its class.

        Raises:
            DataError: a class name cannot be a folder name.
        """
        for record in records:
            label = record.fields["label"]
            if not label or label.startswith(".") or "/" in label or "\\" in label:
                raise _no_folder_name(label)
            picture = Path(record.fields["image"])
            copy = _free_name(path / label / picture.name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(picture, copy)


_SUPPORTED = ", ".join(IMAGE_SUFFIXES)
_NO_CLASS = Text(
    en="lies in no class folder; move it into the folder of its class",
    ko="분류 폴더 밖에 있습니다. 해당 분류 폴더로 옮기세요",
)
_TOO_DEEP = Text(
    en="lies deeper than FOLDER/CLASS/PICTURE; move it up into the class folder",
    ko="폴더/분류/그림보다 더 깊은 곳에 있습니다. 분류 폴더 바로 아래로 옮기세요",
)
_NO_PICTURE = Text(
    en=f"is no picture of a known kind ({_SUPPORTED})", ko=f"지원하는 그림 파일이 아닙니다(지원: {_SUPPORTED})"
)


def _class_folders(path: Path) -> list[Path]:
    return [entry for entry in _entries(path.resolve()) if entry.is_dir()]


def _entries(folder: Path) -> list[Path]:
    return sorted(
        entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name.lower() not in _LEFT_BY_SYSTEMS
    )


def _files_below(folder: Path) -> Iterator[Path]:
    for entry in _entries(folder):
        if entry.is_dir():
            yield from _files_below(entry)
        else:
            yield entry


def _unusable(root: Path, file: Path, problem: Text) -> Record:
    return Record(source=Source(file=str(file.relative_to(root)), row=0), problem=problem)


def _no_pictures(path: Path) -> DataError:
    deeper = next(
        (file for folder in _class_folders(path) for file in _files_below(folder) if is_image_name(file.name)), None
    )
    fix = Text(
        en=f"Expected a folder a class with the pictures in it: {path.name}/cat/1.png, {path.name}/dog/1.png ({_SUPPORTED}).",
        ko=f"분류마다 폴더를 두고 그 안에 그림을 넣어 주세요. 예: {path.name}/cat/1.png, {path.name}/dog/1.png ({_SUPPORTED}).",
    )
    if deeper is not None:
        where = deeper.relative_to(path.resolve())
        found = Text(
            en=f"{path} has pictures only deeper than in class folders, e.g. {where}. "
            f"Name the folder whose folders are the classes, e.g. {path / where.parts[0]}.",
            ko=f"{path}의 그림이 분류 폴더보다 더 깊은 곳에만 있습니다. 예: {where}. "
            f"분류 폴더들이 바로 들어 있는 폴더를 지정하세요. 예: {path / where.parts[0]}.",
        )
        return DataError(found, fix)
    if not any(_files_below(path)):
        return DataError(Text(en=f"{path} is an empty folder.", ko=f"{path}은(는) 빈 폴더입니다."), fix)
    return DataError(
        Text(en=f"{path} has no class folders with pictures.", ko=f"{path}에 그림이 든 분류 폴더가 없습니다."), fix
    )


def _no_folder_name(label: str) -> DataError:
    return DataError(
        Text(
            en=f"The class '{label}' cannot be the name of a folder.",
            ko=f"분류 '{label}'은(는) 폴더 이름으로 쓸 수 없습니다.",
        ),
        Text(en="Write JSON lines (.jsonl) instead.", ko="대신 JSON Lines(.jsonl)로 쓰세요."),
    )


def _free_name(path: Path) -> Path:
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


plugin = ImageFolder()
