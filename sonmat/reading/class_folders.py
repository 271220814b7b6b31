"""Pictures or sounds in a folder a class: `photos/cat/1.png` is a picture of the class 'cat'.

In: a folder and what is looked for in it. Out: records of the absolute path and `label`, the folder's name; where the folder has
parts (`train/cat/1.png`), `split` says which. Whatever else lies there, lies deeper or lies in no class folder becomes a record
with a problem, so that none goes missing unsaid. Files are not opened here.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Part, Record, Source
from sonmat.reading.folders import entries, files_below, folders_in, free_name
from sonmat.reading.part_names import part_of_folder

_LOOKED_AT = 200
"""Files of a class folder that tell what it holds."""


@dataclass(frozen=True)
class Medium:
    """What is looked for in the folders."""

    field: str
    """'image' or 'audio'."""
    is_name: Callable[[str], bool]
    suffixes: tuple[str, ...]
    title: Text
    """Several of them, e.g. 'pictures'."""

    @property
    def supported(self) -> str:
        return ", ".join(self.suffixes)


def holds_media(path: Path, medium: Medium) -> bool:
    """Whether class folders below `path` hold such media, told by the first few names of each."""
    return any(
        medium.is_name(file.name)
        for _, folder in _class_folders(path.resolve())
        for file in islice(files_below(folder), _LOOKED_AT)
    )


def describe_class_folders(path: Path, medium: Medium) -> Text:
    """How many class folders there are, and which parts."""
    found = _class_folders(path.resolve())
    labels = len({folder.name for _, folder in found})
    parts = ", ".join(dict.fromkeys(part for part, _ in found if part is not None))
    english, korean = f"{medium.title.en} in {labels} class folders", f"클래스 폴더 {labels}개에 담긴 {medium.title.ko}"
    if not parts:
        return Text(en=english, ko=korean)
    return Text(en=f"{english}, parts: {parts}", ko=f"{korean}, 나뉜 부분: {parts}")


def read_class_folders(path: Path, medium: Medium) -> Iterator[Record]:
    """Every medium, and everything that lies where one is expected.

    Raises:
        DataError: there is none.
    """
    root = path.resolve()
    found = _class_folders(root)
    if not any(medium.is_name(file.name) for _, folder in found for file in entries(folder)):
        raise _no_media(path, medium)
    for loose in dict.fromkeys(root if part is None else folder.parent for part, folder in found):
        yield from (_unusable(root, file, _no_class()) for file in entries(loose) if medium.is_name(file.name))
    for part, folder in found:
        for file in files_below(folder):
            if file.parent != folder:
                yield _unusable(root, file, _too_deep())
            elif not medium.is_name(file.name):
                yield _unusable(root, file, _no_medium(medium))
            else:
                source = Source(file=str(file.relative_to(root)), row=0)
                given = {} if part is None else {"split": part}
                yield Record(source=source, fields={medium.field: str(file), "label": folder.name, **given})


def write_class_folders(records: Iterable[Record], path: Path, medium: Medium) -> None:
    """Copy every medium into the folder of its class, below that of its part if it has one.

    Raises:
        DataError: a class name cannot be a folder name.
    """
    for record in records:
        label = record.fields["label"]
        if not label or label.startswith(".") or "/" in label or "\\" in label:
            raise _no_folder_name(label)
        medium_path = Path(record.fields[medium.field])
        copy = free_name(path / (record.fields.get("split") or "") / label / medium_path.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(medium_path, copy)


def _class_folders(root: Path) -> list[tuple[Part | None, Path]]:
    """Every class folder and the part that it lies in, if the folders of `root` are parts."""
    folders = folders_in(root)
    parts = [(part_of_folder(folder.name), folder) for folder in folders]
    if not parts or not all(part is not None and _holds_folders_only(folder) for part, folder in parts):
        return [(None, folder) for folder in folders]
    return [(part, folder) for part, above in parts for folder in folders_in(above)]


def _holds_folders_only(folder: Path) -> bool:
    """Whether a folder is one of parts, and not a class that is called 'train'."""
    found = entries(folder)
    return bool(found) and sum(entry.is_dir() for entry in found) * 2 > len(found)


def _unusable(root: Path, file: Path, problem: Text) -> Record:
    return Record(source=Source(file=str(file.relative_to(root)), row=0), problem=problem)


def _no_class() -> Text:
    return Text(
        en="lies in no class folder; move it into the folder of its class",
        ko="클래스 폴더 밖에 있습니다. 해당 클래스 폴더로 옮기세요",
    )


def _too_deep() -> Text:
    return Text(
        en="lies deeper than FOLDER/CLASS/FILE; move it up into the class folder",
        ko="폴더/클래스/파일보다 더 깊은 곳에 있습니다. 클래스 폴더 바로 아래로 옮기세요",
    )


def _no_medium(medium: Medium) -> Text:
    return Text(
        en=f"is none of the {medium.title.en} that are read ({medium.supported})",
        ko=f"읽을 수 있는 {medium.title.ko} 파일이 아닙니다(지원: {medium.supported})",
    )


def _no_media(path: Path, medium: Medium) -> DataError:
    first = medium.suffixes[0]
    names = f"{path.name}/cat/1{first}, {path.name}/dog/1{first} ({medium.supported})"
    fix = Text(
        en=f"Expected a folder a class with the {medium.title.en} in it: {names}.",
        ko=f"클래스마다 폴더를 두고 그 안에 {medium.title.ko} 파일을 넣어 주세요. 예: {names}.",
    )
    deeper = next(
        (file for folder in folders_in(path.resolve()) for file in files_below(folder) if medium.is_name(file.name)), None
    )
    if deeper is not None:
        where = deeper.relative_to(path.resolve())
        found = Text(
            en=f"{path} has {medium.title.en} only deeper than in class folders, e.g. {where}. "
            f"Name the folder whose folders are the classes, e.g. {path / where.parts[0]}.",
            ko=f"{path}의 {medium.title.ko}이(가) 클래스 폴더보다 더 깊은 곳에만 있습니다. 예: {where}. "
            f"클래스 폴더들이 바로 들어 있는 폴더를 지정하세요. 예: {path / where.parts[0]}.",
        )
        return DataError(found, fix)
    if not any(files_below(path)):
        return DataError(Text(en=f"{path} is an empty folder.", ko=f"{path}은(는) 빈 폴더입니다."), fix)
    return DataError(
        Text(
            en=f"{path} has no class folders with {medium.title.en}, and no table that is read.",
            ko=f"{path}에 {medium.title.ko}이(가) 든 클래스 폴더도, 읽을 수 있는 표도 없습니다.",
        ),
        fix,
    )


def _no_folder_name(label: str) -> DataError:
    return DataError(
        Text(
            en=f"The class '{label}' cannot be the name of a folder.",
            ko=f"클래스 '{label}'은(는) 폴더 이름으로 쓸 수 없습니다.",
        ),
        Text(en="Write JSON lines (.jsonl) instead.", ko="대신 JSON Lines(.jsonl)로 쓰세요."),
    )
