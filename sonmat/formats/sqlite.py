"""SQLite databases: the only table, or the largest. Opened for reading only, so that nothing beside the file is ever made.

Values keep their types; columns declared as BOOLEAN give true and false. Blobs that are pictures or sounds become files, other
blobs are problems of their rows. Rows are counted from 1 in the order of their rowid.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.columnar import damaged_file
from sonmat.reading.encoding import empty_file, has_lone_surrogate, has_zero_byte, unreadable_file
from sonmat.reading.json_text import kind_of
from sonmat.reading.media_files import MediaFiles, media_suffix
from sonmat.reading.table_names import not_a_table, refuse_other_fields, refuse_repeated_names
from sonmat.runs.files import replacing

_LONGEST_VALUE = 1 << 26
"""Bytes. A longer text or blob ends the reading instead of taking all memory."""
_MADE_TABLE = "examples"


class Sqlite:
    name = "sqlite"
    title = Text(en="SQLite table", ko="SQLite 표")
    suffixes: tuple[str, ...] = (".sqlite", ".db", ".sqlite3")
    holds: Holds = "text"
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        with _opened(path) as database:
            table, *others = _tables(path, database)
        if not others:
            return Text(en=f"SQLite, table '{table.name}'", ko=f"SQLite, '{table.name}' 표")
        listed = ", ".join(f"{other.name}: {other.rows:,}" for other in others[:8])
        return Text(
            en=f"SQLite, table '{table.name}', the largest with {table.rows:,} rows (not read: {listed})",
            ko=f"SQLite, 가장 큰 '{table.name}' 표({table.rows:,}행). 읽지 않은 표: {listed}",
        )

    def read(self, path: Path) -> Iterator[Record]:
        with _opened(path) as database, MediaFiles() as media:
            table = _tables(path, database)[0]
            cursor = database.execute(f"SELECT * FROM {_quoted(table.name)} NOT INDEXED")
            names = [column[0] for column in cursor.description]
            refuse_repeated_names(path, names)
            for number, values in enumerate(cursor, start=1):
                yield _record(Source(file=path.name, row=number), names, values, table.truths, media)

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write one column a field of the first record into a table called 'examples'.

        Raises:
            DataError: a record has other fields than the first, or a value that no column holds.
        """
        with TemporaryDirectory(prefix="sonmat-sqlite-") as folder:
            made = Path(folder) / "made.sqlite"
            with closing(sqlite3.connect(made)) as database, database:
                _fill(database, records)
            with made.open("rb") as content, replacing(path, binary=True) as stream:
                while piece := content.read(1 << 20):
                    stream.write(piece)


@dataclass(frozen=True)
class _Table:
    name: str
    rows: int
    truths: frozenset[str]
    """Columns declared as BOOLEAN."""


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    try:
        if path.stat().st_size == 0:
            raise empty_file(path)
        with path.open("rb"):
            pass
    except OSError as error:
        raise unreadable_file(path, error) from error
    # Without a log of changes beside it, the file can be taken as it stands, and nothing is made beside it either.
    log = path.with_name(f"{path.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path.resolve()))}?{mode}", uri=True)) as database:
            database.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
            # What a schema computes is not trusted: the file may come from anywhere.
            database.execute("PRAGMA trusted_schema = OFF")
            database.execute("PRAGMA cell_size_check = ON")
            yield database
    except (sqlite3.Error, UnicodeError) as error:
        raise damaged_file(path, str(error)) from error


def _tables(path: Path, database: sqlite3.Connection) -> list[_Table]:
    """Tables with rows, the largest first; of several the first by name."""
    names = [
        name
        for (name,) in database.execute(
            "SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main' "
            "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
        )
    ]
    tables = []
    for name in names:
        (rows,) = database.execute(f"SELECT count(*) FROM {_quoted(name)}").fetchone()
        declared = database.execute("SELECT name, type FROM pragma_table_info(?)", (name,))
        truths = frozenset(column for column, kind in declared if str(kind).upper() in ("BOOLEAN", "BOOL"))
        tables.append(_Table(name, rows, truths))
    filled = sorted((table for table in tables if table.rows), key=lambda table: -table.rows)
    if not filled:
        raise _no_rows(path, names)
    return filled


def _record(
    source: Source, names: Sequence[str], values: Sequence[Any], truths: frozenset[str], media: MediaFiles
) -> Record:
    fields = {}
    for name, value in zip(names, values, strict=True):
        json_value = _json(value, name in truths, media)
        if isinstance(json_value, Text):
            problem = Text(en=f"'{name}' {json_value.en}", ko=f"'{name}' 칸: {json_value.ko}")
            return Record(source=source, problem=problem)
        fields[name] = json_value
    return Record(source=source, fields=fields)


def _json(value: Any, is_truth: bool, media: MediaFiles) -> Any:
    """The JSON value, or why there is none."""
    if isinstance(value, str):
        if has_lone_surrogate(value):
            return Text(en="holds text that is broken in UTF-8", ko="UTF-8로 읽을 수 없는 깨진 글자가 있습니다")
        return has_zero_byte() if "\0" in value else value
    if isinstance(value, bytes):
        if media_suffix(value):
            return media.keep(value)
        return Text(
            en="holds bytes that are no picture or sound of a known kind",
            ko="알려진 종류의 그림이나 소리가 아닌 바이트가 들어 있습니다",
        )
    if isinstance(value, float) and not math.isfinite(value):
        return Text(en="holds an infinite number", ko="무한대 값이 있습니다")
    return bool(value) if is_truth and value in (0, 1) else value


def _fill(database: sqlite3.Connection, records: Iterable[Record]) -> None:
    columns: list[str] | None = None
    insert = ""
    for record in records:
        if columns is None:
            columns = list(record.fields)
            _make_table(database, record, columns)
            insert = f"INSERT INTO {_MADE_TABLE} VALUES ({', '.join('?' * len(columns))})"
        refuse_other_fields(record, columns)
        database.execute(insert, [_stored(record, name, record.fields[name]) for name in columns])


def _make_table(database: sqlite3.Connection, record: Record, columns: list[str]) -> None:
    """Columns without a type keep each value's own."""
    try:
        database.execute(f"CREATE TABLE {_MADE_TABLE} ({', '.join(map(_quoted, columns))})")
    except sqlite3.Error as error:
        raise not_a_table(
            record, Text(en=f"has fields that no table has: {error}", ko=f"필드로 표를 만들 수 없습니다: {error}")
        ) from error


def _stored(record: Record, name: str, value: Any) -> str | int | float | None:
    whole = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
    if value is None or whole or isinstance(value, float) or (isinstance(value, str) and "\0" not in value):
        stored: str | int | float | None = value
        return stored
    what = kind_of(value)
    raise not_a_table(
        record,
        Text(
            en=f"has {what.en} in '{name}' that SQLite cannot keep as it is",
            ko=f"'{name}'의 값({what.ko})을 SQLite에 그대로 담을 수 없습니다",
        ),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _no_rows(path: Path, names: list[str]) -> DataError:
    listed = ", ".join(names[:8]) or "-"
    return DataError(
        Text(
            en=f"{path} has no table with rows (tables: {listed}).", ko=f"{path}에 행이 있는 표가 없습니다(표: {listed})."
        ),
        Text(
            en="Views are not read: export the rows that you want as CSV.",
            ko="뷰는 읽지 않습니다. 필요한 행을 CSV로 내보내세요.",
        ),
    )


plugin = Sqlite()
