"""What Hugging Face's `Dataset.save_to_disk` and `DatasetDict.save_to_disk` write: a folder, or one a part, of Arrow files.

Class numbers become the names of their classes. Of a `DatasetDict` with several parts, every row says in `split` to which it
belongs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Json, Record
from sonmat.reading.arrow_file import read_arrow
from sonmat.reading.folders import cannot_write_folder
from sonmat.reading.part_files import placed
from sonmat.reading.part_names import part_of_folder

_STATE, _INFO, _PARTS = "state.json", "dataset_info.json", "dataset_dict.json"


class SavedDataset:
    name = "saved_dataset"
    title = Text(en="saved Hugging Face data set", ko="저장된 Hugging Face 데이터 세트")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "json"
    precedence = 40

    def matches(self, path: Path) -> bool:
        return (path / _STATE).is_file() or (path / _PARTS).is_file()

    def describe(self, path: Path) -> Text:
        parts = [name for name in _parts(path) if name is not None]
        if not parts:
            return self.title
        listed = ", ".join(parts)
        return Text(en=f"{self.title.en}, parts: {listed}", ko=f"{self.title.ko}, 나뉜 부분: {listed}")

    def read(self, path: Path) -> Iterator[Record]:
        parts = _parts(path)
        for name in parts:
            folder = path if name is None else path / name
            split = (part_of_folder(name) or name) if name is not None and len(parts) > 1 else None
            features = _features(folder)
            for file in _files(folder):
                for record in read_arrow(file, features):
                    yield placed(record, file.relative_to(path).as_posix(), split)

    def write(self, records: Iterable[Record], path: Path) -> None:
        raise cannot_write_folder(self.title)


def _parts(path: Path) -> list[str | None]:
    if not (path / _PARTS).is_file():
        return [None]
    names = _document(path / _PARTS).get("splits")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and _is_plain(name) for name in names):
        raise _damaged(path / _PARTS)
    return list(names)


def _files(folder: Path) -> list[Path]:
    state = _document(folder / _STATE)
    listed = state.get("_data_files")
    names = [entry.get("filename") for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if not names or not all(isinstance(name, str) and _is_plain(name) for name in names):
        raise _damaged(folder / _STATE)
    return [folder / str(name) for name in names]


def _features(folder: Path) -> Json | None:
    """The data set's features; None where only the Arrow files tell."""
    if not (folder / _INFO).is_file():
        return None
    features = _document(folder / _INFO).get("features")
    return features if isinstance(features, dict) else None


def _is_plain(name: str) -> bool:
    """Whether a name stays in its folder."""
    return bool(name) and name not in (".", "..") and "/" not in name and "\\" not in name


def _document(path: Path) -> Json:
    try:
        document: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not isinstance(document, dict):
        raise _damaged(path)
    return document


def _damaged(path: Path) -> DataError:
    return DataError(
        Text(
            en=f"{path} does not tell where the rows of this saved data set are: it is missing or damaged.",
            ko=f"{path}이(가) 없거나 손상되어 저장된 데이터 세트의 행이 어디에 있는지 알 수 없습니다.",
        ),
        Text(
            en="Save the data set again with save_to_disk, or copy its whole folder.",
            ko="save_to_disk로 다시 저장하거나 폴더를 통째로 복사하세요.",
        ),
    )


plugin = SavedDataset()
