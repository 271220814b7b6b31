"""Differences between two answers: nothing lost, word by word, endings of Korean words apart from their stems."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sonmat.steps.report.differences import Compared, compared

WORDS = st.lists(
    st.sampled_from(["환불은", "환불이", "확인하실", "확인해", "3일", "the", "cat", "漢", ",", ".", "\n", "don't"]),
    max_size=12,
)
TEXTS = st.one_of(st.text(max_size=60), WORDS.map(" ".join))


def told(answer: str, other: str) -> str:
    """The passages as one line: [-deleted-] and {+inserted+}."""
    marks = {"kept": "{}", "deleted": "[-{}-]", "inserted": "{{+{}+}}"}
    return "".join(
        passage.space + marks[passage.kind].format(passage.words) for passage in compared(answer, other).passages
    )


def side(found: Compared, left_out: str) -> str:
    return "".join(passage.text for passage in found.passages if passage.kind != left_out)


@given(TEXTS, TEXTS)
@example("a b ", " a  c")
def test_kept_and_inserted_passages_joined_are_the_answer(answer: str, other: str) -> None:
    assert side(compared(answer, other), "deleted") == answer


@given(TEXTS, TEXTS)
def test_kept_and_deleted_passages_joined_have_the_words_of_the_other(answer: str, other: str) -> None:
    assert "".join(side(compared(answer, other), "inserted").split()) == "".join(other.split())


@given(TEXTS)
def test_an_answer_is_the_same_as_itself(text: str) -> None:
    found = compared(text, text)
    assert found.alike == "same"
    assert all(passage.kind == "kept" for passage in found.passages)


@given(TEXTS, TEXTS)
def test_two_passages_of_one_kind_never_touch(answer: str, other: str) -> None:
    kinds = [passage.kind for passage in compared(answer, other).passages]
    assert all(one != after for one, after in pairwise(kinds))
    assert all(passage.text for passage in compared(answer, other).passages)


@pytest.mark.parametrize(
    ("answer", "other", "marked"),
    [
        ("the old cat sat down", "the old dog sat down", "the old [-dog-] {+cat+} sat down"),
        ("환불이 3일 뒤에 됩니다", "환불은 3일 뒤에 됩니다", "환불[-은-]{+이+} 3일 뒤에 됩니다"),
        ("바로 확인해 주세요", "바로 확인하실 수 있어요", "바로 [-확인하실 수 있어요-] {+확인해 주세요+}"),
        ("앱에서 바로 확인해 주세요", "앱에서 바로 확인하여 주세요", "앱에서 바로 확인[-하여-]{+해+} 주세요"),
        ("모레 오세요 꼭", "모자 오세요 꼭", "[-모자-]{+모레+} 오세요 꼭"),
        ("pay 3 days, then", "pay 30 days, then", "pay [-30-] {+3+} days, then"),
    ],
)
def test_words_and_endings_are_marked(answer: str, other: str, marked: str) -> None:
    assert told(answer, other) == marked


def test_a_lonely_full_stop_does_not_tear_a_change_apart() -> None:
    found = compared("We ship on Monday. It costs nothing at all here.", "We ship on Friday . You pay ten here.")
    assert [passage.text for passage in found.passages if passage.kind == "kept"] == ["We ship on", " here."]


def test_answers_without_anything_in_common_are_not_marked() -> None:
    assert compared("abc def", "xyz uvw").alike == "far"
    assert compared("가 " * 2000, "나 " * 2000).alike == "far"
    assert compared("", "something").alike == "far"
