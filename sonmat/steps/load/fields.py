"""What is done to the fields of every row before a shape sees them: columns get other names, a template makes the prompt.

In: `map` and `template` of a source and the columns of its table. Out: a `Preparation` that turns fields into fields, or says why
a row has none. It recognises nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sonmat.core.errors import SettingError, unknown_name
from sonmat.core.protocols import Table
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.reading.templates import Template, parse_template

COLUMN = Text(en="column", ko="열")


@dataclass(frozen=True)
class Preparation:
    renamed: Mapping[str, tuple[str, ...]]
    """The new names of each column that gets any."""
    template: Template | None

    def fields(self, fields: Json) -> Json | Text:
        """The fields as shapes see them."""
        named = self.named(fields)
        if self.template is None:
            return named
        prompt = self.template.fill(named)
        return prompt if isinstance(prompt, Text) else {**named, self.template.text: prompt}

    def named(self, fields: Json) -> Json:
        """The fields under their new names."""
        if not self.renamed:
            return fields
        return {new: value for old, value in fields.items() for new in self.renamed.get(old, (old,))}

    def table(self, table: Table) -> Table:
        """The table under its new names, without the template's prompt."""
        if not self.renamed:
            return table
        columns = tuple(new for old in table.columns for new in self.renamed.get(old, (old,)))
        return Table(columns, tuple(map(self.named, table.rows)))


def prepare(table: Table, map: Mapping[str, str], template: str | None) -> Preparation:
    """How to prepare the rows of `table`.

    Raises:
        SettingError: a column that is not there, two columns for one name, or a template that cannot be read.
    """
    renamed: dict[str, tuple[str, ...]] = {}
    for new, old in map.items():
        if old not in table.columns:
            raise unknown_name(COLUMN, old, table.columns)
        renamed[old] = (*renamed.get(old, ()), new)
    for new, old in map.items():
        if new in table.columns and new not in renamed:
            raise _twice(new, old)
    made = None if template is None else parse_template(template)
    named = Preparation(renamed, made).table(table).columns
    for column in made.columns if made else ():
        if column not in named:
            raise unknown_name(COLUMN, column, named)
    return Preparation(renamed, made)


def _twice(new: str, old: str) -> SettingError:
    return SettingError(
        Text(
            en=f"'{old}' cannot be read as '{new}': the data has a column '{new}' already.",
            ko=f"'{old}' 열을 '{new}'(으)로 읽을 수 없습니다. 데이터에 '{new}' 열이 이미 있습니다.",
        ),
        Text(
            en=f"Give that one another name too, e.g. --map other={new}.",
            ko=f"그 열에도 다른 이름을 주세요. 예: --map other={new}.",
        ),
    )
