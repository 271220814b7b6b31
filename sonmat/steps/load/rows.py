"""Records to lines of `examples.jsonl`: reads the pair of each row, validates it, gives it a stable id and keeps its media.

In: records in order, source by source. Out: one line of JSON a usable row, as `Example` is written; rows that cannot be used are
counted, and kept aside on disk with the reason. An example's id is a digest of what it says plus a number for repetitions, so that
adding, removing or moving other rows does not change it. Lines are put together here and not by pydantic, which takes ten times as
long; a test holds them to what `Example` gives.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import BaseModel, ValidationError

from sonmat.core.faults import fault_words
from sonmat.core.protocols import Kind, Pair
from sonmat.core.text import Text
from sonmat.core.values import Columns, Json, LedgerLine, Part, Record, Source
from sonmat.reading.cells import label_of
from sonmat.reading.parts import part_of
from sonmat.reading.times import iso_time
from sonmat.runs.files import json_line, sha256_of, sha256_of_file
from sonmat.steps.load.fields import Preparation
from sonmat.steps.load.recognise import Recognised
from sonmat.steps.load.repetitions import Repetitions
from sonmat.steps.load.sources import DataSource
from sonmat.steps.load.survey import SHOWN_ROWS

_ID_DIGITS = 16
_sorted_json = json.JSONEncoder(sort_keys=True, ensure_ascii=False).encode


@dataclass(frozen=True)
class PairReader:
    """What one row of a source says: names and template applied, the pair read and validated."""

    recognised: Recognised
    preparation: Preparation

    def read(self, record: Record) -> tuple[Pair, Json] | Text:
        """The pair and the prepared fields, or why the row cannot be used."""
        if record.problem is not None:
            return record.problem
        fields = self.preparation.fields(record.fields)
        if isinstance(fields, Text):
            return fields
        pair = self.recognised.shape.read(fields, self.recognised.columns)
        if isinstance(pair, Text):
            return pair
        kind = self.recognised.task
        problem = _validity(kind.Input, pair.input) or _validity(kind.Target, pair.target)
        return problem or (pair, fields)


class RowReader:
    """Turns the records of all sources into lines; what is unusable waits on disk until it is asked for."""

    def __init__(self, media: Path) -> None:
        self.media = media
        """Folder in the run that media are copied into."""
        self.shown: list[tuple[Source, Text]] = []
        """The first rows that could not be used, and why."""
        self.unusable = 0
        self._position = 0
        self._seen = Repetitions()
        self._bad_lines: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115

    def lines(self, records: Iterable[Record], reader: PairReader, source: DataSource, alone: bool) -> Iterator[str]:
        """A line an usable row. `alone`: there is no other source, so that places need not tell them apart."""
        folder = (source.path if source.path.is_dir() else source.path.parent).resolve()
        sides = _Sides(reader.recognised, source)
        place = _Places(source, alone)
        for record in records:
            line = self._line(record, reader, sides, place, folder)
            if isinstance(line, Text):
                self._put_aside(place.of(record.source), line)
            else:
                yield line
            self._position += 1

    def unusable_lines(self) -> Iterator[str]:
        """Every row that could not be used, as a line of the ledger."""
        self._bad_lines.seek(0)
        for line in self._bad_lines:
            yield line.rstrip("\n")

    def close(self) -> None:
        self._bad_lines.close()

    def _line(self, record: Record, reader: PairReader, sides: _Sides, place: _Places, folder: Path) -> str | Text:
        found = reader.read(record)
        if isinstance(found, Text):
            return found
        pair, fields = found
        side = sides.of(fields)
        if isinstance(side, Text):
            return side
        kind = reader.recognised.task
        if kind.modality != "text":
            kept = self._with_media(pair, kind, folder)
            if isinstance(kept, Text):
                return kept
            pair = kept
        input, target = json_line(pair.input), json_line(pair.target)
        if _is_flat(pair.input) and _is_flat(pair.target):
            digest = _sha256_of_json(f"[{input}, {target}]")
        else:
            digest = _sha256_of_json(_sorted_json((pair.input, pair.target)))
        id = self._numbered(digest[:_ID_DIGITS], int(digest[:_ID_DIGITS], 16))
        return f'{{"id": "{id}", "input": {input}, "target": {target}, "source": {place.json(record.source)}, {side}}}'

    def _with_media(self, pair: Pair, kind: Kind, folder: Path) -> Pair | Text:
        found = folder / pair.input[kind.modality]
        try:
            name = f"{sha256_of_file(found)}{found.suffix.lower()}"
            _keep(found, self.media / name)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Text(en=f"names {found}, which cannot be read: {reason}", ko=f"{found}을(를) 읽을 수 없습니다: {reason}")
        return Pair(input={**pair.input, kind.modality: f"{self.media.name}/{name}"}, target=pair.target)

    def _put_aside(self, source: Source, reason: Text) -> None:
        name = f"{source.file}:{source.row}"
        id = self._numbered(name, int(sha256_of(name)[:_ID_DIGITS], 16))
        line = LedgerLine(id=id, source=source, action="dropped", position=self._position, reason=reason)
        self._bad_lines.write(json_line(line.model_dump(mode="json")) + "\n")
        self.unusable += 1
        if len(self.shown) < SHOWN_ROWS:
            self.shown.append((source, reason))

    def _numbered(self, name: str, key: int) -> str:
        repetition = self._seen.number(key)
        return name if repetition == 1 else f"{name}-{repetition}"


class _Places:
    """Where rows came from, such that two sources of one name can be told apart."""

    def __init__(self, source: DataSource, alone: bool) -> None:
        self._renamed = {} if alone else {source.path.name: source.label}
        self._prefix = "" if alone else f"{source.label}/"
        self._begun: dict[str, str] = {}

    def of(self, source: Source) -> Source:
        file = self._file(source.file)
        return source if file == source.file else Source(file=file, row=source.row)

    def json(self, source: Source) -> str:
        begun = self._begun.get(source.file)
        if begun is None:
            begun = f'{{"file": {json_line(self._file(source.file))}, "row": '
            if source.row:
                # Files that are a row each, such as pictures, are as many as rows.
                self._begun[source.file] = begun
        return f"{begun}{source.row}}}"

    def _file(self, file: str) -> str:
        return self._renamed.get(file, f"{self._prefix}{file}")


class _Sides:
    """Group, slices, part, time and weight of rows, as the end of a line."""

    def __init__(self, recognised: Recognised, source: DataSource) -> None:
        self._columns: Columns = recognised.columns
        self._day_first = recognised.day_first
        self._part = source.part
        self._weight = json_line(source.weight)
        columns = self._columns
        reads = columns.group or columns.slices or columns.time or (columns.part and source.part is None)
        self._always = None if reads else self._written(None, {}, source.part, None)

    def of(self, fields: Json) -> str | Text:
        if self._always is not None:
            return self._always
        columns = self._columns
        part, time = self._part, None
        if part is None and columns.part is not None:
            found = _part(fields, columns.part)
            if isinstance(found, Text):
                return found
            part = found
        if columns.time is not None:
            value = fields.get(columns.time)
            time = iso_time(value, self._day_first) if value is not None and value != "" else None
            if time is None:
                return _no_time(columns.time, value)
        slices = {name: _side_value(fields, name) or "" for name in columns.slices}
        return self._written(_side_value(fields, columns.group), slices, part, time)

    def _written(self, group: str | None, slices: dict[str, str], part: Part | None, time: str | None) -> str:
        return (
            f'"group": {json_line(group)}, "slices": {json_line(slices)}, '
            f'"part": {json_line(part)}, "time": {json_line(time)}, "weight": {self._weight}'
        )


def _sha256_of_json(text: str) -> str:
    """What `sha256_of` gives for the values that `text` is the canonical JSON of."""
    return hashlib.sha256(text.encode()).hexdigest()


def _is_flat(value: Json) -> bool:
    """Whether sorting by key would change nothing: one field, and no object in it."""
    return len(value) == 1 and type(next(iter(value.values()))) in (str, float, int)


def _validity(model: type[BaseModel], value: Json) -> Text | None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "string_too_short":
            return Text(en=f"has an empty {where}", ko=f"{where} 값이 비어 있습니다")
        words = fault_words(first)
        return Text(
            en=f"does not fit the task: {where or 'row'}: {words.en}",
            ko=f"과제에 맞지 않습니다: {where or '행'}: {words.ko}",
        )
    return None


def _part(fields: Json, column: str) -> Part | Text | None:
    value = _side_value(fields, column)
    if value is None or not value.strip():
        return None
    part = part_of(value)
    if part is not None:
        return part
    return Text(
        en=f"has '{value[:40]}' in '{column}' where train, validation or test is expected",
        ko=f"'{column}' 칸의 값이 '{value[:40]}'입니다. train, validation, test 가운데 하나여야 합니다",
    )


def _no_time(column: str, value: object) -> Text:
    if value is None or value == "":
        return Text(en=f"has no time in '{column}'", ko=f"'{column}' 칸에 시각이 없습니다")
    shown = str(value)[:40]
    return Text(
        en=f"has '{shown}' in '{column}', which is no date such as 2024-01-31, or may be read in two ways",
        ko=f"'{column}' 칸의 '{shown}'은(는) 2024-01-31 같은 날짜가 아니거나 두 가지로 읽힙니다",
    )


def _side_value(fields: Json, column: str | None) -> str | None:
    value = label_of(fields, column) if column is not None else None
    return value if isinstance(value, str) and value else None


def _keep(found: Path, copy: Path) -> None:
    if copy.exists():
        return
    copy.parent.mkdir(parents=True, exist_ok=True)
    part = copy.with_name(f".{copy.name}.part")
    shutil.copyfile(found, part)
    part.replace(copy)
