"""Rows of a picture's path and the objects in it: {"image", "objects": [{"box": [x, y, width, height], "label"}, ...]}, or the
lists `bbox` and `category` side by side that Hugging Face data sets have."""

from __future__ import annotations

from typing import Any

from sonmat.core.protocols import Pair, Table
from sonmat.core.text import Text
from sonmat.core.values import Columns, Guess, Json
from sonmat.reading.cells import file_of, label_of, parsed
from sonmat.reading.columns import choose_image, profiles

_BOXES, _LABELS = ("box", "bbox"), ("label", "category", "name", "class")


class ImageObjects:
    name = "image_objects"
    title = Text(en="a picture and the objects in it", ko="그림과 그 안의 물체")

    def recognise(self, table: Table, wanted: Columns) -> Guess | None:
        image = choose_image(profiles(table).values(), wanted.input)
        if image is None:
            return None
        for column in [wanted.target] if wanted.target else sorted(table.columns, key=lambda name: name != "objects"):
            values = [parsed(row.get(column)) for row in table.rows]
            fitting = sum(_boxes_and_labels(value) is not None for value in values)
            if fitting * 2 > len(values) and any(values):
                return Guess(
                    sure=0.98,
                    columns=Columns(input=image.column, target=column),
                    reason=Text(
                        en=f"{image.reason.en}; '{column}' holds boxes with labels",
                        ko=f"{image.reason.ko}. '{column}' 열에 라벨이 붙은 상자가 있습니다",
                    ),
                )
        return None

    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        image = file_of(fields, columns.input)
        if isinstance(image, Text):
            return image
        column = columns.target or "objects"
        found = _boxes_and_labels(parsed(fields.get(column)))
        if found is None:
            return Text(
                en=f"has no list of objects with box and label in '{column}'",
                ko=f"'{column}'에 상자와 라벨이 있는 물체 목록이 없습니다",
            )
        objects = []
        for number, (box, value) in enumerate(found, start=1):
            label = label_of({"label": value}, "label")
            if isinstance(label, Text) or not _is_box(box):
                return Text(
                    en=f"object {number} needs a box [x, y, width, height] and a label",
                    ko=f"{number}번째 물체에 상자 [x, y, 너비, 높이]와 라벨이 있어야 합니다",
                )
            objects.append({"box": [float(edge) for edge in box], "label": label})
        return Pair(input={"image": image}, target={"objects": objects})

    def write(self, pair: Pair, columns: Columns) -> Json:
        return {columns.input or "image": pair.input["image"], columns.target or "objects": pair.target["objects"]}


def _boxes_and_labels(value: Any) -> list[tuple[Any, Any]] | None:
    """Box and label of each object, as they stand; None if `value` holds no objects."""
    if isinstance(value, dict):
        boxes, labels = _first(value, _BOXES), _first(value, _LABELS)
        sides = isinstance(boxes, list) and isinstance(labels, list) and len(boxes) == len(labels)
        return list(zip(boxes, labels, strict=True)) if sides else None
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        return None
    found = [(_first(entry, _BOXES), _first(entry, _LABELS)) for entry in value]
    return found if all(box is not None and label is not None for box, label in found) else None


def _first(value: Json, names: tuple[str, ...]) -> Any:
    return next((value[name] for name in names if name in value), None)


def _is_box(box: Any) -> bool:
    return isinstance(box, list) and len(box) == 4 and all(type(edge) in (int, float) for edge in box)


plugin = ImageObjects()
