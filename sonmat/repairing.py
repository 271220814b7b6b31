"""Writes the rows of a run as the audit repaired them, in the shape and columns that they came in: `sonmat audit --fix OUT`.

In: a run whose audit is done, and a path. Out: a file or folder like the original, and `OUT.ledger.jsonl`, which tells what became
of every row. Rows that were kept are written as they were read, extra columns included; of changed rows only the fields that
changed are others. The original is never touched. Nothing is decided here: the ledger is, by the recipe and by people.

OUT with the ending of a format is one file of all rows, in the order of reading. Any other OUT is a folder: of pictures where the
data is one, else with a file for each source under the source's own name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from sonmat import plugins
from sonmat.core.errors import DataError, SettingError, SonmatError
from sonmat.core.protocols import Format, Pair
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Json, LedgerLine, Record
from sonmat.reading.templates import Template
from sonmat.runs import EventLog, RunFolder, write_rows
from sonmat.steps.load import Looked, look, writing_format
from sonmat.steps.load.sources import find_sources


@dataclass(frozen=True)
class Repaired:
    """What was written, and what became of the rows."""

    out: Path
    ledger: Path
    rows_in: int
    kept: int
    changed: int
    dropped: int


def write_repaired(folder: RunFolder, out: Path, force: bool = False) -> Repaired:
    """Write the repaired rows of the audited run `folder` to `out`.

    Args:
        force: a file that is there already is replaced.
    Raises:
        SettingError: `out` is part of the data, or is there already.
        DataError: a changed row cannot be written in its own columns, or the format of `out` cannot hold the rows.
        SonmatError: the rows do not add up; nothing stays written.
    """
    recipe, audit = folder.recipe(), folder.audit()
    check_out(recipe, out, force)
    goals = _goals(look(recipe, EventLog(None)), out)
    book = _Rows(folder)
    for goal in goals:
        goal.format.write(book.records(goal), goal.path)
    counted = (book.kept, book.changed, book.dropped)
    if counted != (audit.kept, audit.changed, audit.dropped) or sum(counted) != audit.rows_in or not book.all_read():
        _discard(goals)
        raise _does_not_add_up(audit.rows_in, counted)
    ledger = ledger_path(out)
    write_rows(ledger, LedgerLine, folder.ledger())
    return Repaired(out, ledger, audit.rows_in, *counted)


def repaired_records(folder: RunFolder, sources: Sequence[Looked], out: Path) -> Iterator[tuple[str, Record]]:
    """Every row that the audit left, with its id, such that it can be written to `out`.

    Args:
        sources: what `sonmat.steps.load.look` found.
    Raises:
        DataError: the data has changed since, or a changed row cannot be written in its own columns.
    """
    ids = (line.id for line in folder.ledger() if line.action != "dropped")
    yield from zip(ids, _Rows(folder).records(_Goal(out, sources[0].format, tuple(sources))), strict=True)


def ledger_path(out: Path) -> Path:
    """Where the explanation of every row lies, beside what it explains."""
    return out.with_name(f"{out.name}.ledger.jsonl")


def check_out(recipe: Recipe, out: Path, force: bool) -> None:
    """Nothing, if `out` may be written.

    Raises:
        SettingError: it is part of the data, holds the data, or is there already.
        DataError: the data is not there.
    """
    goal = out.resolve()
    lists = [Path(each) for each in recipe.data if not each.startswith("hub:")]
    for path in {each.resolve() for each in (*lists, *(source.path for source in find_sources(recipe)))}:
        if goal == path or goal.is_relative_to(path) or path.is_relative_to(goal):
            raise SettingError(
                Text(en=f"{out} is the data itself, or part of it.", ko=f"{out}은(는) 원본 데이터이거나 그 일부입니다."),
                Text(
                    en="The original is never changed: name another file or folder.",
                    ko="원본은 바꾸지 않습니다. 다른 파일이나 폴더를 지정하세요.",
                ),
            )
    if out.is_dir() and any(out.iterdir()):
        raise SettingError(
            Text(en=f"The folder {out} is not empty.", ko=f"{out} 폴더가 비어 있지 않습니다."),
            Text(en="Name a new folder.", ko="새 폴더를 지정하세요."),
        )
    there = next((path for path in (out, ledger_path(out)) if path.is_file()), None)
    if there is not None and not force:
        raise SettingError(
            Text(en=f"{there} is there already.", ko=f"{there} 파일이 이미 있습니다."),
            Text(en="Name another file, or replace it with --force.", ko="다른 파일을 지정하거나 --force로 덮어쓰세요."),
        )


@dataclass(frozen=True)
class _Goal:
    """Something to write, and the sources whose rows go into it."""

    path: Path
    format: Format
    sources: tuple[Looked, ...]


def _goals(sources: Sequence[Looked], out: Path) -> list[_Goal]:
    if out.suffix:
        return [_Goal(out, writing_format(out), tuple(sources))]
    if len(sources) == 1 and sources[0].source.path.is_dir():
        return [_Goal(out, sources[0].format, tuple(sources))]
    return [_Goal(path, each.format, (each,)) for path, each in zip(_inside(out, sources), sources, strict=True)]


def _inside(out: Path, sources: Sequence[Looked]) -> list[Path]:
    """A path in `out` for each source, after the label that tells it apart; none leads out of the folder."""
    taken: list[Path] = []
    for each in sources:
        parts = [part for part in PurePath(each.source.label).parts if part not in ("..", PurePath(part).anchor)]
        path = free = out.joinpath(*parts)
        while free in taken:
            free = path.with_stem(f"{free.stem}-2")
        taken.append(free)
    return taken


def _discard(goals: Sequence[_Goal]) -> None:
    for goal in goals:
        if goal.path.is_file():
            goal.path.unlink()


class _Rows:
    """The rows of a run read anew, each with its line of the ledger."""

    def __init__(self, folder: RunFolder) -> None:
        self.modality = plugins.find_kind(folder.source().task).modality
        self.kept = self.changed = self.dropped = 0
        self._lines = folder.ledger()

    def records(self, goal: _Goal) -> Iterator[Record]:
        """What to write of the rows of a goal; goals come in the order of reading."""
        for looked in goal.sources:
            for record in looked.format.read(looked.source.path):
                line = next(self._lines, None)
                if line is None or line.source.row != record.source.row:
                    raise _changed_since(looked.source.path)
                if line.action == "dropped":
                    self.dropped += 1
                    continue
                if line.action == "changed":
                    self.changed += 1
                    record = self._mended(record, looked, line)
                else:
                    self.kept += 1
                yield self._with_media(record, looked, goal.path)

    def all_read(self) -> bool:
        """Whether no line of the ledger is left."""
        return next(self._lines, None) is None

    def _mended(self, record: Record, looked: Looked, line: LedgerLine) -> Record:
        """The record with what the ledger says in place of what stood there.

        Raises:
            DataError: read again, it would not say what the ledger says.
        """
        read = looked.reader.read(record)
        if isinstance(read, Text):
            raise _changed_since(looked.source.path)
        before, named = read
        input = before.input if line.input is None else line.input
        if self.modality != "text":
            # In the run, media lie under other names.
            input = {**input, self.modality: before.input[self.modality]}
        after = Pair(input, before.target if line.target is None else line.target)
        shape, columns = looked.recognised.shape, looked.recognised.columns
        written, wanted = shape.write(before, columns), shape.write(after, columns)
        changed = {name: (written.get(name), value) for name, value in wanted.items() if value != written.get(name)}
        fields = _put_back(record.fields, named, changed, looked)
        mended = record.model_copy(update={"fields": fields})
        again = looked.reader.read(mended)
        if isinstance(again, Text) or again[0] != after:
            raise _cannot_be_written(line)
        return mended

    def _with_media(self, record: Record, looked: Looked, goal: Path) -> Record:
        """The record with the path of its picture or sound such that it opens from where the row is written to."""
        name = looked.recognised.columns.input or self.modality
        name = looked.source.map.get(name, name)
        value, path = record.fields.get(name), looked.source.path
        here, there = path.resolve().parent, goal.resolve().parent
        if self.modality == "text" or path.is_dir() or here == there or not isinstance(value, str):
            return record
        found = Path(os.path.relpath(here / value, there)).as_posix()
        return record.model_copy(update={"fields": {**record.fields, name: found}})


def _put_back(fields: Json, named: Json, changed: dict[str, tuple[Any, Any]], looked: Looked) -> Json:
    """The fields of the file with values changed from one to another, by the names under which shapes see them."""
    template = looked.preparation.template
    if template is not None and template.text in changed:
        _, prompt = changed.pop(template.text)
        for name, value in _unfilled(template, named, prompt).items():
            changed[name] = (named[name], value)
    mended = dict(fields)
    for name, (before, after) in changed.items():
        old = looked.source.map.get(name, name)
        mended[old] = _overlaid(fields.get(old), before, after)
    return mended


def _unfilled(template: Template, named: Json, prompt: str) -> dict[str, str]:
    """The columns' values that fill `template` to `prompt`; none where that is not sure."""
    pattern = "".join(re.escape(piece) if isinstance(piece, str) else "(.*)" for piece in template.pieces)
    names = [piece.name for piece in template.pieces if not isinstance(piece, str)]
    before, after = (re.fullmatch(pattern, words, re.DOTALL) for words in (str(named.get(template.text)), prompt))
    if before is None or after is None:
        return {}
    # Where columns stand so close that the row as it was read comes out otherwise, the mended one would too.
    sure = all(str(named.get(name)) == value for name, value in zip(names, before.groups(), strict=True))
    return dict(zip(names, after.groups(), strict=True)) if sure else {}


def _overlaid(original: Any, before: Any, after: Any) -> Any:
    """`original`, which says `before` and may say more, made to say `after`; what else it says stays."""
    if before == after:
        return original
    if isinstance(original, dict) and isinstance(before, dict) and isinstance(after, dict):
        kept = {name: _overlaid(value, before.get(name), after.get(name)) for name, value in original.items()}
        return {**kept, **{name: value for name, value in after.items() if name not in kept}}
    lists = [each for each in (original, before, after) if isinstance(each, list)]
    if len(lists) == 3 and len(original) == len(before) == len(after):
        return [_overlaid(*three) for three in zip(*lists, strict=True)]
    return after


def _cannot_be_written(line: LedgerLine) -> DataError:
    return DataError(
        Text(
            en=f"{line.source.file}, {line.source.place.en}: the mended row cannot be written in its own columns.",
            ko=f"{line.source.file} {line.source.place.ko}: 고친 내용을 원래 열에 다시 쓸 수 없습니다.",
        ),
        Text(
            en="Nothing was written. Leave out the repair that changed it, e.g. --no-fix normalise,personal_data.",
            ko="아무것도 쓰지 않았습니다. 이 행을 고친 처리를 빼세요. 예: --no-fix normalise,personal_data.",
        ),
    )


def _changed_since(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} has changed since it was audited.", ko=f"점검한 뒤에 {path}이(가) 바뀌었습니다."),
        Text(en="Run the same command again.", ko="같은 명령을 다시 실행하세요."),
    )


def _does_not_add_up(rows_in: int, counted: tuple[int, int, int]) -> SonmatError:
    sum_of = " + ".join(str(each) for each in counted)
    return SonmatError(
        Text(
            en=f"The rows do not add up: {rows_in} read, but {sum_of} kept, changed and dropped.",
            ko=f"행의 수가 맞지 않습니다. 읽은 행 {rows_in}, 그대로·고침·뺌 {sum_of}.",
        ),
        Text(
            en="This is a fault of Sonmat; nothing was left written. Please report it.",
            ko="Sonmat의 결함이며 쓴 것은 모두 지웠습니다. 알려 주세요.",
        ),
    )
