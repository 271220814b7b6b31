"""Redaction puts the same placeholder in place of the same value, and leaves nothing that would be found again."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.personal_sentences import TUNED, planted
from sonmat.reading.personal import Redactor, excerpt, find_personal, masked, masked_content, masked_piece


def test_a_value_has_one_placeholder_however_it_is_written() -> None:
    redactor = Redactor()
    assert redactor.redacted("010-1234-5678, 010-9999-8888") == "[PHONE_1], [PHONE_2]"
    assert (
        redactor.redacted("+82 10 1234 5678 / ０１０１２３４５６７８ / 010.9999.8888")
        == "[PHONE_1] / [PHONE_1] / [PHONE_2]"
    )
    assert redactor.redacted("Kim@Naver.com kim@naver.com") == "[EMAIL_1] [EMAIL_1]"
    assert redactor.redacted("password: Secret1! password: secret1!") == "password: [PASSWORD_1] password: [PASSWORD_2]"


@given(st.lists(st.integers(1, 7), min_size=1, max_size=6))
def test_placeholders_do_not_depend_on_how_rows_are_batched(sizes: list[int]) -> None:
    texts = [each.text for each in planted(TUNED[:8], 3)]
    at_once = Redactor()
    whole = [at_once.redacted(text) for text in texts]
    in_batches, start, pieces = Redactor(), 0, []
    for size in [*sizes, len(texts)]:
        pieces += [in_batches.redacted(text) for text in texts[start : start + size]]
        start += size
    assert pieces == whole


def test_two_runs_share_nothing_by_which_values_could_be_matched() -> None:
    first, second = Redactor(), Redactor()
    first.redacted("010-1234-5678")
    second.redacted("010-1234-5678")
    assert "12345678" not in repr(vars(first))
    assert first._numbers["phone"].keys().isdisjoint(second._numbers["phone"].keys())


@pytest.mark.parametrize("style", TUNED, ids=lambda style: f"{style.kind} {style.name}")
def test_nothing_is_found_in_what_was_redacted(style: object) -> None:
    redactor = Redactor()
    for sentence in planted([style], 8, seed=3):  # type: ignore[list-item]
        redacted = redactor.redacted(sentence.text)
        assert find_personal(redacted) == []
        assert redactor.redacted(redacted) == redacted


_NUMBERS = st.text(st.sampled_from("0123456789- 010-()+.@계좌은행로 "), max_size=50)


@settings(max_examples=150, deadline=None)
@given(_NUMBERS)
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redactor = Redactor()
    once = redactor.redacted(text)
    assert redactor.redacted(once) == once
    assert find_personal(once) == []


def test_content_is_redacted_text_by_text_and_roles_and_paths_stay() -> None:
    content = {
        "messages": [{"role": "user", "content": "제 번호는 010-1234-5678"}, {"role": "assistant", "content": "네"}],
        "image": "media/010-1234-5678.png",
        "score": 3,
    }
    assert Redactor().redacted_content(content) == {
        "messages": [{"role": "user", "content": "제 번호는 [PHONE_1]"}, {"role": "assistant", "content": "네"}],
        "image": "media/010-1234-5678.png",
        "score": 3,
    }


def test_masks_speak_the_language_of_the_text() -> None:
    assert masked("연락처 010-1234-5678") == "연락처 ‹전화번호›"
    assert masked("call 415-555-2671") == "call ‹phone number›"
    assert masked("no number here") == "no number here"


def test_a_row_id_is_no_card_number() -> None:
    assert find_personal("4111111111111111")
    assert masked_content({"rows": ["4111111111111111", "4111111111111111-2"]})["rows"][0] == "4111111111111111"


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        ("…34-5678 김하늘", "… 김하늘"), ("메일 hong@nav…", "메일 …"), ("연락처 010-12…", "연락처 …"), ("010 1234 56…", "…"),
        ("'배송' (1,234)", "'배송' (1,234)"), ("2024 summer", "2024 summer"), ("…가나다…", "…가나다…"),
    ],
)  # fmt: skip
def test_what_is_left_of_a_value_beside_an_ellipsis_is_hidden(piece: str, shown: str) -> None:
    assert masked_piece(piece) == shown


def test_an_excerpt_shows_the_words_around_a_value_and_none_of_the_values() -> None:
    text = "안녕하세요 고객님, 저는 010-1234-5678 번호를 쓰고 kim@naver.com 메일을 씁니다. " + "그리고 더 있습니다. " * 5
    for span in find_personal(text):
        shown = excerpt(text, span)
        assert {"phone": "‹전화번호›", "email": "‹이메일›"}[span.kind] in shown
        assert "1234" not in shown
        assert "naver" not in shown
        assert len(shown) < 60
