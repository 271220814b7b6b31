"""Groups that are too small, and labels that depend on the group."""

from __future__ import annotations

import random

import numpy as np
import pytest
from scipy.stats import chi2_contingency
from scipy.stats.contingency import association

from sonmat.checks.slice_balance import cramers_v, plugin
from sonmat.conformance import check_check, findings_of
from sonmat.core.values import Example
from tests.checks.made_texts import LABELS, texts


def grouped(column: str, groups: list[str], labels: list[str] | None = None, prefix: str = "row") -> list[Example]:
    rows = texts([f"{number}번째 문의" for number in range(len(groups))], prefix)
    return [
        row.model_copy(
            update={"slices": {column: group}, "target": {"label": labels[number]} if labels else row.target}
        )
        for number, (row, group) in enumerate(zip(rows, groups, strict=True))
    ]  # fmt: skip


def balanced(column: str = "성별") -> list[Example]:
    return grouped(column, [("여", "여", "남", "남")[number % 4] for number in range(200)])


def test_a_small_group_is_named_and_a_sensitive_column_warned_of() -> None:
    faulty = grouped("성별", ["기타"] * 5, prefix="faulty")
    check_check(plugin, LABELS, balanced(), [*balanced(), *faulty], {row.id for row in faulty})
    (found,) = findings_of(plugin, [*balanced(), *faulty], LABELS)
    assert (found.severity, found.evidence) == ("warning", ("'기타' (5)",))
    assert found.data["groups"] == {"기타": 5, "남": 100, "여": 100}


def test_a_small_group_of_products_is_only_noted() -> None:
    rows = [*balanced("product"), *grouped("product", ["rare"] * 5, prefix="faulty")]
    assert [finding.severity for finding in findings_of(plugin, rows, LABELS)] == ["note"]


def test_labels_that_depend_on_the_group_are_found_with_their_shares() -> None:
    chance = random.Random(0)
    groups = [chance.choice(("서울", "부산")) for _ in range(400)]
    labels = ["불만" if chance.random() < (0.8 if group == "부산" else 0.3) else "칭찬" for group in groups]
    (found,) = findings_of(plugin, grouped("region", groups, labels), LABELS)
    assert found.severity == "warning"
    assert found.data["cramers_v"] > 0.4
    assert any(piece.startswith(("'부산': '불만' 8", "'부산': '칭찬'")) for piece in found.evidence)


@pytest.mark.parametrize("seed", range(20))
def test_chance_differences_are_not_reported(seed: int) -> None:
    chance = random.Random(seed)
    groups = [chance.choice(("10대", "20대", "30대")) for _ in range(300)]
    labels = [chance.choice(("가", "나", "다")) for _ in groups]
    assert findings_of(plugin, grouped("나이", groups, labels), LABELS) == []


def test_a_column_of_names_is_no_group() -> None:
    assert findings_of(plugin, grouped("customer", [f"id{number}" for number in range(200)]), LABELS) == []


def test_cramers_v_is_scipys_for_large_tables() -> None:
    table = np.array([[4000, 1000], [1500, 3500]])
    statistic = float(chi2_contingency(table, correction=False).statistic)
    assert cramers_v(statistic, table) == pytest.approx(association(table, method="cramer"), abs=1e-3)
