"""A folder of tables, as data sets of the Hugging Face hub are laid out: `data/train-00000-of-00002.parquet`, `test.jsonl`, `train/`.

All files of one kind are read in the order of their names; where they belong to several parts, every row says in `split` to
which. Compressed files are read too. Files of other kinds are left out, and `describe` names them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Part, Record
from sonmat.reading.folders import cannot_write_folder, entries, files_below
from sonmat.reading.part_files import ROW_SUFFIXES, placed, read_rows, row_suffix
from sonmat.reading.part_names import part_of_file, part_of_folder

_ABOUT = frozenset({"dataset_infos.json", "dataset_info.json", "dataset_dict.json", "state.json", "metadata.json"})
"""Files that describe rows and hold none."""
_SHOWN = 5


class DatasetFolder:
    name = "dataset_folder"
    title = Text(en="folder of tables (Hugging Face data set)", ko="표가 담긴 폴더(Hugging Face 데이터 세트)")
    suffixes: tuple[str, ...] = ()
    holds: Holds = "json"
    precedence = 20

    def matches(self, path: Path) -> bool:
        return path.is_dir() and any(True for _ in _row_files(path))

    def describe(self, path: Path) -> Text:
        found = _find_files(path)
        parts = ", ".join(dict.fromkeys(file.part for file in found.files if file.part is not None))
        english = f"folder of {len(found.files)} {found.suffix} files"
        korean = f"{found.suffix} 파일 {len(found.files)}개가 든 폴더"
        if parts:
            english, korean = f"{english}, parts: {parts}", f"{korean}, 나뉜 부분: {parts}"
        if found.left_out:
            names = ", ".join(found.left_out[:_SHOWN])
            more = len(found.left_out) - _SHOWN
            english += f", not read: {names}" + (f" and {more} more" if more > 0 else "")
            korean += f", 읽지 않은 파일: {names}" + (f" 외 {more}개" if more > 0 else "")
        return Text(en=english, ko=korean)

    def read(self, path: Path) -> Iterator[Record]:
        found = _find_files(path)
        several = len({file.part for file in found.files}) > 1
        for file in found.files:
            name = file.path.relative_to(path).as_posix()
            for record in read_rows(file.path, found.suffix):
                yield placed(record, name, file.part if several else None)

    def write(self, records: Iterable[Record], path: Path) -> None:
        raise cannot_write_folder(self.title)


@dataclass(frozen=True)
class _File:
    path: Path
    part: Part | None


@dataclass(frozen=True)
class _Found:
    suffix: str
    files: tuple[_File, ...]
    left_out: tuple[str, ...]
    """Names of files with rows that are not read."""


def _row_files(path: Path) -> Iterator[Path]:
    """Files of rows at the top, in `data`, in folders named like parts, and in one folder a configuration."""
    for entry in entries(path):
        if entry.is_dir():
            # Class folders hold pictures; a table among them is none of the data set's.
            yield from (file for file in _tables_in(entry) if _is_rows(file))
        elif _is_rows(entry):
            yield entry


def _tables_in(folder: Path) -> Iterator[Path]:
    deeper = folder.name == "data" or part_of_folder(folder.name) is not None
    return files_below(folder) if deeper else (entry for entry in entries(folder) if entry.is_file())


def _is_rows(file: Path) -> bool:
    return row_suffix(file) is not None and file.name not in _ABOUT


def _find_files(path: Path) -> _Found:
    by_suffix: dict[str, list[Path]] = defaultdict(list)
    for file in _row_files(path):
        by_suffix[row_suffix(file) or ""].append(file)
    suffix = next((suffix for suffix in ROW_SUFFIXES if suffix in by_suffix), None)
    if suffix is None:
        raise _no_tables(path)
    files = [_File(file, _part_of(file.relative_to(path))) for file in by_suffix.pop(suffix)]
    named = [file for file in files if file.part is not None]
    chosen = named or files
    if named and len(named) < len(files) and not any(file.part == "train" for file in named):
        raise _no_part(next(file.path for file in files if file.part is None), named[0].path)
    _refuse_configurations(path, chosen)
    order: dict[Part | None, int] = {"train": 0, "validation": 1, "test": 2, None: 3}
    chosen.sort(key=lambda file: (order[file.part], str(file.path)))
    unnamed = [file.path for file in files if file not in chosen]
    others = sorted([*unnamed, *(file for files in by_suffix.values() for file in files)])
    return _Found(suffix, tuple(chosen), tuple(file.relative_to(path).as_posix() for file in others))


def _part_of(file: Path) -> Part | None:
    """Told by the file's own name, else by the folders that it lies in."""
    folders = (part_of_folder(name) for name in reversed(file.parts[:-1]))
    return part_of_file(file.name) or next((part for part in folders if part is not None), None)


def _refuse_configurations(path: Path, files: list[_File]) -> None:
    """Raise where the files lie in several folders that are no parts: then each is a data set of its own."""
    folders = {file.path.relative_to(path).parts[0] for file in files if file.path.parent != path}
    several = sorted(name for name in folders if name != "data" and part_of_folder(name) is None)
    if len(several) < 2 and not (several and any(file.path.parent == path for file in files)):
        return
    listed = ", ".join(several[:_SHOWN])
    raise DataError(
        Text(
            en=f"{path} holds several data sets: {listed}.",
            ko=f"{path}에 데이터 세트가 여럿 있습니다: {listed}.",
        ),
        Text(
            en=f"Name one of them, e.g. {path / several[0]}; of the hub, hub:OWNER/NAME/{several[0]}.",
            ko=f"하나를 지정하세요. 예: {path / several[0]}. 허브라면 hub:OWNER/NAME/{several[0]}처럼 씁니다.",
        ),
    )


def _no_part(file: Path, other: Path) -> DataError:
    return DataError(
        Text(
            en=f"{file} says no part of a split in its name, but {other.name} does.",
            ko=f"{other.name}에는 데이터의 어느 부분인지 이름에 있지만 {file}에는 없습니다.",
        ),
        Text(
            en=f"Name it train{file.suffix} if it is what to learn from, or move it away.",
            ko=f"학습할 데이터라면 이름을 train{file.suffix}(으)로 바꾸고, 아니면 다른 곳으로 옮기세요.",
        ),
    )


def _no_tables(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} has no files of rows.", ko=f"{path}에 행이 든 파일이 없습니다."),
        Text(
            en=f"Expected files of {', '.join(ROW_SUFFIXES)}.", ko=f"다음 파일이 있어야 합니다: {', '.join(ROW_SUFFIXES)}."
        ),
    )


plugin = DatasetFolder()
