"""Records to examples: reads the pair of each row, validates it for the task, gives it a stable id and keeps its media.

In: records in order. Out: examples in order; rows that cannot be used are collected with the reason. An example's id is a
digest of what it says plus a number for repetitions, so that adding, removing or moving other rows does not change it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ValidationError

from sonmat.core.protocols import Pair, Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, LedgerLine, Record, Source
from sonmat.reading.cells import label_of
from sonmat.runs.files import sha256_of, sha256_of_file
from sonmat.steps.load.recognise import Recognised

_ID_DIGITS = 16


@dataclass
class RowReader:
    """Turns records into examples. `unusable` fills while `examples` is consumed."""

    recognised: Recognised
    data_folder: Path
    """What relative media paths of rows are relative to."""
    media: Path
    """Folder in the run that media are copied into."""
    unusable: list[LedgerLine] = field(default_factory=list)
    _seen: Counter[str] = field(default_factory=Counter)

    def examples(self, records: Iterable[Record]) -> Iterator[Example]:
        for position, record in enumerate(records):
            example = self._example(record)
            if isinstance(example, Text):
                self.unusable.append(self._dropped(record.source, example, position))
            else:
                yield example

    def _example(self, record: Record) -> Example | Text:
        if record.problem is not None:
            return record.problem
        columns = self.recognised.columns
        pair = self.recognised.shape.read(record.fields, columns)
        if isinstance(pair, Text):
            return pair
        task = self.recognised.task
        problem = _validity(task.Input, pair.input) or _validity(task.Target, pair.target)
        if problem is not None:
            return problem
        kept = self._with_media(pair, task)
        if isinstance(kept, Text):
            return kept
        return Example(
            id=self._new_id(kept),
            input=kept.input,
            target=kept.target,
            source=record.source,
            group=_side_value(record.fields, columns.group),
            slices={name: _side_value(record.fields, name) or "" for name in columns.slices},
        )

    def _with_media(self, pair: Pair, task: Task) -> Pair | Text:
        if task.modality == "text":
            return pair
        found = self.data_folder / pair.input[task.modality]
        try:
            name = f"{sha256_of_file(found)}{found.suffix.lower()}"
            _keep(found, self.media / name)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            return Text(en=f"names {found}, which cannot be read: {reason}", ko=f"{found}을(를) 읽을 수 없습니다: {reason}")
        return Pair(input={**pair.input, task.modality: f"{self.media.name}/{name}"}, target=pair.target)

    def _new_id(self, pair: Pair) -> str:
        return self._numbered(sha256_of(pair.input, pair.target)[:_ID_DIGITS])

    def _dropped(self, source: Source, reason: Text, position: int) -> LedgerLine:
        id = self._numbered(f"{source.file}:{source.row}")
        return LedgerLine(id=id, source=source, action="dropped", position=position, reason=reason)

    def _numbered(self, name: str) -> str:
        self._seen[name] += 1
        repetition = self._seen[name]
        return name if repetition == 1 else f"{name}-{repetition}"


def _validity(model: type[BaseModel], value: Json) -> Text | None:
    try:
        model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        if first["type"] == "string_too_short":
            return Text(en=f"has an empty {where}", ko=f"{where} 값이 비어 있습니다")
        return Text(
            en=f"does not fit the task: {where or 'row'}: {first['msg']}",
            ko=f"과제에 맞지 않습니다: {where or '행'}: {first['msg']}",
        )
    return None


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
