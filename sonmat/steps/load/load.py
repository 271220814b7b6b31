"""From the user's file or folder to `examples.jsonl` and `source.json`.

In: the recipe. Out: a `LoadedSource`, every usable row as an example, media copied by content, and rows that cannot be used
in `unusable.jsonl` with the reason, or an error that lists them. The rows are read twice, first to recognise them and then to
write them one at a time, so that memory does not grow with the texts. It judges no content: that is the audit.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Emit, Format
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Example, LedgerLine, LoadedSource, Record
from sonmat.reading.language import languages_of
from sonmat.reading.rows import texts_of
from sonmat.runs.files import write_rows, write_value
from sonmat.runs.folder import RunFolder
from sonmat.steps.load.container import SHOWN_ROWS, Survey, data_fingerprint, find_format, survey
from sonmat.steps.load.recognise import Recognised, recognise
from sonmat.steps.load.rows import RowReader

_LANGUAGE_SAMPLE = 2000
_REPORT_EVERY_SECONDS = 1.0


def load(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> LoadedSource:
    """Write the examples of `recipe.data` into `folder`; `inputs` is the fingerprint that the files are marked with.

    Raises:
        DataError: the data cannot be read or recognised, or rows cannot be used and the recipe says stop.
        SettingError: the recipe names an unknown task or a column that is not there.
    """
    path = Path(recipe.data[0])
    format = find_format(path)
    seen = survey(format, path, emit)
    if not seen.table.rows:
        shown = [(record.source.place, record.problem) for record in seen.problems if record.problem]
        raise _bad_rows(recipe, shown, seen.rows, usable=0)
    recognised = recognise(seen.table, recipe)
    reason = _said(path, format, seen, recognised)
    emit("recognised", reason, **_facts(format, seen, recognised))
    data_folder = path if path.is_dir() else path.parent
    reader = RowReader(recognised, data_folder.resolve(), folder.file("media"))
    examples = reader.examples(_with_progress(format.read(path), seen.rows, emit))
    usable = write_rows(folder.file("examples.jsonl"), Example, _unless_bad(examples, reader, recipe), inputs)
    write_rows(folder.file("unusable.jsonl"), LedgerLine, reader.unusable, inputs)
    source = LoadedSource(
        data=recipe.data,
        sha256=data_fingerprint(recipe.data),
        format=format.name,
        shape=recognised.shape.name,
        task=recognised.task.name,
        columns=recognised.columns,
        rows_in=usable + len(reader.unusable),
        problems=len(reader.unusable),
        languages=languages_of(
            text for example in islice(folder.examples(), _LANGUAGE_SAMPLE) for text in texts_of(example.input)
        ),
        reason=reason,
    )
    write_value(folder.file("source.json"), source, inputs)
    return source


def _said(path: Path, format: Format, seen: Survey, recognised: Recognised) -> Text:
    container, title = format.describe(path), recognised.task.title
    pair = recognised.columns
    named = [name for name in (pair.input, pair.target) if name]
    rows = f"{seen.rows:,} row{'s' * (seen.rows != 1)}"
    columns = " → ".join(f"'{name}'" for name in named)
    return Text(
        en=f"{path.name} ({container.en}): {rows} for {title.en} from {columns}, because {recognised.reason.en}. "
        "Override with --task, --input, --target.",
        ko=f"{path.name}({container.ko}): {title.ko} {seen.rows:,}행, {columns}. {recognised.reason.ko}. "
        "--task, --input, --target으로 바꿀 수 있습니다.",
    )


def _facts(format: Format, seen: Survey, recognised: Recognised) -> dict[str, Any]:
    return {
        "format": format.name,
        "shape": recognised.shape.name,
        "task": recognised.task.name,
        "columns": recognised.columns.model_dump(mode="json"),
        "rows": seen.rows,
    }


def _unless_bad(examples: Iterable[Example], reader: RowReader, recipe: Recipe) -> Iterator[Example]:
    """`examples`; raises behind the last one, so that nothing is written, if rows were bad and the recipe says stop."""
    usable = 0
    for example in examples:
        usable += 1
        yield example
    if reader.unusable and (recipe.bad_rows == "stop" or not usable):
        shown = [(line.source.place, line.reason) for line in reader.unusable[:SHOWN_ROWS] if line.reason]
        raise _bad_rows(recipe, shown, len(reader.unusable), usable)


def _bad_rows(recipe: Recipe, shown: Iterable[tuple[Text, Text]], bad: int, usable: int) -> DataError:
    """The error that lists `shown`, places with reasons, of the `bad` rows."""
    english, korean = [], []
    for place, reason in shown:
        english.append(f"  {place.en} {reason.en}")
        korean.append(f"  {place.ko} {reason.ko}")
    if bad > len(english):
        korean.append(f"  … 외 {bad - len(english):,}행")
        english.append(f"  … and {bad - len(english):,} more")
    total = usable + bad
    what = Text(
        en="\n".join([f"{bad:,} of {total:,} rows of {recipe.data} cannot be used:", *english]),
        ko="\n".join([f"{recipe.data}의 {total:,}행 가운데 {bad:,}행을 쓸 수 없습니다:", *korean]),
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


def _with_progress(records: Iterable[Record], total: int, emit: Emit) -> Iterator[Record]:
    began = reported = time.monotonic()
    for done, record in enumerate(records, start=1):
        yield record
        now = time.monotonic()
        if now - reported >= _REPORT_EVERY_SECONDS:
            reported = now
            left = (now - began) / done * (total - done)
            emit(
                "progress", Text(en="Reading rows", ko="행을 읽는 중"), done=done, total=total, seconds_left=round(left, 1)
            )
