"""Rows of a given test or validation part that also stand in training: blockers, and training gives way."""

from __future__ import annotations

from pathlib import Path

import pytest

from sonmat import plugins
from sonmat.conformance.check import check_check, findings_of
from sonmat.core.values import Example, Json, Part, Source
from tests.checking.test_prints import scene

LEAKAGE = plugins.find("checks", "leakage")
KIND = plugins.find_kind("text-classification")
TEXTS = [
    "오늘은 날씨가 아주 맑아서 친구들과 함께 한강 공원에 산책을 나가기로 했습니다",
    "배송이 일주일이나 늦어져서 고객 센터에 전화했지만 아무도 받지 않았습니다",
    "The quick brown fox jumps over the lazy dog and runs into the forest.",
    "비밀번호를 잊어버려서 로그인할 수 없는데 어떻게 해야 하나요",
]


def test_a_test_row_that_stands_in_training_is_found() -> None:
    clean = [
        _row(0, TEXTS[0], "train"),
        _row(1, TEXTS[1], "test"),
        _row(2, TEXTS[2], "train"),
        _row(3, TEXTS[3], "validation"),
    ]
    faulty = [*clean, _row(4, f" {TEXTS[1]} ", "train")]
    check_check(LEAKAGE, KIND, clean, faulty, ["4"])
    (finding,) = findings_of(LEAKAGE, faulty, KIND)
    assert finding.severity == "blocker"
    assert finding.decided_by == "leakage"
    assert [(repair.row, repair.drop) for repair in finding.repairs] == [("4", True)]
    assert finding.data["pairs"] == [{"rows": ["4", "1"], "similarity": 1.0}]
    assert not finding.clusters


def test_a_test_row_that_nearly_stands_in_training_is_found() -> None:
    clean = [_row(0, TEXTS[0], "train"), _row(1, TEXTS[1], "test"), _row(2, TEXTS[2], "train")]
    faulty = [*clean, _row(3, TEXTS[0].replace("오늘은 ", ""), "test"), _row(4, TEXTS[1] + " 정말", "train")]
    check_check(LEAKAGE, KIND, clean, faulty, ["0", "4"])


def test_every_copy_in_training_is_named_once() -> None:
    rows = [
        _row(0, TEXTS[0], "train"),
        _row(1, TEXTS[0] + "!", "train"),
        _row(2, TEXTS[0], "train"),
        _row(3, TEXTS[0], "test"),
    ]
    same, near = findings_of(LEAKAGE, rows, KIND)
    assert same.rows == ("0", "2")
    assert near.rows == ("1",)


@pytest.mark.parametrize(
    ("lower", "higher"), [("train", "validation"), ("train", "test"), ("validation", "test")], ids=lambda part: str(part)
)
def test_the_part_that_proves_keeps_the_row(lower: Part, higher: Part) -> None:
    for first, second in (((0, lower), (1, higher)), ((1, higher), (0, lower))):
        rows = [_row(number, TEXTS[0], part) for number, part in (first, second)]
        (finding,) = findings_of(LEAKAGE, rows, KIND)
        assert finding.rows == ("0",)
        near = [_row(number, TEXTS[0] + "!" * number, part) for number, part in (first, second)]
        (finding,) = findings_of(LEAKAGE, near, KIND)
        assert finding.rows == ("0",)


def test_copies_within_a_part_and_rows_without_a_part_do_not_leak() -> None:
    rows = [
        _row(0, TEXTS[0], "train"),
        _row(1, TEXTS[0], "train"),
        _row(2, TEXTS[1], "test"),
        _row(3, TEXTS[1] + "!", "test"),
    ]
    assert not findings_of(LEAKAGE, [*rows, _row(4, TEXTS[1], None)], KIND)
    assert not findings_of(LEAKAGE, [_row(number, TEXTS[0], None) for number in range(3)], KIND)


def test_a_group_in_two_parts_is_found() -> None:
    clean = [
        _row(number, text, "test" if number % 2 else "train", f"customer {number}") for number, text in enumerate(TEXTS)
    ]
    faulty = [
        *clean,
        _row(4, "전혀 다른 말", "validation", "customer 0"),
        _row(5, "그것과도 다른 이야기", "test", "customer 0"),
    ]
    check_check(LEAKAGE, KIND, clean, faulty, ["0", "4"])
    (finding,) = findings_of(LEAKAGE, faulty, KIND)
    assert "customer" not in finding.model_dump_json()


def test_dropping_the_copies_mends_it() -> None:
    rows = [_row(number, TEXTS[number % 4] + "!" * (number % 3), part) for number, part in enumerate(_PARTS * 4)]
    dropped = {repair.row for finding in findings_of(LEAKAGE, rows, KIND) for repair in finding.repairs}
    left = [row for row in rows if row.id not in dropped]
    assert dropped
    assert {row.part for row in left} >= {"test"}
    assert not findings_of(LEAKAGE, left, KIND)


def test_a_picture_that_was_only_scaled_leaks(tmp_path: Path) -> None:
    for number in range(4):
        scene(number).save(tmp_path / f"{number}.png")
    scene(1).resize((160, 120)).save(tmp_path / "4.png")
    rows = [
        _example(number, {"image": str(tmp_path / f"{number}.png")}, "test" if number == 1 else "train")
        for number in range(5)
    ]
    (finding,) = findings_of(LEAKAGE, rows, plugins.find_kind("image-classification"))
    assert finding.rows == ("4",)


_PARTS: list[Part] = ["train", "test", "train", "validation", "train"]


def _row(number: int, text: str, part: Part | None, group: str | None = None) -> Example:
    return _example(number, {"text": text}, part, group)


def _example(number: int, input: Json, part: Part | None, group: str | None = None) -> Example:
    source = Source(file="rows.csv", row=number + 2)
    return Example(id=str(number), input=input, target={"label": "a"}, source=source, part=part, group=group)
