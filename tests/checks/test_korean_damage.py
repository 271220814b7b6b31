"""Broken Korean is found, jamo are put together; slang, compounds and lists of jamo are fine."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sonmat.checking.korean import joined
from sonmat.checks.korean_damage import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import LABELS, finds, mended, silent_on, texts

JAMO = {
    "ㄱㅏㅁㅅㅏㅎㅏㅂㄴㅣㄷㅏ": "감사합니다",
    "안녕ㅎㅏ세요": "안녕하세요",
    "감사하ㅂ니다": "감사합니다",
    "ﾡￂﾤ 나다": "간 나다",
    "할ㄱㅔ요": "할게요",
}
SPREAD = ["안 녕 하 세 요", "참 잘 했 어 요"]
COLLAPSED = ["오늘날씨가정말좋아서산책하고왔어요", "좋아요.\n배송이너무늦어서환불을받고싶습니다"]


def test_every_damage_is_found_by_its_kind() -> None:
    found = finds(plugin, [*JAMO, *SPREAD, *COLLAPSED])
    assert [(finding.data["damage"], len(finding.rows)) for finding in found] == [
        ("jamo", 5),
        ("spread", 2),
        ("collapsed", 2),
    ]
    assert list(mended(found).values()) == list(JAMO.values())
    assert [finding.decided_by for finding in found] == ["normalise", None, None]


def test_normal_korean_is_left() -> None:
    assert silent_on(plugin, (
        "ㅋㅋㅋ 진짜ㅠㅠ ㅇㅇ", "그래ㅋㅋ네", "ㅇㅅㅇ ㅠㅅㅠ ㅡㅡ",
        "ㄱ, ㄴ, ㄷ과 ㅏ, ㅑ", "ㄱ+ㅏ=가", "이 두 개 중 더 큰 것", "할 수 있 는",
        "국립중앙박물관어린이박물관", "자본시장과금융투자업", "ㅎㅎ좋아요ㅎㅎ", "ㅇㅋ 갈게ㅇㅇ그래", "더 잘 할 수 있게 해 줘",
    ))  # fmt: skip


def test_where_many_rows_have_no_spaces_it_is_only_noted() -> None:
    (found,) = findings_of(plugin, texts(COLLAPSED[:1] * 15 + ["네 알겠습니다"] * 15), LABELS)
    assert found.severity == "note"


@given(st.text(alphabet="가나한글 ㅋㅠㅎabc"))
def test_text_without_loose_syllables_is_returned_as_it_is(text: str) -> None:
    assert joined(text) == text
