"""Reads rows of any shape and writes them as any other, in the format that the new file's name asks for.

In: a path, a new path, and what the rows are to become. Out: the new file and a `Conversion` that lists every loss. Rows are read
twice more after they are recognised: once to find out what would be lost, so that nothing is written before that is known, and
once to write. The original is never changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from sonmat import plugins
from sonmat.converting.change_kind import WAYS, Way, way
from sonmat.converting.losses import Conversion, Loss, LossBook, would_lose
from sonmat.converting.shaping import Shaper
from sonmat.converting.writing import Cells, format_for
from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.protocols import Emit, Format, Kind, Pair, Shape
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Columns, Json, Record
from sonmat.steps.load import Looked, look

KEEP_ALL = "all"


def convert(
    recipe: Recipe, out: Path, to: str | None, keep: Sequence[str], lossy: bool, force: bool, emit: Emit
) -> Conversion:
    """Write the rows of `recipe.data` into `out`.

    Args:
        to: name of the new shape; that of the data if None.
        keep: columns that the new shape has no place for and that are written all the same; 'all' for all.
        lossy: leave out what the new shape cannot hold, instead of stopping.
        force: replace `out` if it is there.

    Raises:
        DataError: the data cannot be read or recognised, or would lose something.
        SettingError: an unknown shape, column or format, rows that cannot become what is asked, or `out` is there already.
    """
    _check_place(recipe, out, force)
    looked = look(recipe, emit)
    for each in looked:
        emit("recognised", each.recognised.reason)
    goal = _goal(looked, to)
    format = format_for(out, goal.kind)
    work = _Work(looked, goal, format, keep, out)
    losses = [*work.lost_columns(), *work.find_losses(emit)]
    stopping = [loss for loss in losses if not loss.chosen]
    if not work.rows_out or (stopping and not lossy):
        raise would_lose(stopping or losses, goal.shape.title)
    format.write(work.records(emit), out)
    first = looked[0].recognised
    return Conversion(
        data=recipe.data,
        out=str(out),
        task=first.task.name,
        shape=", ".join(dict.fromkeys(each.recognised.shape.name for each in looked)),
        new_task=goal.kind.name,
        new_shape=goal.shape.name,
        format=format.name,
        rows_in=work.rows_in,
        rows_out=work.rows_out,
        losses=tuple(losses),
        reason=first.reason,
    )


@dataclass(frozen=True)
class _Goal:
    kind: Kind
    shape: Shape
    columns: Columns
    way: Way


def _check_place(recipe: Recipe, out: Path, force: bool) -> None:
    same = [given for given in recipe.data if Path(given).exists() and out.exists() and out.samefile(given)]
    if same:
        raise SettingError(
            Text(
                en=f"{out} is the original itself, which is never changed.",
                ko=f"{out}은(는) 원본입니다. 원본은 바꾸지 않습니다.",
            ),
            Text(en="Name another file to write.", ko="쓸 파일 이름을 다르게 정하세요."),
        )
    if out.exists() and (not force or out.is_dir()):
        raise SettingError(
            Text(en=f"{out} is there already.", ko=f"{out}이(가) 이미 있습니다."),
            Text(
                en="Name another file, or replace a file with --force.",
                ko="다른 이름을 쓰거나, 파일이라면 --force로 바꾸세요.",
            ),
        )


def _goal(looked: Sequence[Looked], to: str | None) -> _Goal:
    """The kind, shape and columns of the new rows."""
    old, shapes = looked[0].recognised.task, {each.recognised.shape.name for each in looked}
    if to is None and len(shapes) > 1:
        raise SettingError(
            Text(
                en=f"The sources have different shapes: {', '.join(sorted(shapes))}.",
                ko=f"데이터마다 모양이 다릅니다: {', '.join(sorted(shapes))}.",
            ),
            Text(en="Say with --to which one all are to have.", ko="--to로 모두 어떤 모양으로 쓸지 정하세요."),
        )
    name = to or next(iter(shapes))
    shape = plugins.find("shapes", name)
    for kind in sorted(plugins.kinds_of_rows(), key=lambda kind: kind.name != old.name):
        found = way(old.name, kind.name)
        if name in kind.shapes and found is not None:
            same = shapes == {name} and len(looked) == 1 and looked[0].recognised.columns.template is None
            return _Goal(kind, shape, looked[0].recognised.columns if same else Columns(), found)
    kinds = [old.name, *(new for before, new in WAYS if before == old.name)]
    possible = sorted({shape for kind in kinds for shape in plugins.find_kind(kind).shapes})
    raise SettingError(
        Text(
            en=f"Rows for {old.title.en} cannot be written as {shape.title.en}.",
            ko=f"{old.title.ko} 행은 {shape.title.ko} 꼴로 쓸 수 없습니다.",
        ),
        Text(en=f"They can become: {', '.join(possible)}.", ko=f"바꿀 수 있는 모양: {', '.join(possible)}."),
    )


class _Work:
    """One conversion: what is lost, found out in one pass, and the records, made in another."""

    def __init__(self, looked: Sequence[Looked], goal: _Goal, format: Format, keep: Sequence[str], out: Path) -> None:
        self._looked, self._goal, self._format = looked, goal, format
        self._shaper = Shaper(goal.shape, goal.columns)
        self._cells = Cells(format, goal.kind, goal.shape.name, out)
        self._unused = [_unused_columns(each) for each in looked]
        self._keep = _kept(keep, self._unused, [name for each in looked for name in each.seen.table.columns])
        self.rows_in = self.rows_out = 0

    def lost_columns(self) -> Iterator[Loss]:
        """A loss a column that plays no part in the old shape and is not kept."""
        for name in dict.fromkeys(name for unused in self._unused for name in unused):
            if name not in self._keep:
                rows = sum(
                    each.seen.rows for each, unused in zip(self._looked, self._unused, strict=True) if name in unused
                )
                what = Text(
                    en=f"the column '{name}' (--keep {name} writes it too)",
                    ko=f"'{name}' 열(--keep {name}으로 남길 수 있음)",
                )
                yield Loss(what=what, rows=rows, chosen=True)

    def find_losses(self, emit: Emit) -> list[Loss]:
        """What would be lost of which rows; learns on the way what the columns hold."""
        book = LossBook()
        for _, fields in self._rows(emit, _CHECKING, book):
            self._cells.note(fields)
            self.rows_out += 1
        return book.losses()

    def records(self, emit: Emit) -> Iterator[Record]:
        for record, fields in self._rows(emit, _WRITING, None):
            yield self._cells.record(fields, record.source)

    def _rows(self, emit: Emit, doing: Text, book: LossBook | None) -> Iterator[tuple[Record, Json]]:
        total, done = sum(each.seen.rows for each in self._looked), 0
        for each in self._looked:
            folder = (each.source.path if each.source.path.is_dir() else each.source.path.parent).resolve()
            several = len(self._looked) > 1
            for record in each.format.read(each.source.path):
                done += 1
                if done % _REPORT_EVERY == 0:
                    emit("progress", doing, done=done, total=total, seconds_left=None)
                place = record.source.place
                if several:
                    place = Text(en=f"{each.source.label} {place.en}", ko=f"{each.source.label} {place.ko}")
                fields = self._fields(each, record, folder, place, book)
                if not isinstance(fields, Text):
                    yield record, fields
                elif book is not None:
                    book.note(fields, place, kept_out=True)
        self.rows_in = done

    def _fields(self, each: Looked, record: Record, folder: Path, place: Text, book: LossBook | None) -> Json | Text:
        """The new fields of one row, or why it has none."""
        found = each.reader.read(record)
        if isinstance(found, Text):
            return found
        pair, old = found
        changed = self._goal.way(_with_whole_path(pair, each.recognised.task, folder))
        if isinstance(changed, Text):
            return changed
        shaped = self._shaper.shaped(changed.pair)
        if isinstance(shaped, Text):
            return shaped
        problem = self._media_problem(changed.pair)
        if problem is not None:
            return problem
        if book is not None:
            for what in shaped.lost:
                book.note(what, place)
            for what in changed.lost:
                book.note(what, place, chosen=True)
        return {**self._kept_of(old, shaped.fields), **shaped.fields}

    def _kept_of(self, old: Json, new: Json) -> Json:
        kept = {name: old[name] for name in self._keep if name in old}
        taken = sorted(kept.keys() & new.keys())
        if taken:
            raise SettingError(
                Text(
                    en=f"The column '{taken[0]}' cannot be kept: the new rows have one of that name.",
                    ko=f"'{taken[0]}' 열은 남길 수 없습니다. 새 행에 같은 이름의 열이 있습니다.",
                ),
                Text(
                    en=f"Rename it: --map other={taken[0]} --keep other.",
                    ko=f"이름을 바꾸세요: --map other={taken[0]} --keep other.",
                ),
            )
        return kept

    def _media_problem(self, pair: Pair) -> Text | None:
        if self._format.holds not in ("image", "audio", "boxes") or Path(pair.input[self._goal.kind.modality]).is_file():
            return None
        return Text(en="its file is not there", ko="파일이 없습니다")


_CHECKING = Text(en="Looking for what would be lost", ko="빠질 내용을 찾는 중")
_WRITING = Text(en="Writing rows", ko="행을 쓰는 중")
_REPORT_EVERY = 10_000


def _with_whole_path(pair: Pair, kind: Kind, folder: Path) -> Pair:
    if kind.modality == "text":
        return pair
    return Pair(input={**pair.input, kind.modality: str(folder / pair.input[kind.modality])}, target=pair.target)


def _unused_columns(looked: Looked) -> list[str]:
    """Columns without which the sampled rows say the same."""
    rows = [
        fields for row in looked.seen.table.rows[:_SAMPLE] if not isinstance(fields := looked.preparation.fields(row), Text)
    ]
    recognised = looked.recognised
    before = [recognised.shape.read(row, recognised.columns) for row in rows]
    template = looked.preparation.template
    used = set(template.columns) if template is not None else set()
    unused = []
    for name in looked.preparation.table(looked.seen.table).columns:
        without = [{key: value for key, value in row.items() if key != name} for row in rows]
        after = [recognised.shape.read(row, recognised.columns) for row in without]
        empty = all(row.get(name) in (None, "", []) for row in rows)
        if name not in used and after == before and not empty:
            unused.append(name)
    return unused


_SAMPLE = 200


def _kept(keep: Sequence[str], unused: Sequence[Sequence[str]], columns: Sequence[str]) -> tuple[str, ...]:
    free = dict.fromkeys(name for names in unused for name in names)
    if list(keep) == [KEEP_ALL]:
        return tuple(free)
    for name in keep:
        if name not in free and name not in columns:
            raise unknown_name(Text(en="column", ko="열"), name, free or columns)
    return tuple(name for name in keep if name in free)
