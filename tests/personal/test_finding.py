"""Every kind of personal data is found by what its definition says, and numbers that only look like it are left alone."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat.reading.personal import KINDS, TITLES, PersonalKind, Span, find_personal, masked
from sonmat.reading.personal.plain import plain
from sonmat.reading.personal.spans import without_overlaps

FOUND: list[tuple[PersonalKind, str, str]] = [
    ("email", "메일은 gildong.hong@naver.com으로 주세요", "gildong.hong@naver.com"),
    ("email", "write to Anna+News@Mail.Example-Shop.co.uk.", "Anna+News@Mail.Example-Shop.co.uk"),
    ("email", "hong [at] gmail [dot] com", "hong [at] gmail [dot] com"),
    ("email", "hong at gmail dot com", "hong at gmail dot com"),
    ("email", "hong골뱅이naver.com이에요", "hong골뱅이naver.com"),
    ("phone", "010-1234-5678로", "010-1234-5678"),
    ("phone", "01012345678로", "01012345678"),
    ("phone", "+82 10-1234-5678", "+82 10-1234-5678"),
    ("phone", "82-10-1234-5678", "82-10-1234-5678"),
    ("phone", "011.234.5678", "011.234.5678"),
    ("phone", "02)312-4567", "02)312-4567"),
    ("phone", "(031) 123-4567", "(031) 123-4567"),
    ("phone", "0507-1234-5678", "0507-1234-5678"),
    ("phone", "1588-1234", "1588-1234"),
    ("phone", "고객센터 15881234", "15881234"),
    ("phone", "0 1 0 1 2 3 4 5 6 7 8", "0 1 0 1 2 3 4 5 6 7 8"),
    ("phone", "공일공 일이삼사 오육칠팔", "공일공 일이삼사 오육칠팔"),
    ("phone", "０１０－１２３４－５６７８", "０１０－１２３４－５６７８"),
    ("phone", "01\u200b0-1234\u2060-5678", "01\u200b0-1234\u2060-5678"),
    ("phone", "٠١٠-١٢٣٤-٥٦٧٨", "٠١٠-١٢٣٤-٥٦٧٨"),
    ("phone", "(415) 555-2671 ext. 12", "(415) 555-2671 ext. 12"),
    ("phone", "call 4155552671 now", "4155552671"),
    ("phone", "+44 20 7946 0958", "+44 20 7946 0958"),
    ("phone", "tel 020 7946 0958", "020 7946 0958"),
    ("card", "4111 1111 1111 1111 12/27", "4111 1111 1111 1111"),
    ("card", "378282246310005", "378282246310005"),
    ("iban", "DE89 3704 0044 0532 0130 00 bitte", "DE89 3704 0044 0532 0130 00"),
    ("iban", "gb82west12345698765432", "gb82west12345698765432"),
    ("account", "국민은행 123456-01-123456 홍길동", "123456-01-123456"),
    ("account", "110-123-456789 신한은행으로 보내", "110-123-456789"),
    ("account", "Account number 000123456789", "000123456789"),
    ("account", "routing number 021000021", "021000021"),
    ("resident_number", "880101-1234567", "880101-1234567"),
    ("resident_number", "주민번호 8801011234567", "8801011234567"),
    ("resident_number", "000229-3234567", "000229-3234567"),
    ("foreigner_number", "900101-5123456", "900101-5123456"),
    ("business_number", "120-81-47521", "120-81-47521"),
    ("business_number", "사업자등록번호 1208147521", "1208147521"),
    ("driving_licence", "11-12-345678-90", "11-12-345678-90"),
    ("driving_licence", "서울 12-345678-90", "서울 12-345678-90"),
    ("passport", "여권번호 M12345678", "M12345678"),
    ("passport", "여권 M123A4567", "M123A4567"),
    ("ssn", "078-05-1120", "078-05-1120"),
    ("ssn", "SSN 078051120", "078051120"),
    ("address", "서울특별시 강남구 테헤란로 152, 15층 1503호에서", "서울특별시 강남구 테헤란로 152, 15층 1503호"),
    ("address", "(06236) 서울 강남구 테헤란로 152 (역삼동)", "(06236) 서울 강남구 테헤란로 152 (역삼동)"),
    ("address", "성남시 분당구 판교역로146번길 20", "성남시 분당구 판교역로146번길 20"),
    ("address", "제주시 애월읍 하귀리 산 12-3번지", "제주시 애월읍 하귀리 산 12-3번지"),
    ("address", "서울 종로구 종로3가 24-1", "서울 종로구 종로3가 24-1"),
    ("address", "한빛아파트 101동 1203호", "한빛아파트 101동 1203호"),
    ("address", "at 1600 Pennsylvania Avenue NW, Washington, DC 20500.", "1600 Pennsylvania Avenue NW, Washington, DC 20500"),
    ("address", "350 5th Ave, Apt 12B", "350 5th Ave, Apt 12B"),
    ("address", "P.O. Box 1234", "P.O. Box 1234"),
    ("ip_address", "from 203.0.113.45:8080", "203.0.113.45"),
    ("ip_address", "2001:db8::ff00:42:8329에서", "2001:db8::ff00:42:8329"),
    ("secret", "AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("secret", "ghp_16C7e42F292c6912E7710c838347Ae178B4a!", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
    ("secret", "xoxb-123456789012-abcdefABCDEF", "xoxb-123456789012-abcdefABCDEF"),
    ("secret", "Bearer dGhpcyBpcyBhIHRva2Vu42", "dGhpcyBpcyBhIHRva2Vu42"),
    ("secret", "api_key='9f86d081884c7d659a2feaa0c55ad015'", "9f86d081884c7d659a2feaa0c55ad015"),
    ("password", "password: hunter2", "hunter2"),
    ("password", "비밀번호는 Abcd1234!입니다", "Abcd1234!"),
    ("password", "비번 4821이야", ""),
    ("password", "비번: 4821이야", "4821"),
    ("password", "db = 'postgres://admin:s3cret@db/app'", "s3cret"),
    ("private_key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", ""),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "value"), [each for each in FOUND if each[2]])
def test_a_value_is_found_whole_and_under_its_kind(kind: PersonalKind, text: str, value: str) -> None:
    assert [(span.kind, text[span.start : span.end]) for span in find_personal(text)] == [(kind, value)]


def test_a_private_key_is_found_to_its_end_or_to_the_end_of_the_text() -> None:
    whole = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\n-----END RSA PRIVATE KEY-----"
    assert find_personal(f"키:\n{whole}\n끝") == [Span("private_key", 3, 3 + len(whole))]
    assert find_personal(whole[:50]) == [Span("private_key", 0, 50)]


@pytest.mark.parametrize(
    "text",
    [
        "주문번호 20240515123456", "Order #4155552671", "운송장 번호 380012345678", "학번 2020123456", "가격은 1,234,567원",
        "2024-05-15 10:30", "05/15/2024 12:00", "ISBN 978-3-16-148410-0", "8801234567893", "v1.2.3.4", "버전 10.0.19.45",
        "Chrome 120.0.6099.109", "1.2.3.4", "127.0.0.1", "0.0.0.0", "192.168.0.1", "255.255.255.0", "12:34:56", "std::string",
        "1592-1598년 임진왜란", "(1544-1599)", "바로 3분", "그대로 2개", "종로 3가", "강남구로 3명이", "경기 결과로 3-1 승", "다시 5",
        "4111 1111 1111 1112", "DE88 3704 0044 0532 0130 00", "881301-1234567", "880230-1234567", "120-81-47522",
        "000-12-3456", "M12345678 모델", "부품 M123A4567", "99-12-345678-90", "icon@2x.png", "git@github.com:owner/name", "@gildong",
        "meet me at noon dot dot", "비밀번호는 8자 이상", "비밀번호를 잊었어요", "password: required", "Password is incorrect",
        "password=<password>", "password: ********", "token = tokenizer.encode(text)", "api_key = os.environ['API_KEY_NAME_1']",
        "max_tokens: 4096", "110111-1234567 법인등기", "법인등록번호 110111-1234567", "승인번호 12345678", "3.141592653589793",
        "The 2 Road trips", "I ran 5 miles", "골뱅이 무침 2인분", "은행 영업시간 09:00-16:00", "계좌로 50000000원 송금",
        "550e8400-e29b-41d4-a716-446655440000", "1712345678901 ms", "a 5 4 3 2 1 0", "010-****-5678",
    ],
)  # fmt: skip
def test_a_number_that_only_looks_personal_is_left_alone(text: str) -> None:
    assert find_personal(text) == []


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("5555555555554444", "card"), ("6011111111111117", "card"), ("3530111333300000", "card"),
        ("FR1420041010050500013M02606", "iban"), ("NL91ABNA0417164300", "iban"), ("BE68539007547034", "iban"),
        ("124-81-00998", "business_number"), ("220-81-62517", "business_number"),
    ],
)  # fmt: skip
def test_published_examples_pass_their_check_digits_and_one_digit_off_fails(number: str, kind: PersonalKind) -> None:
    assert [span.kind for span in find_personal(number)] == [kind]
    last = number[-1]
    wrong = number[:-1] + str((int(last) + 1) % 10)
    assert find_personal(wrong) == []


def test_the_words_beside_a_number_decide_and_not_those_of_another() -> None:
    text = "주문번호 01012345678, 연락처 01087654321"
    assert [text[span.start : span.end] for span in find_personal(text)] == ["01087654321"]


def test_several_values_are_found_in_order_without_overlap() -> None:
    text = "김하늘 010-1234-5678 haneul@kakao.com 880101-2345678 서울 마포구 양화로 45 3층"
    spans = find_personal(text)
    assert [span.kind for span in spans] == ["phone", "email", "resident_number", "address"]
    assert all(before.end <= after.start for before, after in pairwise(spans))


def test_a_long_text_is_searched_to_its_end() -> None:
    text = "아무 일도 없었다.\n" * 5000 + "010-1234-5678"
    (span,) = find_personal(text)
    assert text[span.start : span.end] == "010-1234-5678"


def test_syllables_in_parts_are_read_as_syllables() -> None:
    import unicodedata

    text = unicodedata.normalize("NFD", "비밀번호: Abcd1234")
    (span,) = find_personal(text)
    assert text[span.start : span.end] == "Abcd1234"


def test_every_kind_has_a_name_in_both_languages() -> None:
    assert set(TITLES) == set(KINDS)


_TEXTS = st.text(
    st.sampled_from("01234567890-- .@:/()+abcAKsMm가나로길동호은행계좌여권비번 \u200b０１\n한\u1100\u1161"), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_plain_text_maps_back_to_where_it_came_from(text: str) -> None:
    found = plain(text)
    for place, letter in enumerate(found.text):
        start, end = found.original(place, place + 1)
        assert start < end <= len(text)
        assert plain(text[start:end]).text == letter


@settings(max_examples=150, deadline=None)
@given(_TEXTS)
def test_any_text_has_spans_in_order_and_none_after_masking(text: str) -> None:
    spans = find_personal(text)
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))
    assert find_personal(masked(text)) == []


_SPANS = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 30), st.integers(1, 12)), max_size=8)


@given(_SPANS)
def test_settled_readings_cover_all_that_any_reading_covered(given_spans: list[tuple[PersonalKind, int, int]]) -> None:
    spans = [Span(kind, start, start + length) for kind, start, length in given_spans]
    settled = without_overlaps(spans)
    covered = {place for span in spans for place in range(span.start, span.end)}
    assert {place for span in settled for place in range(span.start, span.end)} == covered
    assert all(before.end <= after.start for before, after in pairwise(settled))


@pytest.mark.parametrize(
    "piece",
    [
        "1", "1-", "1 ", "0", "010-", "a", "가", "로1 ", "@", "a@", "a.", "::", "1.", "eyJ", "서울 ", "12 Main ", "A ", "password ",
        "공", "{", "계좌 1",
    ],
)  # fmt: skip
def test_a_hostile_text_does_not_hold_up_the_search(piece: str) -> None:
    """It ends at all: matching that tried every division of such a text would outlast the test run."""
    text = piece * (20_000 // len(piece))
    assert len(find_personal(text)) <= len(text)
