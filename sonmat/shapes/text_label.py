"""Rows of a text and its label: the commonest table there is."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import label_of, text_of
from sonmat.reading.columns import choose_label, choose_text, profiles


class TextLabel:
    name = "text_label"
    title = Text(en="a text and its label", ko="글과 라벨")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        label = choose_label(columns.values(), wanted.target, excluded=(wanted.input,))
        if label is None:
            return None
        text = choose_text(columns.values(), wanted.input, excluded=(label.column,))
        if text is None:
            return None
        return Guess(
            sure=round(label.sure * text.sure, 4),
            columns=Columns(input=text.column, target=label.column),
            reason=Text(en=f"{label.reason.en}; {text.reason.en}", ko=f"{label.reason.ko}. {text.reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        text = text_of(fields, columns.input)
        label = label_of(fields, columns.target)
        if isinstance(text, Text):
            return text
        return label if isinstance(label, Text) else Pair(input={"text": text}, target={"label": label})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "text": pair.input["text"], columns.target or "label": pair.target["label"]}


plugin = TextLabel()
