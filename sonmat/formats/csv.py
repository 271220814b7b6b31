"""Tables as text: CSV, TSV and the like. Delimiter, quoting, header and encoding are found out and said.

Every cell is text. A row is numbered by the line that it begins in, as an editor shows it. A ragged row or one with a broken
quote becomes a record with a problem; blank lines are no rows.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.csv_text import Dialect, Line, find_dialect, read_lines
from sonmat.reading.encoding import Encoding, damaged_text, find_encoding, is_damaged, open_text
from sonmat.reading.json_text import kind_of
from sonmat.runs.files import replacing

_SAMPLE_CHARACTERS = 1 << 18
_DELIMITER_NAMES = {
    ",": Text(en="commas", ko="쉼표로"),
    "\t": Text(en="tabs", ko="탭으로"),
    ";": Text(en="semicolons", ko="쌍반점으로"),
    "|": Text(en="'|'", ko="'|'로"),
}


class DelimitedText:
    name = "csv"
    title = Text(en="Table as text (CSV, TSV)", ko="텍스트 표(CSV, TSV)")
    suffixes: tuple[str, ...] = (".csv", ".tsv", ".txt")
    holds: Holds = "text"

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path)
        dialect = _dialect(path, encoding)
        delimiter = _DELIMITER_NAMES[dialect.delimiter]
        english = f"table separated by {delimiter.en}, {encoding.title}"
        korean = f"{delimiter.ko} 나뉜 표, {encoding.title}"
        if dialect.header:
            return Text(en=english, ko=korean)
        names = f"{dialect.columns[0]} … {dialect.columns[-1]}"
        return Text(
            en=f"{english}, no header line: its columns are called {names}",
            ko=f"{korean}, 머리글 없음: 열 이름은 {names}",
        )

    def read(self, path: Path) -> Iterator[Record]:
        encoding = find_encoding(path)
        dialect = _dialect(path, encoding)
        with open_text(path, encoding) as stream:
            lines = read_lines(stream, dialect, width=len(dialect.columns))
            if dialect.header:
                next(lines)
            for line in lines:
                yield _record(path, line, dialect.columns, encoding)

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write one column a field of the first record.

        Raises:
            DataError: a record has other fields than the first, or a value that is no text.
        """
        columns: list[str] | None = None
        with replacing(path) as stream:
            writer = csv.writer(stream, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", quoting=csv.QUOTE_ALL)
            for record in records:
                if columns is None:
                    columns = list(record.fields)
                    writer.writerow(columns)
                writer.writerow(_cells(record, columns))


def _dialect(path: Path, encoding: Encoding) -> Dialect:
    with open_text(path, encoding) as stream:
        sample = stream.read(_SAMPLE_CHARACTERS)
        if stream.read(1):
            # The last line of the sample may be cut off.
            sample = sample[: sample.rfind("\n") + 1] or sample
    dialect = find_dialect(sample)
    twice = [name for name, count in Counter(dialect.columns).items() if count > 1]
    if twice:
        names = ", ".join(f"'{name}'" for name in twice)
        raise DataError(
            Text(en=f"{path} has several columns named {names}.", ko=f"{path}에 이름이 {names}인 열이 여럿입니다."),
            Text(en="Give every column its own name in the first line.", ko="첫 줄에서 열마다 다른 이름을 붙이세요."),
        )
    return dialect


def _record(path: Path, line: Line, columns: tuple[str, ...], encoding: Encoding) -> Record:
    source = Source(file=path.name, row=line.number)
    if line.problem is not None:
        return Record(source=source, problem=line.problem)
    if any(is_damaged(cell, encoding) for cell in line.cells):
        return Record(source=source, problem=damaged_text(encoding))
    return Record(source=source, fields=dict(zip(columns, line.cells, strict=True)))


def _cells(record: Record, columns: list[str]) -> list[str]:
    if set(record.fields) != set(columns):
        raise _not_a_table(
            record,
            Text(
                en=f"has the fields {', '.join(record.fields)}; the table has {', '.join(columns)}",
                ko=f"필드가 {', '.join(record.fields)}인데 표의 열은 {', '.join(columns)}입니다",
            ),
        )
    return [_cell(record, name, record.fields[name]) for name in columns]


def _cell(record: Record, name: str, value: Any) -> str:
    if isinstance(value, str) and "\0" not in value:
        return value
    raise _not_a_table(
        record,
        Text(
            en=f"has {kind_of(value).en} in '{name}'; a table keeps only text without zero bytes",
            ko=f"'{name}'의 값은 {kind_of(value).ko}입니다. 표에는 0 바이트가 없는 글만 담을 수 있습니다",
        ),
    )


def _not_a_table(record: Record, why: Text) -> DataError:
    place = record.source.place
    return DataError(
        Text(
            en=f"The rows cannot be written as a table: {place.en} {why.en}.",
            ko=f"행을 표로 쓸 수 없습니다: {place.ko} {why.ko}.",
        ),
        Text(en="Write JSON lines (.jsonl) instead.", ko="대신 JSON Lines(.jsonl)로 쓰세요."),
    )


plugin = DelimitedText()
