"""What the sources of a recipe are: each is surveyed and recognised on its own, and all must be of one kind.

In: the recipe. Out: a `Looked` a source, which knows how to read its rows. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass

from sonmat.core.errors import DataError
from sonmat.core.protocols import Emit, Format
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.steps.load.container import find_format
from sonmat.steps.load.fields import Preparation, prepare
from sonmat.steps.load.mixed import mixed_shapes
from sonmat.steps.load.recognise import Recognised, recognise
from sonmat.steps.load.rows import PairReader
from sonmat.steps.load.sources import DataSource, find_sources
from sonmat.steps.load.survey import Survey, survey


@dataclass(frozen=True)
class Looked:
    """One source and what it was recognised as."""

    source: DataSource
    format: Format
    seen: Survey
    preparation: Preparation
    recognised: Recognised
    mixed: Text | None
    """How many rows are of which shape, where there are several."""

    @property
    def reader(self) -> PairReader:
        return PairReader(self.recognised, self.preparation)


def look(recipe: Recipe, emit: Emit) -> list[Looked]:
    """Every source, recognised.

    Raises:
        DataError: a source cannot be read or recognised, or they are of different kinds.
        SettingError: an unknown task, a column that is not there, a manifest or template that cannot be read.
    """
    sources = find_sources(recipe)
    # A path that is missing is said before hours are spent on the others.
    formats = [find_format(source.path) for source in sources]
    surveys = [_survey(source, format, emit) for source, format in zip(sources, formats, strict=True)]
    preparations = [prepare(seen.table, source.map, source.template) for source, seen in zip(sources, surveys, strict=True)]
    tables = [prepared.table(seen.table) for prepared, seen in zip(preparations, surveys, strict=True)]
    columns = dict.fromkeys(name for table in tables for name in table.columns)
    found = []
    for source, format, seen, prepared, table in zip(sources, formats, surveys, preparations, tables, strict=True):
        recognised = recognise(table, recipe, prepared.template, columns)
        mixed = mixed_shapes(seen, prepared, recognised)
        found.append(Looked(source, format, seen, prepared, recognised, mixed))
    if len({each.recognised.task.name for each in found}) > 1:
        raise _different_kinds(found)
    return found


def _survey(source: DataSource, format: Format, emit: Emit) -> Survey:
    seen = survey(format, source.path, emit)
    if seen.table.rows:
        return seen
    listed = [(record.source.place, record.problem) for record in seen.problems if record.problem is not None]
    english = "\n".join(f"  {place.en} {problem.en}" for place, problem in listed)
    korean = "\n".join(f"  {place.ko} {problem.ko}" for place, problem in listed)
    more = seen.rows - len(listed)
    raise DataError(
        Text(
            en=f"{seen.rows:,} of {seen.rows:,} rows of {source.path} cannot be used:\n{english}"
            + (f"\n  … and {more:,} more" if more else ""),
            ko=f"{source.path}의 {seen.rows:,}행 가운데 {seen.rows:,}행을 쓸 수 없습니다:\n{korean}"
            + (f"\n  … 외 {more:,}행" if more else ""),
        ),
        Text(en="No row is left to learn from.", ko="배울 수 있는 행이 남지 않습니다."),
    )


def _different_kinds(found: list[Looked]) -> DataError:
    english = [
        f"  {each.source.label}: {each.recognised.task.title.en}, because {each.recognised.reason.en}" for each in found
    ]
    korean = [f"  {each.source.label}: {each.recognised.task.title.ko}. {each.recognised.reason.ko}" for each in found]
    return DataError(
        Text(
            en="\n".join(["The sources hold rows of different kinds:", *english]),
            ko="\n".join(["데이터마다 행의 종류가 다릅니다:", *korean]),
        ),
        Text(
            en="Name one kind for all with --task, or make a run of each.",
            ko="--task로 모두에 쓸 종류를 하나 지정하거나, 종류마다 따로 실행하세요.",
        ),
    )
