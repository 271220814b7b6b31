"""Costs as the user gives them: what each error costs, what is refused, and the metric that they make."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from sonmat.cli.asked import as_recipe
from sonmat.core.decision import Costs, costs_of
from sonmat.core.errors import SettingError
from sonmat.core.protocols import Judged
from sonmat.metrics.mean_cost import plugin as mean_cost
from sonmat.recipes import make_recipe

LABELS = ("ham", "news", "spam")


def made(given: dict[str, Any], labels: tuple[str, ...] = LABELS) -> Costs:
    found = costs_of(given, labels)
    assert found is not None
    return found


def test_a_right_answer_costs_nothing_a_miss_what_was_said_and_any_other_error_one() -> None:
    costs = made({"spam": 20})
    assert costs.rows(LABELS) == [[0, 1, 1], [1, 0, 1], [20, 20, 0]]
    assert costs.highest == 20


def test_a_matrix_says_the_cost_of_single_errors_and_leaves_the_others_at_one() -> None:
    costs = made({"spam": {"ham": 20}, "ham": {"spam": 3, "news": 0}})
    assert costs.rows(LABELS) == [[0, 0, 3], [1, 0, 1], [20, 1, 0]]


def test_an_answer_that_is_no_label_costs_as_much_as_the_worst_error_there() -> None:
    costs = made({"spam": {"ham": 20}, "ham": 2})
    assert [costs.of(target, "") for target in LABELS] == [2, 1, 20]
    assert costs.of("spam", None) == 20


def test_no_costs_given_are_no_costs() -> None:
    assert costs_of({}, LABELS) is None


@pytest.mark.parametrize(
    ("given", "labels", "watched"),
    [
        ({"spam": 20}, LABELS, "spam"),
        ({"spam": 20}, ("ham", "spam"), "spam"),
        ({"spam": {"ham": 9}, "ham": {"spam": 2}}, ("ham", "spam"), "spam"),
        ({"spam": 20, "ham": 5}, LABELS, None),
        ({"spam": {"ham": 20}}, LABELS, None),
        ({"spam": 1}, ("ham", "spam"), None),
        ({"ham": 0.1}, ("ham", "spam"), "spam"),
    ],
)
def test_one_label_is_watched_where_only_its_misses_are_dear(
    given: dict[str, Any], labels: tuple[str, ...], watched: str | None
) -> None:
    assert made(given, labels).watched == watched


def test_the_usual_threshold_is_where_both_answers_cost_the_same() -> None:
    costs = made({"spam": 9, "ham": 3}, ("ham", "spam"))
    share = costs.usual_threshold("spam")
    assert share * 9 == pytest.approx((1 - share) * 3)
    assert made({"spam": 20}).usual_threshold("spam") == pytest.approx(1 / 21)


@pytest.mark.parametrize(
    ("given", "labels", "says"),
    [
        ({"spma": 20}, LABELS, "There is no label named 'spma'.\nDid you mean 'spam'?"),
        ({"spam": {"haam": 20}}, LABELS, "There is no label named 'haam'.\nDid you mean 'ham'?"),
        ({"spam": {"spam": 1}}, LABELS, "answering 'spam' costs 1 where 'spam' is right"),
        ({"spam": 0, "ham": 0, "news": 0}, LABELS, "no error costs anything"),
        ({"spam": 20}, (), "does not answer with labels"),
    ],
)
def test_costs_that_make_no_sense_are_refused_with_what_to_do(
    given: dict[str, Any], labels: tuple[str, ...], says: str
) -> None:
    with pytest.raises(SettingError) as caught:
        costs_of(given, labels)
    assert says in str(caught.value)
    assert caught.value.fix is not None


@pytest.mark.parametrize("cost", [{"spam": -1}, {"spam": {"ham": float("inf")}}, {"spam": float("nan")}, {"spam": "much"}])
def test_a_cost_is_a_number_of_zero_or_more(cost: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match="cost"):
        make_recipe(None, {"data": ("d.csv",), "cost": cost})


def test_the_option_takes_a_label_and_a_number_and_labels_may_hold_an_equals_sign() -> None:
    assert as_recipe({"cost": ["spam=20", "a=b=2.5"]}) == {"cost": {"spam": 20.0, "a=b": 2.5}}
    with pytest.raises(SettingError, match="--cost spam cannot be read"):
        as_recipe({"cost": ["spam"]})


def test_the_mean_cost_is_the_mean_of_the_costs_of_all_items() -> None:
    costs = made({"spam": {"ham": 20}, "news": 4})
    items = [
        Judged({}, {"label": target}, {"label": answer}, costs=costs) for target, answer in product(LABELS, (*LABELS, ""))
    ]
    by_hand = [0, 1, 1, 1, 4, 0, 4, 4, 20, 1, 0, 20]
    statistics = mean_cost.statistics(items)
    assert statistics[:, 0].tolist() == by_hand
    assert float(mean_cost.value(statistics.sum(axis=0))) == pytest.approx(np.mean(by_hand))


def test_items_without_costs_have_no_mean_cost() -> None:
    assert np.isnan(mean_cost.statistics([Judged({}, {"label": "ham"}, {"label": "ham"})])).all()
