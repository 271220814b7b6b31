"""The general panel: every item's form, its key, its uniqueness, and the rules that judge written answers."""

from __future__ import annotations

import ast
import operator
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from sonmat.probing.panel import AREAS, LANGUAGES, Item, items, texts
from sonmat.probing.rules import Rule

OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def test_the_panel_has_at_least_300_items_in_both_languages_alike() -> None:
    assert len(items()) >= 300
    counts = Counter((item.area, item.language) for item in items())
    for area in AREAS:
        assert counts[area, "en"] == counts[area, "ko"] >= 16
    assert {text.language for text in texts()} == set(LANGUAGES)


def test_no_item_is_there_twice() -> None:
    ids = [item.id for item in items()] + [text.id for text in texts()]
    assert max(Counter(ids).values()) == 1
    assert max(Counter(" ".join(item.prompt.casefold().split()) for item in items()).values()) == 1


def test_every_item_is_named_for_its_place_and_names_its_provenance() -> None:
    for item in items():
        assert item.id.startswith(f"{item.area}-{item.language}-")
        assert item.provenance.startswith("written for Sonmat, Apache-2.0")


def test_every_prompt_is_in_its_language() -> None:
    for item in items():
        hangul = sum("가" <= letter <= "힣" for letter in item.prompt)
        if item.language == "ko":
            assert hangul or item.area == "arithmetic", item.id
        else:
            assert hangul <= 5, item.id


def test_choices_differ_and_are_of_like_length() -> None:
    for item in items():
        if item.form == "choice":
            assert len({choice.casefold() for choice in item.choices}) == len(item.choices), item.id
            shortest, longest = min(map(len, item.choices)), max(map(len, item.choices))
            assert longest <= 3 * shortest + 6, item.id


def test_right_letters_are_balanced() -> None:
    for area in AREAS:
        for language in LANGUAGES:
            chosen = [item for item in items() if (item.area, item.language, item.form) == (area, language, "choice")]
            letters = Counter(item.answer for item in chosen)
            assert not chosen or max(letters.values()) - min(letters.values()) <= 1, (area, language, letters)


def test_arithmetic_keys_are_what_their_expressions_come_to() -> None:
    computed = 0
    for item in items():
        if item.area != "arithmetic":
            assert item.expression is None
            continue
        assert item.expression is not None
        value = _value(ast.parse(item.expression, mode="eval").body)
        key = item.rule.number if item.rule is not None else float(item.choices[item.right])
        assert key == value, item.id
        computed += 1
    assert computed == 60


def test_answers_to_reading_items_stand_in_the_passage_and_not_in_the_question() -> None:
    for item in items():
        if item.area != "reading":
            continue
        assert item.rule is not None
        passage, question = item.prompt.split("\n\n")
        for group in item.rule.contains:
            # A passage says "noon" where the key also takes "12".
            assert any(wanted.casefold() in passage.casefold() for wanted in group), item.id
            assert not any(wanted.casefold() in question.casefold().split() for wanted in group), item.id
        assert all(unwanted.casefold() in passage.casefold() for unwanted in item.rule.excludes[:1]), item.id
        assert not item.rule.kept_by(question), item.id


def test_every_rule_can_be_kept() -> None:
    for item in items():
        if item.rule is None:
            continue
        if item.area == "reading":
            answers = [group[0] for group in item.rule.contains]
        elif item.area == "arithmetic":
            answers = [f"{item.rule.number:g}"]
        else:
            answers = [item.example or ""]
        assert all(item.rule.kept_by(answer) for answer in answers), item.id


def test_few_examples_keep_the_rule_of_another_item() -> None:
    written = [item for item in items() if item.area == "instructions" and item.rule is not None]
    for item in written:
        assert item.rule is not None
        others = [other for other in written if other is not item and item.rule.kept_by(other.example or "")]
        assert len(others) <= 5, (item.id, len(others))


def test_no_written_item_is_answered_by_silence_or_by_its_own_prompt() -> None:
    for item in items():
        if item.rule is not None:
            assert not item.rule.kept_by(""), item.id
            assert not item.rule.kept_by("..."), item.id


@pytest.mark.parametrize(
    ("rule", "kept", "broken"),
    [
        (Rule(equals=("ready",)), ' "Ready." ', "I am ready"),
        (Rule(contains=(("noon", "12"),), excludes=("ten",)), "It opens at noon.", "It opens at 120"),
        (Rule(contains=(("tulip",),)), "Tulips", "antulip"),
        (Rule(contains=(("9시",),)), "아침 9시에 엽니다", "19시"),
        (Rule(excludes=("ten",)), "often", "at ten"),
        (Rule(number=12), "7 + 5 = 12.", "12 or 13"),
        (Rule(number=1200), "1,200", "1 200 3"),
        (Rule(lines=2), "one\n\ntwo", "one"),
        (Rule(lines=2, each_line=r"\d\. .+"), "1. a\n2. b", "1. a\nb"),
        (Rule(most_words=3), "one two three", "one two three four"),
        (Rule(language="ko"), "파리입니다 (Paris)", "The capital is 파리"),
        (Rule(language="en"), "Tokyo", "도쿄"),
        (Rule(json_keys=("a", "b")), '```json\n{"b": 1, "a": 2}\n```', '{"a": 1}'),
        (Rule(json_value=[1, 2]), "[1, 2]", "[2, 1]"),
        (Rule(starts="honestly"), "Honestly, I like it", "I honestly like it"),
        (Rule(ends="end of message"), "A bicycle. End of message.", "End of message. Bye"),
        (Rule(matches=r"1 2 3\.?"), "1 2 3.", "1, 2, 3"),
    ],
)
def test_a_rule_tells_a_good_answer_from_a_bad_one(rule: Rule, kept: str, broken: str) -> None:
    assert rule.kept_by(kept)
    assert not rule.kept_by(broken)


def test_an_item_without_a_whole_key_is_refused() -> None:
    whole = {"id": "x", "area": "knowledge", "language": "en", "form": "choice", "prompt": "?", "provenance": "here"}
    Item.model_validate({**whole, "choices": ("a", "b"), "answer": "B"})
    for wrong in ({}, {"choices": ("a", "b")}, {"choices": ("a", "b"), "answer": "C"}, {"rule": {"lines": 1}}):
        with pytest.raises(ValidationError):
            Item.model_validate({**whole, **wrong})


def _value(node: ast.expr) -> float:
    if isinstance(node, ast.BinOp):
        return float(OPERATORS[type(node.op)](_value(node.left), _value(node.right)))
    assert isinstance(node, ast.Constant)
    return float(node.value)  # type: ignore[arg-type]
