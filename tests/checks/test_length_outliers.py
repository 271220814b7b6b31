"""Texts far longer or shorter than the rest, and one-word answers among long ones."""

from __future__ import annotations

import random

from sonmat.checks.length_outliers import plugin
from sonmat.conformance import check_check, findings_of
from tests.checks.made_texts import CHAT, LABELS, answers, finds_answers, texts


def spread(rows: int = 200, middle: float = 3.5, width: float = 0.6) -> list[str]:
    """Texts of log-normal lengths, as most data has."""
    chance = random.Random(0)
    return ["가" * max(1, round(chance.lognormvariate(middle, width))) for _ in range(rows)]


def test_outliers_on_both_sides_are_found_and_none_among_usual_ones() -> None:
    clean = texts(spread())
    faulty = texts(["가" * 9_000, "나" * 20_000], "faulty")
    check_check(plugin, LABELS, clean, [*clean, *faulty], {row.id for row in faulty})
    (found,) = findings_of(plugin, [*clean, *faulty], LABELS)
    assert "2 much longer, 0 much shorter" in found.what.en
    assert found.evidence == ("20,000", "9,000")
    assert sum(found.data["counts"]) == 202


def test_a_very_short_text_among_even_ones_is_found() -> None:
    clean = texts(spread(width=0.1, middle=5))
    (found,) = findings_of(plugin, [*clean, *texts(["가"], "faulty")], LABELS)
    assert found.rows == ("faulty0",)
    assert "0 much longer, 1 much shorter" in found.what.en


def test_a_one_word_answer_among_long_ones_is_found() -> None:
    clean = answers([" ".join(["낱말"] * count) for count in range(20, 60)] * 3)
    found = finds_answers(plugin, clean, answers(["네"], "faulty"))
    assert "a single word" in found[-1].what.en


def test_texts_of_one_length_have_no_outlier_within_four_times() -> None:
    assert findings_of(plugin, texts(["가" * 20] * 100 + ["가" * 70]), LABELS) == []


def test_few_rows_are_not_judged() -> None:
    assert findings_of(plugin, answers(["가" * 20] * 30 + ["가" * 9_000]), CHAT) == []


def test_a_second_sort_of_texts_is_no_outlier() -> None:
    assert findings_of(plugin, texts([*spread(), *["가" * 9_000] * 20]), LABELS) == []
