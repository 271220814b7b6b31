"""A Parquet file as records, a few thousand values at a time.

In: a path. Out: records, or what the file is in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.columnar import column_names, damaged_file, read_batches
from sonmat.reading.encoding import empty_file, unreadable_file

_ROWS_AT_ONCE = 1024
_BUFFER_BYTES = 1 << 20
"""Columns are read in such pieces instead of whole."""


def read_parquet(path: Path) -> Iterator[Record]:
    """Every row, counted from 1.

    Raises:
        DataError: the file is damaged or cut off, or has two columns of one name.
    """
    with _opened(path) as file:
        yield from read_batches(path, file.schema_arrow, file.iter_batches(batch_size=_ROWS_AT_ONCE))


def parquet_title(path: Path) -> Text:
    """What the file is.

    Raises:
        DataError: it is damaged or cut off.
    """
    with _opened(path) as file:
        count = len(column_names(path, file.schema_arrow))
        return Text(en=f"Parquet, {count} columns", ko=f"Parquet, 열 {count}개")


def _opened(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.stat().st_size == 0:
            raise empty_file(path)
        return pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False)
    except PermissionError as error:
        raise unreadable_file(path, error) from error
    except DataError:
        raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise damaged_file(path, str(error)) from error
