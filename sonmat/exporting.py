"""Writes the parts of a split as files that any other program can train and test with: `sonmat split DATA --out DIR`.

In: a run that is split. Out: train, validation and test files, or those of every fold, and `split.json` with the seal, written
last. Rows keep the shape and the columns that they came in, as the audit left them, in the order of reading; where the data is no
longer there, the run's own rows are written with the columns that the run knows of.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sonmat import plugins
from sonmat.core.errors import SettingError
from sonmat.core.protocols import Format, Pair
from sonmat.core.text import Text
from sonmat.core.values import Fold, Record, Split, Value
from sonmat.repairing import repaired_records
from sonmat.runs import EventLog, RunFolder, write_value
from sonmat.runs.files import read_value
from sonmat.steps.load import Looked, look

SPLIT_FILE: Final = "split.json"
_PARTS: Final = ("train", "validation", "test")


class ExportedFile(Value):
    name: str
    """Relative to the folder."""
    rows: int


class ExportedSplit(Value):
    """What stands in `split.json` beside the exported files."""

    how: Text
    seal: str
    """SHA-256 over the ids, inputs and targets of the test rows."""
    seed: int
    format: str
    folds: int
    repeats: int
    files: tuple[ExportedFile, ...]
    ids: Split
    """Which row of the run went where."""


@dataclass(frozen=True)
class _Rows:
    """Where the rows come from, and how they are written."""

    folder: RunFolder
    sources: Sequence[Looked] | None
    """None where the data is no longer there."""
    format: Format
    suffix: str

    def records(self, wanted: set[str], out: Path) -> Iterator[Record]:
        if self.sources is not None:
            for id, record in repaired_records(self.folder, self.sources, out):
                if id in wanted:
                    yield self._fitting(record)
            return
        source = self.folder.source()
        shape, columns = plugins.find("shapes", source.shape), source.columns
        modality = plugins.find_kind(source.task).modality
        for example in self.folder.kept_examples():
            if example.id not in wanted:
                continue
            input = example.input
            if modality != "text":
                input = {**input, modality: str(self.folder.file(input[modality]).resolve())}
            fields = {**shape.write(Pair(input, example.target), columns), **example.slices}
            known = {columns.group: example.group, columns.time: example.time, columns.part: example.part}
            fields |= {name: value for name, value in known.items() if name is not None and value is not None}
            yield self._fitting(Record(source=example.source, fields=fields))

    def _fitting(self, record: Record) -> Record:
        """The record such that a table of texts can hold its numbers."""
        if self.format.holds != "text":
            return record
        fields = {name: str(value) if isinstance(value, int | float) else value for name, value in record.fields.items()}
        fields = {name: "" if value is None else value for name, value in fields.items()}
        return record.model_copy(update={"fields": fields})


def export_split(folder: RunFolder, out: Path, format: str | None = None, force: bool = False) -> ExportedSplit:
    """Write the parts of the split run `folder` into the folder `out`.

    Args:
        format: name of a format; the data's own if left out.
        force: files of an earlier export are replaced.
    Raises:
        SettingError: there is no such format, or files of these names are there already.
        DataError: the format cannot hold the rows, or the data has changed since the run read it.
    """
    split = folder.split()
    check_export(out, force)
    rows = _rows(folder, format)
    _remove_earlier(out)
    files = []
    for name, ids in _named_parts(split):
        path = out / f"{name}{rows.suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        rows.format.write(rows.records(set(ids), path), path)
        files.append(ExportedFile(name=path.relative_to(out).as_posix(), rows=len(ids)))
    exported = ExportedSplit(
        how=split.how,
        seal=split.seal,
        seed=folder.recipe().seed,
        format=rows.format.name,
        folds=len(split.folds) // split.repeats,
        repeats=split.repeats,
        files=tuple(files),
        ids=split,
    )
    write_value(out / SPLIT_FILE, exported, split.seal)
    return exported


def check_export(out: Path, force: bool) -> None:
    """Nothing, if an export may go to `out`.

    Raises:
        SettingError: it is a file, or a folder with something in it that is not to be replaced.
    """
    if out.is_file():
        raise _there_already(out)
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not force:
        raise _there_already(out)
    if not (out / SPLIT_FILE).is_file():
        raise SettingError(
            Text(
                en=f"The folder {out} holds other things than an exported split.",
                ko=f"{out} 폴더에 분할 결과가 아닌 것이 들어 있습니다.",
            ),
            Text(en="Name a new folder with --out.", ko="--out으로 새 폴더를 지정하세요."),
        )


def _remove_earlier(out: Path) -> None:
    """Let an earlier export go, and only what it had written; its `split.json` first, so that a kill leaves no half of it."""
    if not (out / SPLIT_FILE).is_file():
        return
    earlier = read_value(out / SPLIT_FILE, ExportedSplit)
    (out / SPLIT_FILE).unlink()
    for file in earlier.files:
        path = out / file.name
        if not path.resolve().is_relative_to(out.resolve()):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        if path.parent != out and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()


def _named_parts(split: Split) -> Iterator[tuple[str, tuple[str, ...]]]:
    """File names without ending, and the ids of their rows. Of folds the test rows of all are all rows, so that there is no
    test file of their own."""
    for part in _PARTS[:2] if split.folds else _PARTS:
        yield part, getattr(split, part)
    for number, fold in enumerate(split.folds, start=1):
        yield from _parts_of_fold(f"fold-{number}", fold)


def _parts_of_fold(name: str, fold: Fold) -> Iterator[tuple[str, tuple[str, ...]]]:
    for part in _PARTS:
        yield f"{name}/{part}", getattr(fold, part)


def _rows(folder: RunFolder, name: str | None) -> _Rows:
    recipe = folder.recipe()
    present = all(each.startswith("hub:") or Path(each).exists() for each in recipe.data)
    sources = look(recipe, EventLog(None)) if present else None
    format = plugins.find("formats", name) if name is not None else _own_format(folder, sources)
    if format.holds not in ("text", "json"):
        _refuse_other_media(folder, format)
    return _Rows(folder, sources, format, _suffix(format, sources))


def _own_format(folder: RunFolder, sources: Sequence[Looked] | None) -> Format:
    """That of the data where all of it has one, else JSON lines, which hold anything."""
    if sources is not None:
        names = {each.format.name for each in sources}
        return sources[0].format if len(names) == 1 else plugins.find("formats", "jsonl")
    known = {format.name: format for format in plugins.every("formats")}
    return known.get(folder.source().format, known["jsonl"])


def _suffix(format: Format, sources: Sequence[Looked] | None) -> str:
    """The ending of the data's own files where the format knows it, else the format's first; none for folders."""
    own = {each.source.path.suffix.lower() for each in sources or ()} & set(format.suffixes)
    return own.pop() if len(own) == 1 else next(iter(format.suffixes), "")


def _refuse_other_media(folder: RunFolder, format: Format) -> None:
    modality = plugins.find_kind(folder.source().task).modality
    if format.holds != modality and not (format.holds == "boxes" and modality == "image"):
        raise SettingError(
            Text(
                en=f"'{format.name}' holds {format.holds}, and these rows are {modality}.",
                ko=f"'{format.name}' 형식은 {format.holds}용인데 이 행은 {modality}입니다.",
            ),
            Text(en="Choose another --format, e.g. jsonl.", ko="다른 --format을 고르세요. 예: jsonl."),
        )


def _there_already(path: Path) -> SettingError:
    return SettingError(
        Text(en=f"{path} is there already.", ko=f"{path}이(가) 이미 있습니다."),
        Text(
            en="Name a new folder with --out, or replace an earlier export with --force.",
            ko="--out으로 새 폴더를 지정하거나, 앞서 내보낸 것을 --force로 덮어쓰세요.",
        ),
    )
