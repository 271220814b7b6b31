"""Characters that nobody sees are found and taken out; those that are meant stay."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonmat.checking.invisible import SUSPECT, invisible_in, visible
from sonmat.checks.control_characters import plugin
from tests.checks.made_texts import finds, mended, silent_on

FAULTS = {
    "배송\x00이 늦어요": "배송이 늦어요",
    "환\u200b불": "환불",
    "\ufeff안녕하세요": "안녕하세요",
    "price \u202eabc": "price abc",
    "아이콘 \ue123 입니다": "아이콘  입니다",
    "반쪽 \ud83d 이모지": "반쪽  이모지",
    "하나\u2028둘": "하나\n둘",
    "글머리 \uf0b7 기호": "글머리 • 기호",
    unicodedata.normalize("NFD", "한글"): "한글",
    "a\u200db": "ab",
}


def test_every_invisible_character_is_found_and_mended() -> None:
    (found,) = finds(plugin, list(FAULTS))
    assert found.decided_by == "normalise"
    assert list(mended([found]).values()) == list(FAULTS.values())
    assert found.evidence[0] == "U+0000 (control character)"
    assert "U+200B ZERO WIDTH SPACE" in found.evidence


def test_what_is_meant_is_left_alone() -> None:
    meant = (
        "👩‍💻 개발자",
        "می‌خواهم",
        "שלום\u200f!",
        "ᄒᆞᆫ글",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "탭\t줄\r\n끝",
        "❤️",
    )
    assert silent_on(plugin, meant)


def test_control_codes_of_a_wrong_encoding_are_left_to_that_check() -> None:
    assert silent_on(plugin, ["배송이 늦어요".encode().decode("latin-1")])


@given(st.text(alphabet=st.characters(codec=None)))
def test_mending_leaves_nothing_to_mend(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert invisible_in(once) == ()


@given(st.text(alphabet=st.sampled_from("가나 abc.!\nㅋ漢é")))
def test_clean_text_is_returned_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", ["가\u200b", "\x85", "\U000f0000"])
def test_nothing_is_found_that_the_prefilter_does_not_let_through(text: str) -> None:
    assert invisible_in(text)
    assert SUSPECT.search(text)
