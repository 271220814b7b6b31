"""HTML left in texts is found and turned into what a reader of the page saw; comparisons, placeholders and code stay."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from sonmat.checking.markup import markup_in, readable
from sonmat.checks.html_left import plugin
from sonmat.conformance import findings_of
from tests.checks.made_texts import CLEAN, LABELS, finds, mended, silent_on, texts

FAULTS = {
    "안녕<br>하세요&nbsp;반갑습니다": "안녕\n하세요 반갑습니다",
    '<p class="x">첫째</p><p>둘째</p>': "첫째\n\n둘째",
    "A &amp;lt;b&amp;gt;굵게&amp;lt;/b&amp;gt;": "A 굵게",
    "<script>var a = 1 < 2;</script>본문": "본문",
    "보기 ![로고](https://example.com/a.png) 끝": "보기 로고 끝",
    "<a href='https://example.com'>여기</a>를 누르세요": "여기를 누르세요",
    "don&#39;t <!-- hidden --> worry": "don't  worry",
    "<table><tr><td>가</td><td>나</td></tr></table>": "가 나",
}


def test_every_mark_is_found_and_mended() -> None:
    (found,) = finds(plugin, list(FAULTS))
    assert found.severity == "warning"
    assert list(mended([found]).values()) == list(FAULTS.values())
    assert found.evidence[:2] == ("<br>", "<p>")


def test_no_address_and_no_attribute_is_shown() -> None:
    (found,) = findings_of(
        plugin, texts(["<a href='mailto:kim@example.com'>x</a>", "![kim](https://example.com/kim)"]), LABELS
    )
    assert found.evidence == ("<a>", "![…](…)")


def test_what_is_no_html_is_left() -> None:
    assert silent_on(plugin, (
        "a < b and c > d", "if a<b and b>c", "<name> 님께", "<s> [INST] </s>", "<image> 설명", "AT&T; R&D", "?a=1&copy=2",
        "`<br>`을 쓰세요", "```\n<div>코드</div>\n```", "HTML의 <br> 태그는 무엇인가요?", "List<String> x", "<3 사랑해", "<title>",
    ))  # fmt: skip


def test_where_most_rows_have_it_it_is_only_noted() -> None:
    (found,) = findings_of(plugin, texts(["<p>글</p>"] * 30 + list(CLEAN)), LABELS)
    assert (found.severity, found.decided_by, found.repairs) == ("note", None, ())


@example(["`", "&amp;", "\n", "`", "<br>", "`"])
@given(
    st.lists(
        st.sampled_from(["<br>", "&amp;", "lt;", "<b>", "</b>", "`", "가", " ", "\n", "<p", ">", "![a](/b)", "<!--", "-->"])
    )
)
def test_mending_leaves_nothing_to_mend(pieces: list[str]) -> None:
    once = readable("".join(pieces))
    assert readable(once) == once
    assert not markup_in(once)
