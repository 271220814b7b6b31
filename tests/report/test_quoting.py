"""User text fit to be quoted: nothing invisible, long texts cut."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from sonmat.steps.report.quoting import SHORT, printable, quote, shortened, width


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
