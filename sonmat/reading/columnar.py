"""Arrow columns as records: what Parquet, Arrow and saved Hugging Face datasets share.

In: record batches and their schema. Out: records of JSON values: dates and times as ISO 8601 text, durations as seconds, decimals
as numbers, NaN as null, class numbers of Hugging Face features as their names, pictures and sounds as paths of files. A value
that JSON cannot hold is a problem of its row. And back: records as batches of one schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Record, Source
from sonmat.reading.media_files import MediaFiles, media_suffix
from sonmat.reading.table_names import refuse_repeated_names

_ROWS_AT_ONCE = 1024


def read_batches(
    path: Path, schema: Any, batches: Iterable[Any], features: Mapping[str, Any] | None = None
) -> Iterator[Record]:
    """Every row of the `pyarrow.RecordBatch`es of one file, counted from 1.

    `features` are those of a Hugging Face dataset; where none are given, the schema's own are taken.

    Raises:
        DataError: two columns have the same name, or the file breaks off.
    """
    refuse_repeated_names(path, column_names(path, schema))
    known = features if features is not None else _features_of(schema)
    number = 0
    with MediaFiles() as media:
        readers = [_Reader(known.get(name), media, path.parent) for name in schema.names]
        for batch in _unbroken(path, batches):
            for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
                part = batch.slice(start, _ROWS_AT_ONCE)
                columns = [reader.values(part.column(at)) for at, reader in enumerate(readers)]
                for row in range(part.num_rows):
                    number += 1
                    yield _record(Source(file=path.name, row=number), schema.names, [column[row] for column in columns])


def column_names(path: Path, schema: Any) -> list[str]:
    """The names of the columns.

    Raises:
        DataError: a name, also of a field within a column, is damaged.
    """
    try:
        for field in schema:
            _read_names(field)
        return list(schema.names)
    except UnicodeDecodeError as error:
        raise damaged_file(path, "a column's name is broken") from error


def _read_names(field: Any) -> None:
    """Names are decoded when they are asked for."""
    str(field.name)
    for at in range(field.type.num_fields):
        _read_names(field.type.field(at))


def damaged_file(path: Path, detail: str) -> DataError:
    """The error for a file of columns that is cut off, damaged or encrypted."""
    first = detail.strip().splitlines()[0].rstrip(".") if detail.strip() else "-"
    return DataError(
        Text(
            en=f"{path} cannot be read: it is damaged, cut off or encrypted ({first}).",
            ko=f"{path}을(를) 읽을 수 없습니다. 손상되었거나 잘렸거나 암호화되어 있습니다({first}).",
        ),
        Text(
            en="Copy or download the file again, or export it once more.",
            ko="파일을 다시 복사하거나 내려받거나, 다시 내보내세요.",
        ),
    )


def _unbroken(path: Path, batches: Iterable[Any]) -> Iterator[Any]:
    import pyarrow as pa

    try:
        yield from batches
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise damaged_file(path, str(error)) from error


def _features_of(schema: Any) -> Mapping[str, Any]:
    try:
        described = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))
        found = described["info"]["features"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _record(source: Source, names: Sequence[str], values: Sequence[Any]) -> Record:
    for name, value in zip(names, values, strict=True):
        if isinstance(value, Text):
            return Record(
                source=source,
                problem=Text(en=f"'{name}' {value.en}", ko=f"'{name}' 칸: {value.ko}"),
            )
    return Record(source=source, fields=dict(zip(names, values, strict=True)))


class _UnfitError(Exception):
    """A value that no JSON value stands for, and why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class _Reader:
    """Turns one column into JSON values; a `Text` in place of a value says why there is none."""

    def __init__(self, feature: Any, media: MediaFiles, folder: Path) -> None:
        self.feature = feature if _names_classes(feature) else None
        self.media = media
        self.folder = folder

    def values(self, column: Any) -> list[Any]:
        import pyarrow as pa

        if isinstance(column, pa.ExtensionArray):
            column = column.storage
        if (pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type)) and column.type.unit == "ns":
            # Python's times end at microseconds.
            zone = {"tz": column.type.tz} if pa.types.is_timestamp(column.type) else {}
            make = pa.timestamp if zone else pa.duration
            column = column.cast(make("us", **zone), safe=False)
        try:
            values: list[Any] = column.to_pylist()
        except (ValueError, OverflowError, pa.ArrowException):
            return [self._single(scalar) for scalar in column]
        if self.feature is None and _is_json(column.type):
            return values
        return [self._converted(value) for value in values]

    def _single(self, scalar: Any) -> Any:
        try:
            value = scalar.as_py()
        except UnicodeDecodeError:
            return _BROKEN_TEXT
        except (ValueError, OverflowError):
            return _OUT_OF_RANGE
        return self._converted(value)

    def _converted(self, value: Any) -> Any:
        try:
            return self._json(value, self.feature)
        except _UnfitError as unfit:
            return unfit.why

    def _json(self, value: Any, feature: Any = None) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and feature is not None:
            return _class_name(value, feature)
        if value is None or isinstance(value, str | bool | int):
            return value
        if isinstance(value, float | Decimal):
            return _number(value)
        if isinstance(value, list):
            return self._json_of_list(value, feature)
        if isinstance(value, dict):
            if set(value) == {"bytes", "path"}:
                return self._media(value["bytes"], value["path"])
            inner = feature if isinstance(feature, dict) else {}
            return {name: self._json(part, inner.get(name)) for name, part in value.items()}
        if isinstance(value, bytes):
            return self._content(value)
        return _written_time(value)

    def _json_of_list(self, value: list[Any], feature: Any) -> Any:
        if value and all(isinstance(part, tuple) for part in value):
            # Arrow gives a map as pairs.
            return {str(name): self._json(part) for name, part in value}
        inner = _inner_feature(feature)
        return [self._json(part, inner) for part in value]

    def _media(self, content: bytes | None, path: str | None) -> str | None:
        if content is not None:
            return self.media.keep(content, path)
        if path and (self.folder / path).exists():
            return str((self.folder / path).resolve())
        return path

    def _content(self, content: bytes) -> str:
        if media_suffix(content):
            return self.media.keep(content)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise _UnfitError(_BYTES) from None


_BROKEN_TEXT = Text(en="holds text that is broken in UTF-8", ko="UTF-8로 읽을 수 없는 깨진 글자가 있습니다")
_OUT_OF_RANGE = Text(en="holds a time out of range", ko="범위를 벗어난 시각이 있습니다")
_ENDLESS = Text(en="holds an infinite number", ko="무한대 값이 있습니다")
_BYTES = Text(
    en="holds bytes that are neither text nor a picture or sound of a known kind",
    ko="글도, 알려진 종류의 그림이나 소리도 아닌 바이트가 들어 있습니다",
)


def _is_json(type: Any) -> bool:
    """Whether Python's value of every Arrow value of this type is a JSON value already."""
    import pyarrow as pa

    kinds = pa.types
    if kinds.is_list(type) or kinds.is_large_list(type) or kinds.is_fixed_size_list(type):
        return _is_json(type.value_type)
    if kinds.is_struct(type):
        names = {type.field(at).name for at in range(type.num_fields)}
        return names != {"bytes", "path"} and all(_is_json(type.field(at).type) for at in range(type.num_fields))
    if kinds.is_dictionary(type):
        return _is_json(type.value_type)
    plain = (kinds.is_string, kinds.is_large_string, kinds.is_integer, kinds.is_boolean, kinds.is_null)
    return any(is_kind(type) for is_kind in plain)


def _number(value: float | Decimal) -> int | float | None:
    if not math.isfinite(value):
        if math.isnan(value):
            return None
        raise _UnfitError(_ENDLESS)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return float(value)


def _written_time(value: Any) -> str | float:
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    found = type(value).__name__
    raise _UnfitError(Text(en=f"holds a value of the kind {found}", ko=f"{found} 종류의 값이 들어 있습니다"))


def _names_classes(feature: Any) -> bool:
    """Whether a Hugging Face feature has class names anywhere within."""
    if isinstance(feature, dict):
        return feature.get("_type") == "ClassLabel" or any(map(_names_classes, feature.values()))
    return isinstance(feature, list) and any(map(_names_classes, feature))


def _inner_feature(feature: Any) -> Any:
    """The feature of a list's items: lists are [item], or {"feature": item, "_type": "Sequence" | "List"}."""
    if isinstance(feature, list):
        return feature[0] if feature else None
    return feature.get("feature") if isinstance(feature, dict) else None


def _class_name(number: int, feature: Any) -> int | str | None:
    if not isinstance(feature, dict) or feature.get("_type") != "ClassLabel":
        return number
    names = feature.get("names")
    if number == -1 or not isinstance(names, list):
        # Hugging Face writes -1 where a row has no class.
        return None if number == -1 else number
    if not 0 <= number < len(names):
        raise _UnfitError(
            Text(
                en=f"holds the class number {number}, but there are only {len(names)} classes",
                ko=f"클래스 번호 {number}이(가) 들어 있지만 클래스는 {len(names)}개뿐입니다",
            )
        )
    return str(names[number])
