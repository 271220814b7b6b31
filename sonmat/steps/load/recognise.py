"""What rows are about: picks the kind and the shape that fit a table best, and says why.

In: a sample of the rows and the recipe. Out: a `Recognised`. Every task and kind of rows with each of its shapes is asked; what
the recipe names is taken as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sonmat import plugins
from sonmat.core.errors import DataError, SettingError, unknown_name
from sonmat.core.protocols import Kind, Shape, Table
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess
from sonmat.reading.columns import profiles
from sonmat.reading.templates import Template
from sonmat.reading.times import writes_day_first
from sonmat.steps.load.fields import COLUMN

_ANSWER_NAMES = ("output", "answer", "response", "completion", "copy", "text", "답변", "답", "응답", "출력", "문구", "카피")


@dataclass(frozen=True)
class Recognised:
    task: Kind
    shape: Shape
    columns: Columns
    reason: Text
    """Why, and how to choose otherwise."""
    day_first: bool | None = None
    """Whether the time column writes the day before the month; None where its dates do not tell."""


def recognise(
    table: Table, recipe: Recipe, template: Template | None = None, elsewhere: Collection[str] = ()
) -> Recognised:
    """The kind and shape that fit best.

    Args:
        template: makes the input of columns of the table, which are then no answer.
        elsewhere: columns of other sources, which group, slices and part may name too.

    Raises:
        SettingError: the recipe names an unknown task or a column that is not there.
        DataError: no kind can take these rows.
    """
    wanted = _wanted_columns(table, recipe, elsewhere)
    named = "chat" if template is not None and recipe.task is None else recipe.task
    kinds = plugins.kinds_of_rows() if named is None else (plugins.find_kind(named),)
    if template is not None:
        wanted = _with_template(table, wanted, template, chat=named == "chat")
        table = _seen_by_shapes(table, wanted, template)
    guess, kind, name = _best(table, wanted, kinds)
    reason, part = _reason(guess, kind, recipe, template), wanted.part
    if part is None:
        part = _given_part(table, guess.columns, wanted)
    if part is not None:
        reason = Text(
            en=f"{reason.en}; '{part}' says which rows are to train, validate and test with",
            ko=f"{reason.ko}. '{part}' 열이 학습·검증·테스트 구분을 알려 줍니다",
        )
    side = {
        "group": wanted.group,
        "slices": wanted.slices,
        "part": part,
        "time": wanted.time,
        "template": template.text if template is not None else None,
    }
    day_first = writes_day_first(row.get(wanted.time) for row in table.rows) if wanted.time is not None else None
    return Recognised(kind, plugins.find("shapes", name), guess.columns.model_copy(update=side), reason, day_first)


def _wanted_columns(table: Table, recipe: Recipe, elsewhere: Collection[str]) -> Columns:
    for column in (recipe.input, recipe.target, recipe.time):
        if column is not None and column not in table.columns:
            raise unknown_name(COLUMN, column, table.columns)
    known = dict.fromkeys([*table.columns, *elsewhere])
    for column in (recipe.group, *recipe.slices, recipe.part):
        if column is not None and column not in known:
            raise unknown_name(COLUMN, column, known)
    return Columns(
        input=recipe.input,
        target=recipe.target,
        group=recipe.group,
        slices=recipe.slices,
        part=recipe.part,
        time=recipe.time,
    )


def _with_template(table: Table, wanted: Columns, template: Template, chat: bool) -> Columns:
    """The wanted columns, the template's prompt as the input; for chat with the answer's column, which must be clear."""
    if wanted.input is not None:
        raise SettingError(
            Text(
                en=f"The template makes the input, and '{wanted.input}' is named as input too.",
                ko=f"입력은 템플릿이 만드는데 '{wanted.input}' 열도 입력으로 지정되었습니다.",
            ),
            Text(en="Leave one of the two out.", ko="둘 가운데 하나만 쓰세요."),
        )
    target = wanted.target
    if target is None and chat:
        target = _answer_column(table, wanted, template)
    return wanted.model_copy(update={"input": template.text, "target": target})


def _answer_column(table: Table, wanted: Columns, template: Template) -> str:
    taken = {*template.columns, wanted.group, *wanted.slices, wanted.part, wanted.time, "system"}
    texts = [name for name, profile in profiles(table).items() if profile.can_be_text and name not in taken]
    named = [name for known in _ANSWER_NAMES for name in texts if name.strip().casefold() == known]
    if len(texts) == 1 or named:
        return (named or texts)[0]
    listed = ", ".join(f"'{name}'" for name in texts or table.columns)
    raise SettingError(
        Text(
            en=f"Which column answers the template's prompt is not clear. There are {listed}.",
            ko=f"템플릿으로 만든 질문의 답이 어느 열인지 분명하지 않습니다. 있는 열: {listed}.",
        ),
        Text(en="Name it with --target.", ko="--target으로 지정하세요."),
    )


def _seen_by_shapes(table: Table, wanted: Columns, template: Template) -> Table:
    """The table with the prompt as its first column, without the columns that it was made of."""
    left = tuple(name for name in table.columns if name not in template.columns or name in (wanted.target, wanted.time))
    rows = []
    for row in table.rows:
        prompt = template.fill(row)
        if not isinstance(prompt, Text):
            rows.append({template.text: prompt, **{name: row[name] for name in left if name in row}})
    return Table((template.text, *left), tuple(rows))


def _best(table: Table, wanted: Columns, kinds: Sequence[Kind]) -> tuple[Guess, Kind, str]:
    names = dict.fromkeys(name for kind in kinds for name in kind.shapes)
    guesses = {name: plugins.find("shapes", name).recognise(table, wanted) for name in names}
    ranked = sorted(
        ((guess, kind, name) for kind in kinds for name in kind.shapes if (guess := guesses[name]) is not None),
        key=lambda entry: (-entry[0].sure, entry[1].name, entry[2]),
    )
    if not ranked:
        raise _not_recognised(table, kinds)
    return ranked[0]


def _given_part(table: Table, columns: Columns, wanted: Columns) -> str | None:
    """The column that tells the parts of a given split, if there is one that plays no other part."""
    taken = {columns.input, columns.target, *columns.targets, wanted.group, *wanted.slices, wanted.time}
    return next((name for name, profile in profiles(table).items() if profile.says_part and name not in taken), None)


def _reason(guess: Guess, kind: Kind, recipe: Recipe, template: Template | None) -> Text:
    reason = guess.reason
    if template is not None:
        names, answer = ", ".join(f"'{name}'" for name in template.columns), guess.columns.target
        reason = Text(
            en=f"the template makes the input of {names}, and '{answer}' answers it",
            ko=f"템플릿이 {names} 열로 입력을 만들고 '{answer}' 열이 그 답입니다",
        )
    if recipe.task is None:
        return reason
    chosen = Text(en=f"you asked for {kind.title.en}", ko=f"{kind.title.ko} 과제를 지정하셨습니다")
    return Text(en=f"{chosen.en}; {reason.en}", ko=f"{chosen.ko}. {reason.ko}")


def _not_recognised(table: Table, kinds: Sequence[Kind]) -> DataError:
    shapes = [plugins.find("shapes", name).title for name in dict.fromkeys(name for kind in kinds for name in kind.shapes)]
    columns = ", ".join(f"'{name}'" for name in table.columns) or "-"
    english, korean = ("; ".join(title.in_language(language) for title in shapes) for language in ("en", "ko"))
    return DataError(
        Text(
            en=f"The rows were not recognised. Their columns are {columns}.",
            ko=f"어떤 데이터인지 알아볼 수 없습니다. 열은 {columns}입니다.",
        ),
        Text(
            en=f"Name the columns with --input and --target, or rename them with --map. Known are rows of: {english}.",
            ko=f"--input과 --target으로 열을 지정하거나 --map으로 이름을 바꾸세요. 알아볼 수 있는 행: {korean}.",
        ),
    )
