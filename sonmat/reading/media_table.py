"""Pictures or sounds with a table beside them: `metadata.csv`, `.jsonl` or `.parquet` whose `file_name` names a file each.

In: a folder, as Hugging Face's ImageFolder and AudioFolder have it, perhaps with a folder a part. Out: records of the absolute
path and all other columns. A file that is not there, lies outside or is no such medium, and one that no row names, becomes a
record with a problem.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.class_folders import Medium
from sonmat.reading.folders import files_below, folders_in, free_name
from sonmat.reading.part_files import placed, read_rows
from sonmat.reading.part_names import part_of_folder

_TABLES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_NAME = "file_name"


def describes_media(path: Path, medium: Medium) -> bool:
    """Whether the first row of a table in the folder names such a file."""
    for table in _tables(path):
        first = next(read_rows(table, table.suffix), None)
        name = first.fields.get(_NAME) if first is not None else None
        return isinstance(name, str) and medium.is_name(name)
    return False


def describe_media_table(path: Path, medium: Medium) -> Text:
    """Which tables there are."""
    listed = ", ".join(table.relative_to(path).as_posix() for table in _tables(path))
    return Text(en=f"{medium.title.en} described in {listed}", ko=f"{listed}에 설명된 {medium.title.ko}")


def read_media_table(path: Path, medium: Medium) -> Iterator[Record]:
    """Every row of every table, then every medium that no row names.

    Raises:
        DataError: there is no table, or it cannot be read.
    """
    root = path.resolve()
    tables = _tables(root)
    if not tables:
        raise _no_table(path)
    for table in tables:
        split = part_of_folder(table.parent.name) if len(tables) > 1 else None
        named: set[Path] = set()
        for record in read_rows(table, table.suffix):
            row = placed(record, table.relative_to(root).as_posix(), split)
            yield row if row.problem is not None else _with_medium(row, table, medium, named)
        for file in files_below(table.parent):
            if medium.is_name(file.name) and file not in named:
                problem = Text(en=f"is named in no row of {table.name}", ko=f"{table.name}의 어느 행에도 없습니다")
                yield Record(source=Source(file=file.relative_to(root).as_posix(), row=0), problem=problem)


def copied_media(records: Iterable[Record], path: Path, medium: Medium) -> Iterator[str]:
    """Copy every medium into `path`; gives the lines of the `metadata.jsonl` that describes them."""
    for record in records:
        found = Path(record.fields[medium.field])
        copy = free_name(path / found.name)
        shutil.copyfile(found, copy)
        rest = {name: value for name, value in record.fields.items() if name != medium.field}
        yield json.dumps({_NAME: copy.name, **rest}, ensure_ascii=False) + "\n"


def _tables(path: Path) -> list[Path]:
    """The table of the folder, or those of its parts."""
    parts = [folder for folder in folders_in(path) if part_of_folder(folder.name) is not None]
    for folders in ([path], parts):
        found = [table for folder in folders for name in _TABLES if (table := folder / name).is_file()]
        if found:
            return found
    return []


def _no_table(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} has no table of its files.", ko=f"{path}에 파일을 설명하는 표가 없습니다."),
        Text(
            en=f"Expected {' or '.join(_TABLES)} with a column '{_NAME}'.",
            ko=f"'{_NAME}' 열이 있는 {', '.join(_TABLES)} 가운데 하나가 있어야 합니다.",
        ),
    )


def _with_medium(row: Record, table: Path, medium: Medium, named: set[Path]) -> Record:
    name = row.fields.get(_NAME)
    if not isinstance(name, str) or not name:
        return _problem(row, Text(en=f"has nothing in '{_NAME}'", ko=f"'{_NAME}' 칸이 비어 있습니다"))
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if parts[0] == "/" or ".." in parts:
        return _problem(row, Text(en=f"names {name}, outside of the folder", ko=f"폴더 밖의 {name}을(를) 가리킵니다"))
    if not medium.is_name(name):
        return _problem(
            row,
            Text(
                en=f"names {name}, which is none of the {medium.title.en} that are read ({medium.supported})",
                ko=f"{name}은(는) 읽을 수 있는 {medium.title.ko} 파일이 아닙니다(지원: {medium.supported})",
            ),
        )
    file = table.parent.joinpath(*parts)
    if not file.is_file():
        return _problem(row, Text(en=f"names {name}, which is not there", ko=f"{name} 파일이 없습니다"))
    named.add(file)
    rest = {column: value for column, value in row.fields.items() if column != _NAME}
    return Record(source=row.source, fields={medium.field: str(file), **rest})


def _problem(row: Record, problem: Text) -> Record:
    return Record(source=row.source, problem=problem)
