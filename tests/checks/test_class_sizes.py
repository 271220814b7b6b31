"""Classes that cannot be learnt or measured, classes of unlike sizes, and numbers that cannot be right."""

from __future__ import annotations

import random

import pytest

from sonmat.checks import class_sizes, imbalance, number_targets
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from sonmat.plugins import find_kind
from tests.checks.made_rows import example

SINGLE, SEVERAL = find_kind("text-classification"), find_kind("multi-label-classification")
NUMBERS = find_kind("text-regression")


def labelled(counts: dict[str, int]) -> list[Example]:
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [example(number, {"text": f"text {number}"}, {"label": label}) for number, label in enumerate(labels)]


def several(combinations: list[list[str]]) -> list[Example]:
    return [example(number, {"text": f"text {number}"}, {"labels": labels}) for number, labels in enumerate(combinations)]


def numbered(values: list[float]) -> list[Example]:
    return [example(number, {"text": f"text {number}"}, {"value": value}) for number, value in enumerate(values)]


CLEAN = labelled({"a": 10, "b": 12, "c": 9})


@pytest.mark.parametrize(
    ("counts", "rows"),
    [({"a": 30}, set()), ({"a": 10, "b": 10, "c": 1}, {"row20"}), ({"a": 10, "b": 3}, {"row10", "row11", "row12"})],
)
def test_classes_too_small_or_alone_are_found(counts: dict[str, int], rows: set[str]) -> None:
    check_check(class_sizes.plugin, SINGLE, CLEAN, labelled(counts), rows)


def test_rows_with_several_labels_count_for_each() -> None:
    clean = several([["a", "b"], ["b"], ["a"], []] * 5)
    check_check(class_sizes.plugin, SEVERAL, clean, [*clean, *several([["a", "c"]])], {"row0"})


def test_one_label_that_some_rows_have_is_something_to_learn_and_none_at_all_is_not() -> None:
    assert findings_of(class_sizes.plugin, several([["a"], []] * 10), SEVERAL) == []
    everywhere: list[list[str]] = [["a"]] * 20
    nowhere: list[list[str]] = [[]] * 20
    for same in (everywhere, nowhere):
        (found,) = findings_of(class_sizes.plugin, several(same), SEVERAL)
        assert found.severity == "blocker"


def test_classes_of_very_unlike_size_are_found() -> None:
    check_check(imbalance.plugin, SINGLE, CLEAN, labelled({"a": 100, "b": 10}), set())
    (found,) = findings_of(imbalance.plugin, labelled({"a": 90, "b": 9}), SINGLE)
    assert "91%" in found.what.en


def test_a_label_that_nearly_every_row_has_beside_others_is_no_right_answer_by_itself() -> None:
    rows = several([["common"]] * 60 + [["common", "rare"]] * 5 + [["other"]] * 10)
    (found,) = findings_of(imbalance.plugin, rows, SEVERAL)
    assert "87%" in found.what.en
    assert "Always answering" not in found.what.en


def test_numbers_all_the_same_stop_the_run_and_far_ones_are_named() -> None:
    chance = random.Random(0)
    clean = numbered([chance.gauss(50, 5) for _ in range(200)])
    (found,) = findings_of(number_targets.plugin, numbered([3.0] * 30), NUMBERS)
    assert found.severity == "blocker"
    faulty = [*clean, example(200, {"text": "x"}, {"value": 5000.0}), example(201, {"text": "y"}, {"value": -40.0})]
    check_check(number_targets.plugin, NUMBERS, clean, faulty, {"row200", "row201"})
    (far,) = findings_of(number_targets.plugin, faulty, NUMBERS)
    assert far.rows == ("row200", "row201")
    assert (far.data["smallest"], far.data["largest"]) == (-40.0, 5000.0)


@pytest.mark.parametrize("values", [[], [1.0], [0.0] * 30 + [7.0], [1.0, 2.0, 900.0]])
def test_few_numbers_and_counts_that_are_mostly_nought_are_left_in_peace(values: list[float]) -> None:
    assert findings_of(number_targets.plugin, numbered(values), NUMBERS) == []


def test_kinds_without_numbers_are_not_watched() -> None:
    assert findings_of(number_targets.plugin, CLEAN, SINGLE) == []
