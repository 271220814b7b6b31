"""From the user's files and folders to `examples.jsonl` and `source.json`.

In: the recipe. Out: a `LoadedSource`, every usable row as an example, media copied by content, and rows that cannot be used
in `unusable.jsonl` with the reason, or an error that lists them. The rows are read twice, first to recognise them and then to
write them one at a time, so that memory does not grow with the texts. It judges no content: that is the audit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Example, LedgerLine, LoadedSource, Record, Source
from sonmat.reading.collecting import collecting_rarely
from sonmat.reading.language import languages_of
from sonmat.reading.rows import texts_of
from sonmat.runs.files import write_rows, write_value
from sonmat.runs.folder import RunFolder
from sonmat.steps.load.look import Looked, look
from sonmat.steps.load.rows import RowReader
from sonmat.steps.load.sources import data_fingerprint

_LANGUAGE_SAMPLE = 2000
_REPORT_EVERY_SECONDS = 1.0
_LOOK_AT_CLOCK_EVERY = 64
"""Rows."""


@collecting_rarely()
def load(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> LoadedSource:
    """Write the examples of `recipe.data` into `folder`; `inputs` is the fingerprint that the files are marked with.

    Raises:
        DataError: the data cannot be read or recognised, its sources are of different kinds, or rows cannot be used and the
            recipe says stop.
        SettingError: the recipe or a manifest names an unknown task or a column that is not there.
    """
    looked = look(recipe, emit)
    for each in looked:
        emit("recognised", _said(each), **_facts(each))
        if each.mixed is not None:
            emit("mixed", each.mixed, source=each.source.label)
    reader = RowReader(folder.file("media"))
    try:
        lines = _unless_bad(_lines(looked, reader, emit), reader, recipe, looked)
        usable = write_rows(folder.file("examples.jsonl"), Example, lines, inputs)
        write_rows(folder.file("unusable.jsonl"), LedgerLine, reader.unusable_lines(), inputs)
    finally:
        reader.close()
    first = looked[0].recognised
    source = LoadedSource(
        data=recipe.data,
        sha256=data_fingerprint(recipe.data),
        format=_each(each.format.name for each in looked),
        shape=_each(each.recognised.shape.name for each in looked),
        task=first.task.name,
        columns=first.columns,
        rows_in=usable + reader.unusable,
        problems=reader.unusable,
        languages=languages_of(
            text for example in islice(folder.examples(), _LANGUAGE_SAMPLE) for text in texts_of(example.input)
        ),
        reason=_together([_said(each) for each in looked]),
    )
    write_value(folder.file("source.json"), source, inputs)
    return source


def _lines(looked: Sequence[Looked], reader: RowReader, emit: Emit) -> Iterator[str]:
    total = sum(each.seen.rows for each in looked)
    progress = _Progress(total, emit)
    for each in looked:
        records = progress.watching(each.format.read(each.source.path))
        yield from reader.lines(records, each.reader, each.source, alone=len(looked) == 1)


def _said(looked: Looked) -> Text:
    recognised, container = looked.recognised, looked.format.describe(looked.source.path)
    title, pair, rows = recognised.task.title, recognised.columns, looked.seen.rows
    named = [name for name in (pair.input, pair.target or ", ".join(pair.targets)) if name]
    columns = " → ".join(f"'{name}'" for name in named)
    where = f" from {columns}" if named else ""
    return Text(
        en=f"{looked.source.label} ({container.en}): {rows:,} row{'s' * (rows != 1)} for {title.en}{where}, because "
        f"{recognised.reason.en}. Override with --task, --input, --target, --map.",
        ko=f"{looked.source.label}({container.ko}): {title.ko} {rows:,}행{', ' * bool(named)}{columns}. {recognised.reason.ko}. "
        "--task, --input, --target, --map으로 바꿀 수 있습니다.",
    )


def _facts(looked: Looked) -> dict[str, Any]:
    return {
        "format": looked.format.name,
        "shape": looked.recognised.shape.name,
        "task": looked.recognised.task.name,
        "columns": looked.recognised.columns.model_dump(mode="json"),
        "rows": looked.seen.rows,
    }


def _each(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _together(sentences: Sequence[Text]) -> Text:
    return Text(en=" ".join(said.en for said in sentences), ko=" ".join(said.ko for said in sentences))


def _unless_bad(lines: Iterable[str], reader: RowReader, recipe: Recipe, looked: Sequence[Looked]) -> Iterator[str]:
    """`lines`; raises behind the last one, so that nothing is written, if rows were bad and the recipe says stop."""
    usable = 0
    for line in lines:
        usable += 1
        yield line
    if reader.unusable and (recipe.bad_rows == "stop" or not usable):
        raise _bad_rows(recipe, reader, usable, looked)


def _bad_rows(recipe: Recipe, reader: RowReader, usable: int, looked: Sequence[Looked]) -> DataError:
    """The error that lists the first rows that cannot be used, and why."""
    bad, english, korean = reader.unusable, [], []
    for source, reason in reader.shown:
        place = _place(source, alone=len(looked) == 1)
        english.append(f"  {place.en} {reason.en}")
        korean.append(f"  {place.ko} {reason.ko}")
    if bad > len(english):
        korean.append(f"  … 외 {bad - len(english):,}행")
        english.append(f"  … and {bad - len(english):,} more")
    for each in looked:
        if each.mixed is not None:
            english.append(f"  {each.mixed.en}")
            korean.append(f"  {each.mixed.ko}")
    data, total = ", ".join(recipe.data), usable + bad
    what = Text(
        en="\n".join([f"{bad:,} of {total:,} rows of {data} cannot be used:", *english]),
        ko="\n".join([f"{data}의 {total:,}행 가운데 {bad:,}행을 쓸 수 없습니다:", *korean]),
    )
    if not usable:
        return DataError(what, Text(en="No row is left to learn from.", ko="배울 수 있는 행이 남지 않습니다."))
    return DataError(
        what,
        Text(
            en="Mend them, or go on without them: --bad-rows drop (the ledger will list each one).",
            ko="고치거나, --bad-rows drop으로 이 행들을 빼고 계속하세요(뺀 행은 모두 장부에 남습니다).",
        ),
    )


def _place(source: Source, alone: bool) -> Text:
    if alone or not source.row:
        return source.place
    return Text(en=f"{source.file} {source.place.en}", ko=f"{source.file} {source.place.ko}")


class _Progress:
    """Says how many rows have been read, of those of all sources together."""

    def __init__(self, total: int, emit: Emit) -> None:
        self._total, self._emit, self._done = total, emit, 0
        self._began = self._reported = time.monotonic()

    def watching(self, records: Iterable[Record]) -> Iterator[Record]:
        for record in records:
            yield record
            self._done += 1
            if self._done % _LOOK_AT_CLOCK_EVERY == 0:
                self._report()

    def _report(self) -> None:
        now = time.monotonic()
        if now - self._reported < _REPORT_EVERY_SECONDS:
            return
        self._reported = now
        left = round((now - self._began) / self._done * (self._total - self._done), 1)
        reading = Text(en="Reading rows", ko="행을 읽는 중")
        self._emit("progress", reading, done=self._done, total=self._total, seconds_left=left)
