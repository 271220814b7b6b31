"""Rows in a language that hardly any other has, and answers in another language than the question."""

from __future__ import annotations

import pytest

from sonmat.checks.language_mix import plugin
from sonmat.conformance import check_check, findings_of
from sonmat.reading.language import language_of, languages_of
from tests.checks.made_texts import CHAT, LABELS, answers, finds_answers, texts

KOREAN = [
    (f"{number}번 상품은 언제 도착하나요?", f"{number}일 뒤에 도착할 예정입니다. 조금만 기다려 주세요.")
    for number in range(100)
]
ENGLISH = [
    (f"When will item {number} get here?", f"It will be there in {number} days, please wait a little.")
    for number in range(100)
]


def test_rows_in_a_rare_language_are_found() -> None:
    faulty = [
        ("これはいつ届きますか、教えてください", "明日までには届く予定です。"),
        ("Когда придёт мой заказ?", "Завтра, спасибо."),
    ]
    (found,) = finds_answers(plugin, answers(KOREAN), answers(faulty, "faulty"))
    assert found.severity == "warning"
    assert found.evidence == ("cyrillic (1)", "ja (1)")


def test_an_answer_in_another_language_than_the_question_is_found() -> None:
    clean = answers([*KOREAN, *ENGLISH])
    faulty = answers([(KOREAN[0][0], ENGLISH[0][1]), (KOREAN[1][0], ENGLISH[1][1])], "faulty")
    (found,) = finds_answers(plugin, clean, faulty)
    assert found.evidence == ("ko → latin (2)",)


def test_translation_pairs_are_no_fault() -> None:
    pairs = [(asked, answer) for (asked, _), (_, answer) in zip(KOREAN, ENGLISH, strict=True)]
    assert findings_of(plugin, answers(pairs), CHAT) == []


def test_short_foreign_rows_have_no_verdict() -> None:
    short = [("OK", "Galaxy S24 Ultra"), ("iPhone 15 Pro Max 256GB", "네, 있습니다."), ("ㅋㅋ", "sudo apt-get install foo")]
    assert findings_of(plugin, answers([*KOREAN, *short]), CHAT) == []


def test_a_foreign_language_in_the_same_script_is_found_in_the_sample() -> None:
    english = [
        f"The parcel number {number} has not been delivered and I would like to know where it is." for number in range(120)
    ]
    french = ["Bonjour, je voudrais savoir pourquoi ma commande n'est toujours pas arrivée chez moi cette semaine."]
    rows = texts([*english, *french])
    check_check(plugin, LABELS, rows[:120], rows, {rows[-1].id})
    (found,) = findings_of(plugin, rows, LABELS)
    assert (found.severity, found.evidence) == ("note", ("fr (1)",))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("배송이 언제 오나요?", "ko"),
        ("iPhone 15 케이스가 언제 도착하나요?", "ko"),
        ("iPhone 15 Pro 케이스 있나요? Where is it?", None),
        ("Please tell me when the order will arrive.", "latin"),
        ("這個什麼時候會到貨呢", "zh"),
        ("いつ届きますか", "ja"),
        ("متى يصل طلبي؟", "arabic"),
        ("Hello there", None),
        ("Samsung Galaxy S24 Ultra 256GB Titanium Gray", None),
        ("for (int i = 0; i < n; i++) { sum += list.get(i); } return sum;", None),
        ("네", None),
        ("12345 !!", None),
    ],
)
def test_a_text_has_the_language_of_nearly_all_of_it(text: str, language: str | None) -> None:
    assert language_of(text) == language


def test_the_languages_of_the_data_are_told_by_their_share() -> None:
    assert languages_of(["안녕하세요 반갑습니다", "Hello there, how are you?"]) == ("ko", "en")
