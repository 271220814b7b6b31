"""Slices are named as people read them: Sonmat's own in words of both languages, the user's as they are."""

from __future__ import annotations

from sonmat.core.values import Example, Source
from sonmat.probing.fairness import Estimate, widest_gap
from sonmat.probing.slice_words import columns_of_slice, listed, slice_words, values_of_slice
from sonmat.probing.slices import columns_of
from sonmat.statistics import Interval


def test_slices_that_sonmat_makes_are_said_in_words() -> None:
    said = slice_words({"text_language": "ko", "text_length": "short"})
    assert said.en == "language of the question: Korean, length of the question: short"
    assert said.ko == "질문의 언어: 한국어, 질문의 길이: 짧음"
    assert values_of_slice({"from": "female", "to": "male"}).ko == "여성, 남성"


def test_columns_of_the_user_keep_their_names_and_values() -> None:
    own = {"from": "kim", "channel": "ko"}
    assert columns_of_slice(own).ko == "from, channel"
    assert values_of_slice(own).ko == "kim, ko"
    assert slice_words({"label": "short", "threshold": "0.5"}).ko == "라벨: short, 기준값: 0.5"
    assert listed([values_of_slice({"channel": "web"})], [" (3)"]).en == "'web' (3)"


def test_every_value_of_a_derived_column_has_words() -> None:
    texts = [("가" if n % 2 else "word ") * (1 + n) for n in range(60)]
    rows = [
        Example(id=str(n), input={"text": text}, target={"label": "a"}, source=Source(file="f.csv", row=n))
        for n, text in enumerate(texts)
    ]
    parts = [part for column in columns_of(rows) for part in column.parts]
    assert {part.words.ko for part in parts} == {"한국어", "로마자", "짧음", "중간", "김"}


def test_two_slices_that_are_equal_are_not_told_as_one_beside_itself() -> None:
    same = Estimate(0.5, lambda level: Interval(0.3, 0.7))
    spread = widest_gap([[same, same]])
    assert spread is not None
    assert spread.value == 0
    assert spread.best != spread.worst
