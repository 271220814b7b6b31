"""COCO: a row a picture; what cannot be right names picture and box."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sonmat.checks.boxes import plugin as boxes
from sonmat.conformance.check import check_check
from sonmat.core.errors import DataError
from sonmat.core.values import Example, Json, Source
from sonmat.formats.coco import plugin as coco
from sonmat.kinds.object_detection import plugin as detection
from sonmat.steps.load.container import find_format
from tests.formats.made import fields_of, picture, problems_of, refusal


def coco_file(path: Path, boxes: list[Json], images: list[Json] | None = None, **others: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = images or [{"id": 1, "file_name": "a.png", "width": 32, "height": 24}, {"id": 2, "file_name": "b.png"}]
    categories = [{"id": 5, "name": "고양이"}, {"id": 7, "name": "dog"}]
    path.write_text(json.dumps({"info": {}, "annotations": boxes, "categories": categories, "images": listed, **others}))
    return path


def box(id: int, edges: list[float], image: int = 1, category: int = 5, **others: Any) -> Json:
    return {"id": id, "image_id": image, "category_id": category, "bbox": edges, "segmentation": [[1, 2, 3]], **others}


def test_pictures_come_with_their_boxes(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    path = coco_file(tmp_path / "_annotations.coco.json", [box(1, [0, 0, 32.5, 24]), box(2, [1, 2, 3.5, 4], category=7)])
    assert find_format(path).name == "coco"
    assert fields_of(coco, path) == [
        {
            "image": str(tmp_path / "a.png"),
            "objects": [{"box": [0, 0, 32.5, 24], "label": "고양이"}, {"box": [1, 2, 3.5, 4], "label": "dog"}],
        },
        {"image": str(tmp_path / "b.png"), "objects": []},
    ]
    assert "2 pictures with 2 boxes" in coco.describe(path).en


@pytest.mark.parametrize("folder", ["val2017", "images/val2017", "images", "annotations"])
def test_pictures_are_found_where_data_sets_put_them(folder: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture(tmp_path / folder / name)
    path = coco_file(tmp_path / "annotations" / "instances_val2017.json", [box(1, [0, 0, 3, 4])])
    assert [Path(row["image"]).is_file() for row in fields_of(coco, path)] == [True, True]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (box(9, [20, 0, 20, 4]), "(a.png) box 9 reaches out of its picture of 32×24 pixels: [20, 0, 20, 4]"),
        (box(9, [-3, 0, 5, 4]), "(a.png) box 9 reaches out of its picture of 32×24 pixels: [-3, 0, 5, 4]"),
        (box(9, [0, 23, 5, 4], image=2), "(b.png) box 9 reaches out of its picture of 32×24 pixels: [0, 23, 5, 4]"),
        (box(9, [0, 0, 0, 4]), "(a.png) box 9 has no area: [0, 0, 0, 4]"),
        (box(9, [0, 0, 5, -1]), "(a.png) box 9 has no area: [0, 0, 5, -1]"),
        (box(9, [0, 0, 5]), "(a.png) box 9 is not [x, y, width, height]"),
        (box(9, [0, 0, 5, 4], category=6), "(a.png) box 9 has the unknown category 6"),
        (box(9, [0, 0, 5, 4], image=3), "box 9 belongs to image 3, which is not listed"),
    ],
)
def test_a_box_that_cannot_be_right_is_a_problem_of_its_row(wrong: Json, said: str, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        picture(tmp_path / name)
    path = coco_file(tmp_path / "t.json", [box(1, [0, 0, 5, 5]), wrong])
    assert list(problems_of(coco, path).values()) == [said]
    korean = [record.problem.ko for record in coco.read(path) if record.problem is not None]
    assert korean[0] != said


def test_boxes_of_crowds_are_left_out_and_counted(tmp_path: Path) -> None:
    path = coco_file(tmp_path / "t.json", [box(1, [0, 0, 5, 5]), box(2, [0, 0, 30, 20], iscrowd=1)])
    assert len(fields_of(coco, path)[0]["objects"]) == 1
    assert "1 boxes of crowds left out" in coco.describe(path).en


def test_entries_that_are_not_as_coco_has_them_are_refused(tmp_path: Path) -> None:
    path = coco_file(tmp_path / "t.json", [{"id": 1, "image_id": 1, "bbox": [0, 0, 1, 1]}])
    assert "an entry of 'annotations' is not as COCO has it ('category_id')" in refusal(coco, path).en
    (tmp_path / "cut.json").write_text(path.read_text()[:-20])
    with pytest.raises(DataError):
        list(coco.read(tmp_path / "cut.json"))


def test_other_json_with_a_list_of_images_is_no_coco(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    path.write_text(json.dumps({"images": [{"file": "a.png", "label": "x"}]}))
    assert find_format(path).name == "json"


def detected(number: int, image: Path, edges: list[float]) -> Example:
    target = {"objects": [{"box": edges, "label": "cat"}]}
    return Example(id=f"row{number}", input={"image": str(image)}, target=target, source=Source(file="t", row=number))


def test_wrong_boxes_of_any_container_are_found(tmp_path: Path) -> None:
    image = picture(tmp_path / "a.png")
    clean = [detected(number, image, [0, 0, 10 + number, 10]) for number in range(5)]
    faulty = [*clean, detected(5, image, [0, 0, 60, 10]), detected(6, image, [3, 3, 0, 10])]
    check_check(boxes, detection, clean, faulty, rows=["row5", "row6"])
