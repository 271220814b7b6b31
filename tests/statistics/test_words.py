"""Words of texts in several scripts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sonmat.statistics.words import one_line, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't stop, it's 10 o'clock!", ("don", "t", "stop", "it", "s", "10", "o", "clock")),
        ("snake_case ÜBER", ("snake", "case", "über")),
        ("我喜欢 cats", ("我", "喜", "欢", "cats")),
        ("हिन्दी भाषा", ("हिन्दी", "भाषा")),
        ("ไทย", ("ไทย",)),
        ("... !? 👍", ()),
        ("", ()),
        ("broken \ud800 half", ("broken", "half")),
    ],
)
def test_texts_are_cut_where_letters_and_digits_end(text: str, words: tuple[str, ...]) -> None:
    assert words_of([text]) == [words]


def test_korean_is_cut_into_morphemes_without_punctuation() -> None:
    (words,) = words_of(["고양이가 GPT-4를 봤어요!"])
    assert words[:2] == ("고양이", "가")
    assert {"gpt", "4", "보"} <= set(words)
    assert not {"!", "-"} & set(words)


def test_two_forms_of_the_same_korean_verb_share_their_stem() -> None:
    first, second = words_of(["먹었습니다", "먹어요"])
    assert "먹" in first
    assert "먹" in second


def test_mixed_texts_keep_their_order() -> None:
    assert [len(words) > 0 for words in words_of(["one", "하나", "", "둘", "two"])] == [True, True, False, True, True]
    assert words_of(["one", "하나", "two"])[2] == ("two",)


def test_composed_and_decomposed_hangul_are_the_same() -> None:
    decomposed = "\u1112\u1161\u11ab\u1100\u116e\u11a8"
    assert words_of([decomposed]) == words_of(["한국"])
    assert one_line(f" {decomposed}\n\t어 ") == "한국 어"


def test_the_korean_analyser_is_not_loaded_for_other_languages() -> None:
    code = (
        "import sys; from sonmat.statistics.words import words_of; words_of(['one']); assert 'kiwipiepy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
