"""Tables as text: CSV, TSV and the like. Delimiter, quoting, header and encoding are found out and said.

Every cell is text. A row is numbered by the line that it begins in, as an editor shows it. A ragged row or one with a broken
quote becomes a record with a problem; blank lines are no rows. What a spreadsheet would run as a formula is written behind an
apostrophe, and read back without it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.csv_file import dialect_of, read_csv
from sonmat.reading.encoding import find_encoding
from sonmat.reading.formulas import guarded
from sonmat.reading.json_text import kind_of
from sonmat.reading.table_names import not_a_table, refuse_other_fields
from sonmat.runs.files import replacing

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
    precedence = 0

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() in self.suffixes and path.is_file()

    def describe(self, path: Path) -> Text:
        encoding = find_encoding(path)
        dialect = dialect_of(path, encoding)
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
        return read_csv(path)

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
                    writer.writerow(map(guarded, columns))
                refuse_other_fields(record, columns)
                writer.writerow([_cell(record, name, record.fields[name]) for name in columns])


def _cell(record: Record, name: str, value: Any) -> str:
    if isinstance(value, str) and "\0" not in value:
        return guarded(value)
    raise not_a_table(
        record,
        Text(
            en=f"has {kind_of(value).en} in '{name}'; a table keeps only text without zero bytes",
            ko=f"'{name}'의 값은 {kind_of(value).ko}입니다. 표에는 0 바이트가 없는 글만 담을 수 있습니다",
        ),
    )


plugin = DelimitedText()
