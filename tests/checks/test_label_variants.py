"""Spellings of one label are merged where that is sure, proposed where it is likely, and left alone where they are two labels."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sonmat.checking.label_typos import likely_typos, slip_distance
from sonmat.checks.label_variants import plugin
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from sonmat.plugins import find_kind
from tests.checks.made_rows import example

SINGLE, SEVERAL = find_kind("text-classification"), find_kind("multi-label-classification")


def labelled(labels: Sequence[str]) -> list[Example]:
    return [example(number, {"text": f"text {number}"}, {"label": label}) for number, label in enumerate(labels)]


def with_several(labels: Sequence[list[str]]) -> list[Example]:
    return [example(number, {"text": f"text {number}"}, {"labels": each}) for number, each in enumerate(labels)]


CLEAN = labelled(["refund", "delivery", "배송", "class1", "class2"] * 10)


@pytest.mark.parametrize(
    ("labels", "planted"),
    [
        (["Refund", "ｒｅｆｕｎｄ", "re fund"], 3),
        (["refnud", "refunds", "rfund"], 3),
        (["배숑", "delivrey"], 2),
        (["배송", "REFUND", "refnud"], 2),
    ],
)
def test_variants_and_typos_are_found_and_clean_labels_left_in_peace(labels: list[str], planted: int) -> None:
    faulty = labelled([row.target["label"] for row in CLEAN] + labels)
    check_check(
        plugin,
        SINGLE,
        CLEAN,
        faulty,
        {f"row{number}" for number in range(53 - 3 + len(labels) - planted, 50 + len(labels))},
    )


def test_variants_stop_the_run_and_can_be_merged_typos_are_only_proposed() -> None:
    sure, likely = findings_of(plugin, labelled(["refund"] * 20 + ["Refund"] * 3 + ["refnud"] + ["other"] * 9), SINGLE)
    assert (sure.severity, sure.decided_by, len(sure.repairs)) == ("blocker", "labels", 3)
    assert (likely.severity, likely.decided_by, likely.repairs) == ("warning", None, ())
    assert likely.data["merges"] == [{"from": "refnud", "to": "refund", "rows": 1}]
    assert likely.evidence == ("'refnud' (1) → 'refund' (20)",)


def test_rows_with_several_labels_are_mended_whole() -> None:
    rows = with_several([["refund", "delivery"]] * 9 + [["Refund", "delivery"], ["refund", "REFUND"], []])
    (found,) = findings_of(plugin, rows, SEVERAL)
    assert {repair.row: repair.target for repair in found.repairs} == {
        "row9": {"labels": ["refund", "delivery"]},
        "row10": {"labels": ["refund"]},
    }


@pytest.mark.parametrize(
    ("written", "meant", "distance"),
    [
        ("refnud", "refund", 1),
        ("refud", "refund", 1),
        ("refundd", "refund", 1),
        ("배숑", "배송", 1),
        ("배송문으", "배송문의", 1),
        ("결재", "결제", 1),
        ("tecnical suport", "technical support", 2),
        ("technical-suport", "technical_support", 1),
    ],
)
def test_slips_of_the_finger_are_seen(written: str, meant: str, distance: int) -> None:
    assert slip_distance(written, meant) == distance == slip_distance(meant, written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("class1", "class2"),
        ("level 10", "level 11"),
        ("+1", "-1"),
        ("cat", "car"),
        ("positive", "negative"),
        ("긍정", "부정"),
        ("legal", "illegal"),
        ("active", "inactive"),
        ("typical", "atypical"),
        ("not spam", "spam"),
        ("기혼", "미혼"),
        ("가결", "부결"),
        ("완료", "미완료"),
        ("grade a", "grade b"),
        ("type_A", "type_B"),
        ("typeA", "typeB"),
        ("type ii", "type iii"),
        ("refund", "refund now"),
        ("Refund", "refund"),
        ("입금", "출금"),
        ("A", "B"),
        ("", "a"),
    ],
)
def test_labels_that_mean_two_things_are_no_slips(one: str, other: str) -> None:
    assert slip_distance(one, other) is None
    assert slip_distance(other, one) is None


def test_two_near_labels_of_about_equal_size_are_two_labels() -> None:
    assert likely_typos({"결제": 100, "결재": 60}) == []
    assert [typo.written for typo in likely_typos({"결제": 100, "결재": 3})] == ["결재"]
    assert likely_typos({"refund": 4, "refnud": 1}) == []
