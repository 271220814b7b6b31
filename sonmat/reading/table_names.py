"""Names of columns and fields of rows that are to be a table: refused where the table could not keep them apart.

In: names, or a record. Out: nothing, or a `DataError` that says what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record


def refuse_repeated_names(path: Path, names: Iterable[str]) -> None:
    """Raise where two columns of `path` have the same name.

    Raises:
        DataError: a name stands for several columns, so that one of them would be lost.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not twice:
        return
    listed = ", ".join(f"'{name}'" for name in twice[:8])
    raise DataError(
        Text(en=f"{path} has several columns named {listed}.", ko=f"{path}에 이름이 {listed}인 열이 여럿입니다."),
        Text(en="Give every column its own name.", ko="열마다 다른 이름을 붙이세요."),
    )


def refuse_other_fields(record: Record, columns: Iterable[str]) -> None:
    """Raise where `record` has other fields than the table that it is to be written to.

    Raises:
        DataError: a field is missing or one too many.
    """
    if set(record.fields) == set(columns):
        return
    raise not_a_table(
        record,
        Text(
            en=f"has the fields {', '.join(record.fields)}; the table has {', '.join(columns)}",
            ko=f"필드가 {', '.join(record.fields)}인데 표의 열은 {', '.join(columns)}입니다",
        ),
    )


def not_a_table(record: Record, why: Text) -> DataError:
    """The error for a row that does not fit into a table."""
    place = record.source.place
    return DataError(
        Text(
            en=f"The rows cannot be written as a table: {place.en} {why.en}.",
            ko=f"행을 표로 쓸 수 없습니다: {place.ko} {why.ko}.",
        ),
        Text(en="Write JSON lines (.jsonl) instead.", ko="대신 JSON Lines(.jsonl)로 쓰세요."),
    )
