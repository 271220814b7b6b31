"""COCO's JSON of pictures and the boxes in them: a row a picture, with `objects` of a box [x, y, width, height] in pixels and a label.

Pictures are looked for beside the file and in the folders that such data sets come in. A box outside its picture, of no area, or
of an unknown category is a problem of its row that names picture and box; so is a box of an unknown picture. Boxes of crowds,
which stand for no single object, are left out; `describe` counts them. Outlines and points are not read.
"""

from __future__ import annotations

import json
import math
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from sonmat.core.errors import DataError
from sonmat.core.protocols import Holds
from sonmat.core.text import Text
from sonmat.core.values import Json, Record, Source
from sonmat.reading.boxes import box_problem
from sonmat.reading.encoding import find_encoding, open_text
from sonmat.reading.images import image_size
from sonmat.reading.json_stream import JsonStream
from sonmat.reading.json_text import has_members
from sonmat.runs.files import replacing

_LISTS = ("images", "annotations", "categories")
_MEMBERS = frozenset({*_LISTS, "info", "licenses", "type"})


class Coco:
    name = "coco"
    title = Text(en="Boxes in pictures (COCO JSON)", ko="그림 속 상자(COCO JSON)")
    suffixes: tuple[str, ...] = (".json",)
    holds: Holds = "boxes"
    precedence = 10

    def matches(self, path: Path) -> bool:
        return path.suffix.lower() == ".json" and path.is_file() and has_members(path, _LISTS[:2], _MEMBERS, "file_name")

    def describe(self, path: Path) -> Text:
        found = _read(path)
        boxes = sum(map(len, found.boxes.values()))
        english = f"COCO, {len(found.images):,} pictures with {boxes:,} boxes"
        korean = f"COCO, 그림 {len(found.images):,}개에 상자 {boxes:,}개"
        if found.crowds:
            english += f" ({found.crowds:,} boxes of crowds left out)"
            korean += f"(무리를 묶은 상자 {found.crowds:,}개 제외)"
        return Text(en=english, ko=korean)

    def read(self, path: Path) -> Iterator[Record]:
        found = _read(path)
        folders = _picture_folders(path.resolve())
        for number, image in enumerate(found.images, start=1):
            source = Source(file=path.name, row=number)
            row = _row(image, found, folders)
            yield Record(source=source, problem=row) if isinstance(row, Text) else Record(source=source, fields=row)
        known = {image.id for image in found.images}
        lost = [(id, box) for id, boxes in found.boxes.items() if id not in known for box in boxes]
        for number, (id, box) in enumerate(lost, start=len(found.images) + 1):
            yield Record(source=Source(file=path.name, row=number), problem=_of_no_image(id, box))

    def write(self, records: Iterable[Record], path: Path) -> None:
        """Write pictures by their paths, relative where they lie below the file.

        Raises:
            DataError: a picture cannot be opened, so that its size is not known.
        """
        categories: dict[str, int] = {}
        with tempfile.TemporaryFile("w+", encoding="utf-8") as boxes, replacing(path) as stream:
            stream.write('{"images": [')
            for number, record in enumerate(records, start=1):
                image = _image_entry(number, record, path)
                stream.write(f"{',' * (number > 1)}\n{json.dumps(image, ensure_ascii=False)}")
                for item in record.fields["objects"]:
                    category = categories.setdefault(item["label"], len(categories) + 1)
                    x, y, width, height = item["box"]
                    entry = {"image_id": number, "category_id": category, "bbox": [x, y, width, height]}
                    boxes.write(json.dumps({**entry, "area": width * height, "iscrowd": 0}) + "\n")
            stream.write('\n], "annotations": [')
            boxes.seek(0)
            for number, line in enumerate(boxes, start=1):
                stream.write(f'{"," * (number > 1)}\n{{"id": {number}, {line.rstrip()[1:]}')
            listed = [{"id": id, "name": label} for label, id in categories.items()]
            stream.write(f'\n], "categories": {json.dumps(listed, ensure_ascii=False)}}}\n')


@dataclass(frozen=True)
class _Image:
    id: Any
    file_name: str
    width: float | None
    height: float | None


@dataclass(frozen=True)
class _Box:
    id: Any
    category: Any
    edges: tuple[float, ...]
    """Empty where the file gives no four numbers."""


@dataclass
class _Found:
    images: list[_Image] = field(default_factory=list)
    boxes: dict[Any, list[_Box]] = field(default_factory=lambda: defaultdict(list))
    """By the id of their image."""
    labels: dict[Any, str] = field(default_factory=dict)
    crowds: int = 0


def _read(path: Path) -> _Found:
    """Everything but outlines, points and the like, which are most of such a file."""
    found = _Found()
    with open_text(path, find_encoding(path)) as stream:
        document = JsonStream(path, stream)
        for name in document.members():
            if name not in _LISTS:
                document.skip()
                continue
            for item in document.items():
                _take(path, name, item.value, item.line, found)
        document.end()
    if not found.images:
        raise _no_images(path)
    return found


def _take(path: Path, name: str, value: Any, line: int, found: _Found) -> None:
    try:
        if name == "images":
            found.images.append(_Image(value["id"], str(value["file_name"]), value.get("width"), value.get("height")))
        elif name == "categories":
            found.labels[value["id"]] = str(value["name"])
        elif value.get("iscrowd"):
            found.crowds += 1
        else:
            edges = value["bbox"]
            numbers = isinstance(edges, list) and len(edges) == 4 and all(type(edge) in (int, float) for edge in edges)
            found.boxes[value["image_id"]].append(
                _Box(value.get("id"), value["category_id"], tuple(edges) if numbers else ())
            )
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(
            Text(
                en=f"{path}, line {line}: an entry of '{name}' is not as COCO has it ({error}).",
                ko=f"{path} {line}행: '{name}'의 항목이 COCO 형식이 아닙니다({error}).",
            ),
            Text(
                en="An image needs id and file_name, an annotation image_id, category_id and bbox, a category id and name.",
                ko="image에는 id와 file_name, annotation에는 image_id, category_id, bbox, category에는 id와 name이 있어야 합니다.",
            ),
        ) from error


def _picture_folders(path: Path) -> list[Path]:
    """Where pictures lie in data sets as they are handed out, the likeliest first."""
    folder, stem = path.parent, path.stem
    # 'annotations/instances_val2017.json' describes 'val2017/' or 'images/val2017/'.
    part = stem.split("_", 1)[1] if "_" in stem else stem
    above = folder.parent
    near = [folder, folder / "images", folder / part, folder / "images" / part]
    return [*near, above / part, above / "images" / part, above / "images", above]


def _row(image: _Image, found: _Found, folders: list[Path]) -> Json | Text:
    parts = PurePosixPath(image.file_name.replace("\\", "/")).parts
    if not parts or ".." in parts:
        return Text(en=f"names the picture '{image.file_name}'", ko=f"그림 이름이 '{image.file_name}'입니다")
    candidates = [folder.joinpath(*parts) for folder in folders]
    picture = next((candidate for candidate in candidates if candidate.is_file()), candidates[0])
    boxes = found.boxes.get(image.id, [])
    size = _size(image, picture) if boxes else None
    objects = []
    for number, box in enumerate(boxes, start=1):
        label = found.labels.get(box.category)
        if label is None:
            return _named(image, number, box, _no_category(box.category))
        problem = box_problem(box.edges, size)
        if problem is not None:
            return _named(image, number, box, problem)
        objects.append({"box": list(box.edges), "label": label})
    return {"image": str(picture), "objects": objects}


def _size(image: _Image, picture: Path) -> tuple[float, float] | None:
    """Width and height as the file says, else as the picture's header says."""
    given = (image.width, image.height)
    if all(type(edge) in (int, float) and math.isfinite(edge) and edge > 0 for edge in given if edge is not None):
        width, height = given
        if width is not None and height is not None:
            return width, height
    return image_size(picture)


def _named(image: _Image, number: int, box: _Box, problem: Text) -> Text:
    id = number if box.id is None else box.id
    return Text(en=f"({image.file_name}) box {id} {problem.en}", ko=f"({image.file_name}) {id}번 상자: {problem.ko}")


def _no_category(category: Any) -> Text:
    return Text(en=f"has the unknown category {category}", ko=f"범주 {category}이(가) 목록에 없습니다")


def _of_no_image(image: Any, box: _Box) -> Text:
    return Text(
        en=f"box {box.id} belongs to image {image}, which is not listed",
        ko=f"{box.id}번 상자가 속한 그림 {image}이(가) 목록에 없습니다",
    )


def _image_entry(number: int, record: Record, path: Path) -> Json:
    picture = Path(record.fields["image"])
    size = image_size(picture)
    if size is None:
        place = record.source.place
        raise DataError(
            Text(en=f"{picture} of {place.en} cannot be opened.", ko=f"{place.ko}의 {picture}을(를) 열 수 없습니다."),
            Text(
                en="COCO needs its width and height: mend it or leave it out.",
                ko="COCO에는 너비와 높이가 필요합니다. 고치거나 빼세요.",
            ),
        )
    below = picture.is_relative_to(path.resolve().parent)
    name = picture.relative_to(path.resolve().parent).as_posix() if below else str(picture)
    return {"id": number, "file_name": name, "width": size[0], "height": size[1]}


def _no_images(path: Path) -> DataError:
    return DataError(
        Text(en=f"{path} lists no images.", ko=f"{path}에 그림 목록이 없습니다."),
        Text(
            en="Expected COCO's 'images', 'annotations' and 'categories'.",
            ko="COCO의 images, annotations, categories가 있어야 합니다.",
        ),
    )


plugin = Coco()
