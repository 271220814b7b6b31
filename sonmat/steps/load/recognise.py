"""What rows are about: picks the task and the shape that fit a table best, and says why.

In: a sample of the rows and the recipe. Out: a `Recognised`. Every task with each of its shapes is asked; what the recipe
names is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from sonmat import plugins
from sonmat.core.errors import DataError, unknown_name
from sonmat.core.protocols import Shape, Table, Task
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess


@dataclass(frozen=True)
class Recognised:
    task: Task
    shape: Shape
    columns: Columns
    reason: Text
    """Why, and how to choose otherwise."""


def recognise(table: Table, recipe: Recipe) -> Recognised:
    """The task and shape that fit best.

    Raises:
        SettingError: the recipe names an unknown task or a column that is not there.
        DataError: no task can take these rows.
    """
    tasks = plugins.every("tasks") if recipe.task is None else (plugins.find("tasks", recipe.task),)
    wanted = _wanted_columns(table, recipe)
    guesses = {
        name: guess
        for name in {name for task in tasks for name in task.shapes}
        if (guess := plugins.find("shapes", name).recognise(table, wanted)) is not None
    }
    ranked = sorted(
        ((guesses[name], task, name) for task in tasks for name in task.shapes if name in guesses),
        key=lambda entry: (-entry[0].sure, entry[1].name, entry[2]),
    )
    if not ranked:
        raise _not_recognised(table, tasks)
    guess, task, name = ranked[0]
    columns = guess.columns.model_copy(update={"group": wanted.group, "slices": wanted.slices})
    return Recognised(task, plugins.find("shapes", name), columns, _reason(guess, task, recipe))


def _wanted_columns(table: Table, recipe: Recipe) -> Columns:
    for column in (recipe.input, recipe.target, recipe.group, *recipe.slices):
        if column is not None and column not in table.columns:
            raise unknown_name(Text(en="column", ko="열"), column, table.columns)
    return Columns(input=recipe.input, target=recipe.target, group=recipe.group, slices=recipe.slices)


def _reason(guess: Guess, task: Task, recipe: Recipe) -> Text:
    if recipe.task is not None:
        chosen = Text(en=f"you asked for {task.title.en}", ko=f"{task.title.ko} 과제를 지정하셨습니다")
        return Text(en=f"{chosen.en}; {guess.reason.en}", ko=f"{chosen.ko}. {guess.reason.ko}")
    return guess.reason


def _not_recognised(table: Table, tasks: tuple[Task, ...]) -> DataError:
    shapes = [plugins.find("shapes", name).title for name in dict.fromkeys(name for task in tasks for name in task.shapes)]
    columns = ", ".join(f"'{name}'" for name in table.columns) or "-"
    english, korean = ("; ".join(title.in_language(language) for title in shapes) for language in ("en", "ko"))
    return DataError(
        Text(
            en=f"The rows were not recognised. Their columns are {columns}.",
            ko=f"어떤 데이터인지 알아볼 수 없습니다. 열은 {columns}입니다.",
        ),
        Text(
            en=f"Name the columns with --input and --target. Known are rows of: {english}.",
            ko=f"--input과 --target으로 열을 지정하세요. 알아볼 수 있는 행: {korean}.",
        ),
    )
