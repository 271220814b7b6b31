"""What lies in a folder of data: entries in order, without hidden files and what operating systems leave behind.

In: a folder. Out: paths. Nothing is opened.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.reading.encoding import unreadable_file

_LEFT_BY_SYSTEMS = {"thumbs.db", "desktop.ini", "__macosx"}


def entries(folder: Path) -> list[Path]:
    """Everything directly in the folder, in the order of names.

    Raises:
        DataError: the folder cannot be looked into.
    """
    try:
        return sorted(entry for entry in folder.iterdir() if not _is_passed_over(entry.name))
    except OSError as error:
        raise unreadable_file(folder, error) from error


def folders_in(folder: Path) -> list[Path]:
    return [entry for entry in entries(folder) if entry.is_dir()]


def files_below(folder: Path) -> Iterator[Path]:
    """Every file at any depth."""
    for entry in entries(folder):
        if entry.is_dir():
            yield from files_below(entry)
        else:
            yield entry


def cannot_write_folder(title: Text) -> DataError:
    """The error of a format of folders that is only read."""
    return DataError(
        Text(en=f"Rows are not written as a {title.en}.", ko=f"행을 {title.ko} 형식으로는 쓰지 않습니다."),
        Text(
            en="Write Parquet (.parquet) or JSON lines (.jsonl).", ko="Parquet(.parquet)이나 JSON Lines(.jsonl)로 쓰세요."
        ),
    )


def free_name(path: Path) -> Path:
    """`path`, or the same with a number behind its stem, so that nothing is overwritten."""
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _is_passed_over(name: str) -> bool:
    return name.startswith(".") or name.lower() in _LEFT_BY_SYSTEMS
