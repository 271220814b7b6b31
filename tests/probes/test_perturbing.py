"""Noise: the meaning stays, one thing changes, and the same seed gives the same."""

from __future__ import annotations

import unicodedata

import pytest

from sonmat.probing.perturbing import NOISES, Noise, perturbed, perturbed_input

ENGLISH = "How do I install another package on my machine?"
KOREAN = "패키지를 하나 더 설치하려면 어떻게 하나요?"


@pytest.mark.parametrize("text", [ENGLISH, KOREAN])
@pytest.mark.parametrize("noise", NOISES)
def test_the_same_seed_gives_the_same(noise: Noise, text: str) -> None:
    assert perturbed(text, noise, 3) == perturbed(text, noise, 3)


def test_case_is_changed_in_latin_text_alone() -> None:
    assert perturbed(ENGLISH, "upper", 0) == ENGLISH.upper()
    assert perturbed(ENGLISH, "lower", 0) == ENGLISH.lower()
    assert perturbed("이 API를 어떻게 쓰나요?", "upper", 0) is None
    assert perturbed("all small already", "lower", 0) is None


@pytest.mark.parametrize("text", [ENGLISH, KOREAN])
def test_only_white_space_changes_with_spaces(text: str) -> None:
    changed = perturbed(text, "spaces", 1)
    assert changed is not None
    assert changed.split() == text.split()
    assert "  " in changed
    assert "\n" in changed


def test_marks_at_the_end_are_left_out() -> None:
    assert perturbed(KOREAN, "punctuation", 0) == KOREAN[:-1]
    assert perturbed("정말이에요!!  ", "punctuation", 0) == "정말이에요"
    assert perturbed("no mark", "punctuation", 0) is None
    assert perturbed("???", "punctuation", 0) is None


def test_a_latin_letter_slips_to_a_neighbouring_key() -> None:
    for seed in range(50):
        changed = perturbed(ENGLISH, "typo", seed)
        assert changed is not None
        ((before, after),) = [(one, other) for one, other in zip(ENGLISH, changed, strict=True) if one != other]
        assert any(before + after in row or after + before in row for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm"))


def test_a_syllable_slips_by_one_jamo_and_stays_a_syllable() -> None:
    for seed in range(50):
        changed = perturbed(KOREAN, "typo", seed)
        assert changed is not None
        ((before, after),) = [(one, other) for one, other in zip(KOREAN, changed, strict=True) if one != other]
        assert "가" <= after <= "힣"
        one, other = (unicodedata.normalize("NFD", syllable) for syllable in (before, after))
        differing = sum(a != b for a, b in zip(one, other, strict=False)) + abs(len(one) - len(other))
        assert differing == 1


def test_every_syllable_can_slip() -> None:
    for number in range(0xAC00, 0xD7A4, 7):
        syllable = chr(number)
        changed = perturbed(f"가{syllable}", "typo", 0)
        assert changed is None or "가" <= changed[1] <= "힣"


def test_numbers_addresses_and_short_words_do_not_slip() -> None:
    for text in ("2026-11-22 a b1c2d3", "www.example.org", "me@example.org", "/etc/apt/sources", "to be or", "그 것 참"):
        assert perturbed(text, "typo", 0) is None


def test_of_a_conversation_only_the_last_question_changes() -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First question?"},
        {"role": "assistant", "content": "An answer."},
        {"role": "user", "content": "Second question?"},
    ]
    input = {"messages": messages}
    changed = perturbed_input(input, "upper", 0)
    assert changed is not None
    assert changed["messages"][:3] == messages[:3]
    assert changed["messages"][3]["content"] == "SECOND QUESTION?"
    assert messages[3]["content"] == "Second question?"
    assert perturbed_input({"messages": messages[:1]}, "upper", 0) is None
    assert perturbed_input({"text": "A text."}, "lower", 0) == {"text": "a text."}
