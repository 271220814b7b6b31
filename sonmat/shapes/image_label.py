"""Rows of a picture's path and its label: from a folder a class, or from a table with a column of paths."""

from __future__ import annotations

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import file_of, label_of
from sonmat.reading.columns import choose_image, choose_label, profiles


class ImageLabel:
    name = "image_label"
    title = Text(en="a picture and its label", ko="그림과 라벨")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        columns = profiles(table)
        image = choose_image(columns.values(), wanted.input)
        if image is None:
            return None
        label = choose_label(columns.values(), wanted.target, excluded=(image.column,))
        if label is None:
            return None
        return Guess(
            sure=round(max(label.sure, 0.9), 4),
            columns=Columns(input=image.column, target=label.column),
            reason=Text(en=f"{image.reason.en}; {label.reason.en}", ko=f"{image.reason.ko}. {label.reason.ko}"),
        )

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        image = file_of(fields, columns.input)
        label = label_of(fields, columns.target)
        if isinstance(image, Text):
            return image
        return label if isinstance(label, Text) else Pair(input={"image": image}, target={"label": label})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "image": pair.input["image"], columns.target or "label": pair.target["label"]}


plugin = ImageLabel()
