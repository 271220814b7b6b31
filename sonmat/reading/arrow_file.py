"""An Arrow IPC file or stream as records, batch by batch. Feather files of version 2 and what Hugging Face saves are such files.

In: a path. Out: records, or what the file is in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.columnar import column_names, damaged_file, read_batches
from sonmat.reading.encoding import empty_file, unreadable_file

_FILE_MAGIC = b"ARROW1"
_OLD_FEATHER = b"FEA1"
_END_OF_STREAM = b"\xff\xff\xff\xff\0\0\0\0"


def read_arrow(path: Path, features: Mapping[str, Any] | None = None) -> Iterator[Record]:
    """Every row, counted from 1; `features` are those of a Hugging Face dataset.

    Raises:
        DataError: the file is damaged or cut off, or has two columns of one name.
    """
    with _opened(path) as opened:
        yield from read_batches(path, opened.schema, opened.batches, features)


def arrow_title(path: Path) -> Text:
    """What the file is.

    Raises:
        DataError: it is damaged or cut off.
    """
    with _opened(path) as opened:
        count = len(column_names(path, opened.schema))
        kind = Text(en="file", ko="파일") if opened.indexed else Text(en="stream", ko="스트림")
        return Text(en=f"Arrow {kind.en}, {count} columns", ko=f"Arrow {kind.ko}, 열 {count}개")


@dataclass(frozen=True)
class _Opened:
    schema: Any
    batches: Iterator[Any]
    indexed: bool
    """Whether it is a file with a footer, and no stream."""


@contextmanager
def _opened(path: Path) -> Iterator[_Opened]:
    import pyarrow as pa

    try:
        with path.open("rb") as stream:
            head = stream.read(len(_FILE_MAGIC))
            stream.seek(-min(path.stat().st_size, len(_END_OF_STREAM)), 2)
            tail = stream.read()
    except OSError as error:
        raise unreadable_file(path, error) from error
    if not head:
        raise empty_file(path)
    if head.startswith(_OLD_FEATHER):
        raise _old_feather(path)
    indexed = head == _FILE_MAGIC
    if not indexed and tail != _END_OF_STREAM:
        raise damaged_file(path, "the end of the stream is missing")
    with pa.memory_map(str(path)) as source:
        try:
            reader = pa.ipc.open_file(source) if indexed else pa.ipc.open_stream(source)
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise damaged_file(path, str(error)) from error
        with reader:
            yield _Opened(reader.schema, _batches(reader, indexed), indexed)


def _batches(reader: Any, indexed: bool) -> Iterator[Any]:
    batches = (reader.get_batch(at) for at in range(reader.num_record_batches)) if indexed else reader
    for batch in batches:
        # Arrow trusts the offsets in a file; damaged ones would end the process.
        batch.validate(full=True)
        yield batch


def _old_feather(path: Path) -> DataError:
    return DataError(
        Text(
            en=f"{path} is a Feather file of version 1, which is no longer read.",
            ko=f"{path}은(는) 더 이상 지원하지 않는 버전 1 Feather 파일입니다.",
        ),
        Text(
            en="Write it again: pyarrow.feather.write_feather(table, path), or as Parquet.",
            ko="pyarrow.feather.write_feather(table, path)로, 또는 Parquet으로 다시 저장하세요.",
        ),
    )
