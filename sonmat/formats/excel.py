"""Excel workbooks (.xlsx): the first sheet that is not empty, read row by row. Rows have the numbers that Excel shows.

The first row names the columns unless it looks like data. Dates become ISO 8601 text, formulas the value that Excel computed
last; an error value such as #N/A is a problem of its row. Texts are written as texts, so that none is run as a formula, with
characters that XML cannot hold escaped as Excel escapes them (_x000D_). Shared texts of a workbook are held in memory.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.columnar import damaged_file
from sonmat.reading.csv_text import is_header
from sonmat.reading.encoding import empty_file, unreadable_file
from sonmat.reading.json_text import kind_of
from sonmat.reading.room import Allowance
from sonmat.reading.table_names import not_a_table, refuse_other_fields, refuse_repeated_names
from sonmat.runs.files import replacing

_HEADER_SAMPLE = 200
_ROWS_AT_ONCE = 256
_MOST_ROWS = 1_048_576
_LONGEST_CELL = 32_767
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")


class Excel:
    name = "excel"
    title = Text(en="Excel workbook", ko="Excel 통합 문서")
    suffixes: tuple[str, ...] = (".xlsx", ".xlsm")
    holds: Holds = "text"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        with _opened(path) as sheet:
            english, korean = f"Excel, sheet '{sheet.name}'", f"Excel, '{sheet.name}' 시트"
            if sheet.others:
                english += f" (not read: {', '.join(sheet.others)})"
                korean += f"(읽지 않은 시트: {', '.join(sheet.others)})"
            head = _find_head(path, sheet.rows)
            if not head.named:
                names = f"{head.columns[0]} … {head.columns[-1]}"
                english += f", no header row: its columns are called {names}"
                korean += f", 머리글 없음: 열 이름은 {names}"
        return Text(en=english, ko=korean)

    def read(self, path: Path) -> Iterator[Record]:
        with _opened(path) as sheet:
            head = _find_head(path, sheet.rows)
            for row in head.rows:
                yield _record(path, row, head.columns)
            for row in sheet.rows:
                yield _record(path, row, head.columns)

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write one column a field of the first record into one sheet.

        Raises:
            DataError: a record has other fields than the first, a value that no cell holds, or there are too many rows.
        """
        from openpyxl import Workbook

        book = Workbook(write_only=True)
        sheet = book.create_sheet("Sheet1")
        columns: list[str] | None = None
        try:
            for count, record in enumerate(records, start=2):
                if columns is None:
                    columns = list(record.fields)
                    sheet.append([_cell(sheet, record, name, name) for name in columns])
                refuse_other_fields(record, columns)
                if count > _MOST_ROWS:
                    raise not_a_table(record, _TOO_MANY)
                sheet.append([_cell(sheet, record, name, record.fields[name]) for name in columns])
            with replacing(path, binary=True) as stream:
                book.save(stream)
        except BaseException:
            if not sheet.closed:
                # Lets go of openpyxl's temporary file.
                sheet.close()
            raise


_TOO_MANY = Text(en="is one row more than a sheet of Excel holds", ko="부터는 Excel 시트에 담을 수 있는 행 수를 넘습니다")


@dataclass(frozen=True)
class _Row:
    number: int
    values: tuple[Any, ...]
    """JSON values; a `Text` says why a cell has none."""


@dataclass(frozen=True)
class _Sheet:
    name: str
    rows: Iterator[_Row]
    """Those that are not blank."""
    others: tuple[str, ...]
    """Names of further sheets that are not empty."""


@dataclass(frozen=True)
class _Head:
    columns: tuple[str, ...]
    named: bool
    rows: tuple[_Row, ...]
    """Rows of data that were read to find the columns."""


@contextmanager
def _opened(path: Path) -> Iterator[_Sheet]:
    book = _book(path)
    try:
        filled = [sheet for sheet in book.worksheets if next(_rows(path, sheet), None) is not None]
        if not filled:
            raise _empty_book(path)
        others = tuple(sheet.title for sheet in filled[1:])
        yield _Sheet(filled[0].title, _rows(path, filled[0]), others)
    finally:
        book.close()


def _book(path: Path) -> Any:
    import openpyxl

    try:
        if path.stat().st_size == 0:
            raise empty_file(path)
        with zipfile.ZipFile(path) as archive:
            allowance = Allowance(path, path.parent)
            for info in archive.infolist():
                allowance.spend(info.file_size)
        with _unwarned():
            return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except DataError:
        raise
    except zipfile.BadZipFile as error:
        raise damaged_file(path, str(error)) from error
    except OSError as error:
        raise unreadable_file(path, error) from error
    except Exception as error:  # openpyxl raises whatever its XML leads to
        raise damaged_file(path, f"{type(error).__name__}: {error}") from error


def _rows(path: Path, sheet: Any) -> Iterator[_Row]:
    # Some programs write a size that is wrong.
    sheet.reset_dimensions()
    rows = sheet.iter_rows()
    number = 0
    while True:
        try:
            with _unwarned():
                some = list(islice(rows, _ROWS_AT_ONCE))
        except Exception as error:  # openpyxl raises whatever its XML leads to
            raise damaged_file(path, f"{type(error).__name__}: {error}") from error
        if not some:
            return
        for cells in some:
            number += 1
            values = tuple(map(_value, cells))
            if any(value is not None and value != "" for value in values):
                yield _Row(number, values)
        if number > _MOST_ROWS:
            raise damaged_file(path, f"a row beyond {_MOST_ROWS:,}")


@contextmanager
def _unwarned() -> Iterator[None]:
    """openpyxl warns of styles and filters that it does not know, which say nothing about the rows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _value(cell: Any) -> Any:
    value = cell.value
    if isinstance(value, str):
        if cell.data_type == "e":
            return Text(en=f"holds the error {value}", ko=f"오류 값 {value}이(가) 들어 있습니다")
        return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value) if "_x" in value else value
    if value is None:
        # A cell that is there with an empty text, against one that is not there.
        return "" if cell.data_type in ("s", "str", "inlineStr") else None
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value.total_seconds() if isinstance(value, timedelta) else value


def _find_head(path: Path, rows: Iterator[_Row]) -> _Head:
    first, *rest = islice(rows, _HEADER_SAMPLE)
    width = max(len(_trimmed(row.values)) for row in (first, *rest))
    texts = [tuple(_as_text(value) for value in row.values) for row in (first, *rest)]
    cells = _trimmed(first.values)
    named = all(isinstance(value, str) for value in cells) and is_header(texts[0][: len(cells)], texts[1:])
    if not named:
        return _Head(tuple(f"column_{number}" for number in range(1, width + 1)), False, (first, *rest))
    columns = tuple(value.strip() or f"column_{number}" for number, value in enumerate(cells, start=1))
    refuse_repeated_names(path, columns)
    return _Head(columns, True, tuple(rest))


def _trimmed(values: Sequence[Any]) -> tuple[Any, ...]:
    """`values` without the empty ones at the end."""
    filled = [at for at, value in enumerate(values, start=1) if value is not None and value != ""]
    return tuple(values[: filled[-1]]) if filled else ()


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _record(path: Path, row: _Row, columns: tuple[str, ...]) -> Record:
    source = Source(file=path.name, row=row.number)
    values = row.values
    if len(values) > len(columns) and len(_trimmed(values)) > len(columns):
        return Record(source=source, problem=_beyond(len(_trimmed(values)), len(columns)))
    for name, value in zip(columns, values, strict=False):
        if isinstance(value, Text):
            return Record(source=source, problem=Text(en=f"'{name}' {value.en}", ko=f"'{name}' 칸: {value.ko}"))
    padded = (*values, *(None,) * (len(columns) - len(values)))
    return Record(source=source, fields=dict(zip(columns, padded, strict=False)))


def _beyond(found: int, width: int) -> Text:
    return Text(
        en=f"has something in column {found} where the table has {width} columns",
        ko=f"표의 열은 {width}개인데 {found}번째 열에 값이 있습니다",
    )


def _cell(sheet: Any, record: Record, name: str, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if value is None or isinstance(value, bool | int | float):
        return WriteOnlyCell(sheet, value)
    if not isinstance(value, str):
        what = kind_of(value)
        raise not_a_table(
            record,
            Text(
                en=f"has {what.en} in '{name}'; a cell keeps a text or a number",
                ko=f"'{name}'의 값은 {what.ko}입니다. 칸에는 글이나 숫자만 담을 수 있습니다",
            ),
        )
    written = _UNWRITABLE.sub(lambda found: f"_x{ord(found[0]):04X}_", value)
    if len(written) > _LONGEST_CELL:
        raise not_a_table(
            record,
            Text(
                en=f"has a text of {len(value):,} characters in '{name}'; a cell keeps {_LONGEST_CELL:,}",
                ko=f"'{name}'의 글이 {len(value):,}자입니다. 칸 하나에는 {_LONGEST_CELL:,}자까지 담을 수 있습니다",
            ),
        )
    cell = WriteOnlyCell(sheet, written)
    # A text stays a text, also one that begins with '='.
    cell.data_type = "s"
    return cell


def _empty_book(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} is empty: no sheet has any row.", ko=f"{path}이(가) 비어 있습니다. 행이 있는 시트가 없습니다."),
        Text(
            en="Put one example a row into it, or name another file.",
            ko="한 행에 예시 하나씩 넣거나 다른 파일을 지정하세요.",
        ),
    )


plugin = Excel()
