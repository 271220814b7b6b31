"""User text fit to be quoted: nothing lost, nothing invisible, long texts cut, common passages found."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from sonmat.steps.report.quoting import SHORT, printable, quote, segments, shortened, width


@given(st.text(), st.text())
def test_segments_joined_are_the_answer(answer: str, right: str) -> None:
    assert "".join(segment.text for segment in segments(answer, right)) == printable(answer)


def test_passages_of_the_right_answer_are_found_in_korean_and_english() -> None:
    korean = segments("환불은 3일 뒤에 됩니다", "교환은 3일 뒤에 됩니다")
    assert [segment.text for segment in korean if segment.common][-1].strip() == "은 3일 뒤에 됩니다"
    english = segments("the cat sat", "the dog sat")
    assert [segment.text.strip() for segment in english if segment.common] == ["the", "sat"]


def test_answers_without_anything_in_common_are_not_marked() -> None:
    assert not any(segment.common for segment in segments("abc", "xyz"))
    assert segments("", "xyz") == []


def test_two_very_long_answers_are_not_compared() -> None:
    (whole,) = segments("가 " * 2000, "나 " * 2000)
    assert not whole.common


@given(st.text())
def test_nothing_invisible_stays(text: str) -> None:
    shown = printable(text)
    assert not any(unicodedata.category(letter) in ("Cc", "Cs") for letter in shown if letter not in "\n\t")
    assert "\u202e" not in shown


@given(st.text(), st.integers(2, 40))
def test_a_shortened_text_is_never_too_wide(text: str, most: int) -> None:
    assert width(shortened(text, most)) <= most


def test_a_long_text_is_cut_at_a_space_and_kept_whole_beside_it() -> None:
    text = "word " * 300
    cut = quote(text)
    assert cut.whole == text
    assert cut.head.endswith("word …")
    assert width(cut.head) <= SHORT + 2


def test_a_korean_text_is_cut_where_it_looks_as_long_as_an_english_one() -> None:
    assert quote("가" * 240).whole is None
    assert quote("가" * 260).whole is not None
