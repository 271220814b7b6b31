"""Fields as a format can hold them: as text, in columns of one type each, or with the files of pictures and sound.

In: fields of all rows, one after the other, to learn which columns there are; then the same again to write. Out: records. It
knows formats by what they hold and no shapes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.protocols import Format, Kind
from sonmat.core.text import Text
from sonmat.core.values import Json, Record, Source
from sonmat.runs.files import json_line
from sonmat.steps.load.unpacking import is_packed_name, packing

_FREE_FIELDS = ("json", "jsonl")
"""Formats whose rows may have different fields."""
_LABEL_COLUMNS = "label_columns"
_OBJECTS = "object-detection"
_FOLDERS = {
    "image-classification": "image_folder",
    "audio-classification": "audio_folder",
    "speech-recognition": "audio_table",
}
"""Formats of folders by the kind whose media they copy."""


def format_for(out: Path, kind: Kind) -> Format:
    """The format that `out` is to be written in, by its name; a name without ending is a folder of pictures or sound.

    Raises:
        SettingError: no format has such a name.
        DataError: it is the name of an archive.
    """
    if is_packed_name(out.name.lower()):
        return packing(out, lambda inner: format_for(inner, kind))
    formats = plugins.every("formats")
    fitting = [
        format for format in formats if format.holds in ("text", "json", "boxes" if kind.name == _OBJECTS else "json")
    ]
    named = [(suffix, format) for format in fitting for suffix in format.suffixes if out.name.lower().endswith(suffix)]
    if named:
        # Objects in pictures go into COCO rather than into JSON without a standard.
        return max(named, key=lambda entry: (len(entry[0]), entry[1].holds == "boxes"))[1]
    if not out.suffix and kind.name in _FOLDERS:
        return plugins.find("formats", _FOLDERS[kind.name])
    known = ", ".join(sorted({suffix for format in formats for suffix in format.suffixes}))
    raise SettingError(
        Text(en=f"Nothing is known to be written as {out.name}.", ko=f"{out.name}(이)라는 이름의 형식은 쓸 수 없습니다."),
        Text(en=f"End the name in one of {known}.", ko=f"이름 끝을 다음 가운데 하나로 하세요: {known}."),
    )


class Cells:
    """Learns from every row what the columns hold, then makes records that the format can write."""

    def __init__(self, format: Format, kind: Kind, shape: str, out: Path) -> None:
        self._format, self._modality, self._out = format, kind.modality, out
        self._unmarked = 0 if shape == _LABEL_COLUMNS else None
        self._columns: dict[str, set[Any]] = {}
        """What each column's values look like."""

    def note(self, fields: Json) -> None:
        for name, value in fields.items():
            self._columns.setdefault(name, set()).add(_look_of(value))

    def record(self, fields: Json, source: Source) -> Record:
        """The fields as the format holds them, every column filled where it must be."""
        fields = self._with_media(fields)
        if self._format.name in _FREE_FIELDS or self._format.holds in ("image", "audio", "boxes"):
            return Record(source=source, fields=fields)
        filled = {name: fields.get(name, self._unmarked) for name in self._columns}
        if self._format.holds == "text":
            return Record(source=source, fields={name: _as_text(value) for name, value in filled.items()})
        return Record(source=source, fields={name: self._in_column(name, value) for name, value in filled.items()})

    def _in_column(self, name: str, value: Any) -> Any:
        """Lists and objects as they are where all rows have the same kind of them, else as JSON text."""
        looks = self._columns[name] - {None, ("list",)}
        if len(looks) <= 1 and ("deep",) not in looks:
            return value
        if looks <= {("int",), ("float",)}:
            return None if value is None else float(value)
        return None if value is None else _as_text(value)

    def _with_media(self, fields: Json) -> Json:
        """Paths of media from where the new file lies; formats that copy media need them whole."""
        path = fields.get(self._modality)
        if self._modality == "text" or not isinstance(path, str) or self._format.holds in ("image", "audio", "boxes"):
            return fields
        return {**fields, self._modality: Path(os.path.relpath(path, self._out.resolve().parent)).as_posix()}


def _look_of(value: Any) -> Any:
    """What matters of a value for the type of its column."""
    if value is None:
        return None
    if isinstance(value, list):
        looks = {_look_of(entry) for entry in value}
        if not looks:
            return ("list",)
        one = looks.pop() if len(looks) == 1 else None
        return ("list", one) if one is not None and one[0] in ("str", "int", "float", "flat") else ("deep",)
    if isinstance(value, dict):
        plain = all(isinstance(part, str | int | float) for part in value.values())
        lists = all(isinstance(part, list) and _look_of(part) != ("deep",) for part in value.values())
        return ("flat" if plain else "lists" if lists else "deep", *(sorted(value) if plain or lists else ()))
    return (type(value).__name__,)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_line(value)
