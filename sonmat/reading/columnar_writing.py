"""Records as Arrow batches of one schema, for formats that need to know the type of every column before the first row.

In: records. Out: a schema and batches. The records wait in a temporary file, so that memory stays flat; a column whose values
are of different kinds, or that would come back changed, is refused.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record
from sonmat.reading.table_names import not_a_table, refuse_other_fields

_ROWS_AT_ONCE = 4096


def write_columns(records: Iterable[Record], write: Callable[[Any, Iterator[Any]], None]) -> None:
    """Call `write` with a `pyarrow.Schema` and the `RecordBatch`es of all records.

    Raises:
        DataError: rows have different fields, or values of different kinds in one field.
    """
    import pyarrow as pa

    with tempfile.TemporaryDirectory(prefix="sonmat-columns-") as folder:
        parts: list[Path] = []
        schema: Any = None
        remaining = iter(records)
        while rows := list(islice(remaining, _ROWS_AT_ONCE)):
            batch = _batch(rows, schema.names if schema is not None else list(rows[0].fields))
            schema = batch.schema if schema is None else _unified(schema, batch.schema, rows[0])
            parts.append(Path(folder) / f"{len(parts)}.arrow")
            with pa.OSFile(str(parts[-1]), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
                writer.write_batch(batch)
        if schema is None:
            raise _nothing_to_write()
        write(schema, _batches(parts, schema))


def _batch(rows: list[Record], names: list[str]) -> Any:
    import pyarrow as pa

    for record in rows:
        refuse_other_fields(record, names)
    columns = [_column(name, rows) for name in names]
    return pa.RecordBatch.from_arrays(columns, names=names)


def _column(name: str, rows: list[Record]) -> Any:
    import pyarrow as pa

    values = [record.fields[name] for record in rows]
    try:
        column = pa.array(values)
        kept = column.to_pylist()
    except (pa.ArrowException, UnicodeEncodeError, OverflowError) as error:
        raise not_a_table(rows[0], _of_several_kinds(name)) from error
    changed = next((at for at, (value, back) in enumerate(zip(values, kept, strict=True)) if not _same(value, back)), None)
    if changed is not None:
        raise not_a_table(rows[changed], _of_several_kinds(name))
    return column


def _same(value: Any, back: Any) -> bool:
    """Whether a value came back as it was; fields that are missing in some objects must not come back as null."""
    if isinstance(value, list) and isinstance(back, list):
        return len(value) == len(back) and all(map(_same, value, back))
    if isinstance(value, dict) and isinstance(back, dict):
        return value.keys() == back.keys() and all(_same(value[name], back[name]) for name in value)
    return isinstance(value, bool) == isinstance(back, bool) and bool(value == back)


def _of_several_kinds(name: str) -> Text:
    return Text(
        en=f"has another kind of value in '{name}' than other rows, or an object with other fields",
        ko=f"'{name}' 칸의 값이 다른 행과 종류가 다르거나, 객체의 필드가 다릅니다",
    )


def _unified(schema: Any, other: Any, record: Record) -> Any:
    import pyarrow as pa

    try:
        return pa.unify_schemas([schema, other], promote_options="permissive")
    except pa.ArrowException as error:
        differing = [name for name in schema.names if schema.field(name).type != other.field(name).type]
        raise not_a_table(record, _of_several_kinds(", ".join(differing))) from error


def _batches(parts: list[Path], schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    for part in parts:
        with pa.memory_map(str(part)) as source, pa.ipc.open_file(source) as reader:
            for at in range(reader.num_record_batches):
                batch = reader.get_batch(at)
                columns = [batch.column(name).cast(schema.field(name).type) for name in schema.names]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _nothing_to_write() -> DataError:
    return DataError(
        Text(en="There are no rows to write.", ko="쓸 행이 없습니다."),
        Text(en="A table of columns needs at least one row.", ko="열로 된 표에는 행이 하나 이상 있어야 합니다."),
    )
