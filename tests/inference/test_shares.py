"""Answers of classifiers that are no neural networks."""

from __future__ import annotations

from sonmat.inference.shares import answer_from_shares


def test_a_small_share_is_not_rounded_to_nothing_and_a_label_without_rows_has_none() -> None:
    found = answer_from_shares("1", {"a": 1 - 3e-9, "b": 3e-9}, ("a", "b", "c"), 0.5)
    assert found.output == {"label": "a", "scores": {"a": 1.0, "b": 3e-9, "c": 0.0}}
    assert (found.confidence, found.seconds) == (1 - 3e-9, 0.5)


def test_of_equal_shares_the_first_label_in_order_is_answered() -> None:
    assert answer_from_shares("1", {"b": 0.5, "a": 0.5}, ("b", "a"), 0.0).output["label"] == "a"
