"""Texts read in a wrong encoding are found, and read back where the bytes are still there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sonmat.checking.garbled import garble_in, ungarbled
from sonmat.checks.mojibake import plugin
from tests.checks.made_texts import finds, mended, silent_on
from tests.checks.planted import clean


def as_cp1252(text: str) -> str:
    return "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())


MENDED = {
    as_cp1252("안녕하세요, 배송이 늦어요."): "안녕하세요, 배송이 늦어요.",
    "배송이 늦어요".encode().decode("latin-1"): "배송이 늦어요",
    as_cp1252("it’s a café"): "it’s a café",
    "주문한 상품이 안 왔어요".encode("cp949").decode("latin-1"): "주문한 상품이 안 왔어요",
    "諛곗넚": "배송",
    as_cp1252(as_cp1252("환불")): "환불",
    "저는 갑니다 " + as_cp1252("내일"): "저는 갑니다 내일",
    as_cp1252("저도").replace("\xa0", " "): "저도",
}
LOST = ["占쏙옙占쏙옙 늦어요", "배송\ufffd 늦어요", "?덈뀞?섏꽭??", "二쇰Ц�븳"]


def test_every_wrong_encoding_is_found_and_what_can_be_is_read_back() -> None:
    (found,) = finds(plugin, [*MENDED, *LOST])
    assert list(mended([found]).values()) == list(MENDED.values())
    assert found.data == {"beyond_repair": len(LOST)}
    assert "in 4 of them letters are gone" in found.what.en


def test_rare_letters_are_no_garble() -> None:
    assert silent_on(
        plugin,
        (
            "CAFÉ… “ok”",
            "ÀÁÂÃÄÅÆÇÈÉ",
            "됬어요? 뷁",
            "뵀습니다",
            "Ä…",
            "lunedì €5 À »",
            "±0.5×10³ °C ¼",
            "漢字 한자(漢字)",
            "São Paulo, Ação",
        ),
    )


@given(st.text(alphabet=st.sampled_from("가힣뷁 aé’“漢ñü…€\u00a0👍"), min_size=1))
def test_what_is_read_wrongly_is_read_back_or_left(text: str) -> None:
    assert ungarbled(as_cp1252(text)) in {text, as_cp1252(text), ungarbled(text)}


def test_no_text_of_the_example_data_is_changed() -> None:
    for _, rows in clean():
        for example in rows:
            text = example.input.get("text") or example.target.get("text") or ""
            assert garble_in(text) is None


@pytest.mark.parametrize("enough", ["안녕하세요", "환불 부탁드립니다"])
def test_korean_read_as_cp1252_always_comes_back(enough: str) -> None:
    assert ungarbled(as_cp1252(enough)) == enough
