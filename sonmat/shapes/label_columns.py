"""Rows of a text and a column of 0 and 1 for each label, as tables of toxic comments or symptoms have them."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import text_of
from sonmat.reading.columns import FLAGS, choose_label, choose_text, profiles


class LabelColumns:
    name = "label_columns"
    title = Text(en="a text and a column of 0 and 1 a label", ko="글과 라벨마다 0·1인 열")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        if wanted.target is not None:
            return None
        columns = profiles(table)
        flags = [name for name, profile in columns.items() if profile.zero_or_one and name != wanted.input]
        label = choose_label(columns.values(), None)
        text = choose_text(columns.values(), wanted.input, excluded=flags)
        # A column that is called 'label', or repeats words, is likelier the answer than some flags beside it.
        if len(flags) < 2 or text is None or (label is not None and label.column not in flags):
            return None
        names = ", ".join(f"'{name}'" for name in flags[:5]) + (", …" if len(flags) > 5 else "")
        return Guess(
            sure=0.8 if label is None or label.sure < 0.9 else 0.3,
            columns=Columns(input=text.column, targets=tuple(flags)),
            reason=Text(
                en=f"{names} hold nothing but 0 and 1: a label each; {text.reason.en}",
                ko=f"{names} 열에는 0과 1만 있어 각각 라벨입니다. {text.reason.ko}",
            ),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        text = text_of(fields, columns.input)
        if isinstance(text, Text):
            return text
        labels = []
        for name in columns.targets:
            value = fields.get(name)
            # A table leaves the cell empty where nobody marked it.
            fits = False if value is None or value == "" else FLAGS.get(str(value).strip().casefold())
            if fits is None:
                return Text(en=f"has neither 0 nor 1 in '{name}'", ko=f"'{name}' 칸의 값이 0도 1도 아닙니다")
            if fits:
                labels.append(name)
        return Pair(input={"text": text}, target={"labels": labels})

    def write(self, pair: Pair, columns: Columns) -> Json:
        fitting = pair.target["labels"]
        named = dict.fromkeys([*columns.targets, *fitting])
        return {columns.input or "text": pair.input["text"], **{name: int(name in fitting) for name in named}}


plugin = LabelColumns()
