"""Rows of a text and a number to predict: fractions, or whole numbers of which hardly two are equal."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import number_of, text_of
from sonmat.reading.columns import choose_number, choose_text, profiles


class TextNumber:
    name = "text_number"
    title = Text(en="a text and a number", ko="글과 숫자")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        number = choose_number(columns.values(), wanted.target, excluded=(wanted.input,))
        if number is None:
            return None
        text = choose_text(columns.values(), wanted.input, excluded=(number.column,))
        if text is None:
            return None
        several = wanted.target is None and sum(profile.can_be_text for profile in columns.values()) > 1
        return Guess(
            # Beside two texts a number is more often a mark for the second one than the answer.
            sure=min(number.sure, 0.5) if several else number.sure,
            columns=Columns(input=text.column, target=number.column),
            reason=Text(en=f"{number.reason.en}; {text.reason.en}", ko=f"{number.reason.ko}. {text.reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        text = text_of(fields, columns.input)
        if isinstance(text, Text):
            return text
        number = number_of(fields, columns.target)
        return number if isinstance(number, Text) else Pair(input={"text": text}, target={"value": number})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "text": pair.input["text"], columns.target or "score": pair.target["value"]}


plugin = TextNumber()
