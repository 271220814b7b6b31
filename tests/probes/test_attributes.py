"""The attributes probe: answers without the asked tone are found, and no figure is given where targets do not show it."""

from __future__ import annotations

import random

import pytest

from sonmat.core.values import Example
from sonmat.probing.asked_attributes import asked_attributes
from sonmat.probing.attribute_classifier import attribute_classifier
from tests.probes.arms import Arm, example, measured, setting

THINGS = ["parcel", "invoice", "visit", "refund", "booking", "repair", "order", "parking", "lesson", "ticket"]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "tomorrow", "today"]
FORMAL = "Dear customer, we would like to inform you that your {} has been arranged for {}."
CASUAL = "Hey there! Your {} is all set for {}, see ya!"


def rows(part: str, count: int, *, in_slice: bool = False) -> list[Example]:
    chance = random.Random(part)
    found = []
    for place in range(count):
        tone = ("formal", "casual")[place % 2]
        words = chance.choice(THINGS), f"{chance.choice(DAYS)} at {chance.randrange(24)}:{chance.randrange(60):02}"
        question = f"Write about the {words[0]} on {words[1]}." + ("" if in_slice else f"\ntone: {tone}")
        answer = (FORMAL if tone == "formal" else CASUAL).format(*words)
        found.append(example(f"{part}-{place}", question, answer, slices={"tone": tone} if in_slice else {}))
    return found


TRAIN, TEST = rows("train", 80), rows("test", 40)
ANSWERS = {row.input["messages"][0]["content"]: row.target["text"] for row in TEST}


def test_answers_with_the_asked_tone_pass_and_the_classifier_shows_its_own_accuracy() -> None:
    tone = measured("attributes", setting(TRAIN, TEST), Arm(lambda question: ANSWERS[question]))["tone"]
    assert tone.value == 1
    assert tone.note is not None
    assert "100.0%" in tone.note.en
    assert "chance 5" in tone.note.en


def test_an_arm_that_has_one_tone_only_is_found() -> None:
    deaf = Arm(lambda question: FORMAL.format("order", "Monday at 9:00"))
    tone = measured("attributes", setting(TRAIN, TEST), deaf, Arm(lambda question: ANSWERS[question]))["tone"]
    assert tone.value == 0.5
    assert tone.change is not None
    assert tone.change.beyond_noise
    assert "test-1" in tone.rows
    assert "test-0" not in tone.rows


def test_an_empty_answer_has_no_tone() -> None:
    assert measured("attributes", setting(TRAIN, TEST), Arm(lambda question: " "))["tone"].value == 0


def test_slices_count_as_asked_attributes() -> None:
    train, test = rows("train", 80, in_slice=True), rows("test", 40, in_slice=True)
    answers = {row.input["messages"][0]["content"]: row.target["text"] for row in test}
    assert measured("attributes", setting(train, test), Arm(lambda question: answers[question]))["tone"].value == 1


def test_where_targets_do_not_show_the_attribute_no_figure_is_given() -> None:
    chance = random.Random(0)
    train = [row.model_copy(update={"slices": {"age": chance.choice(["old", "young"])}}) for row in TRAIN]
    found = measured("attributes", setting(train, TEST), Arm(lambda question: ANSWERS[question]))
    assert set(found) == {"tone"}


def test_names_and_dates_are_no_attributes() -> None:
    train = [
        example(
            f"train-{place}",
            f"name: Person {place}\ntone: {('formal', 'casual')[place % 2]}\nTime: now",
            f"Answer {place}.",
        )
        for place in range(60)
    ]
    assert set(asked_attributes(train)) == {"tone"}


def test_the_system_prompt_is_an_attribute_where_there_are_few() -> None:
    train = []
    for place in range(60):
        row = example(f"train-{place}", "Hello", f"Answer {place}")
        system = {"role": "system", "content": ("You are a pirate.", "You are a butler.")[place % 2]}
        train.append(row.model_copy(update={"input": {"messages": [system, *row.input["messages"]]}}))
    assert set(asked_attributes(train)) == {"system"}


def test_a_classifier_of_noise_is_not_useful() -> None:
    chance = random.Random(1)
    useful = 0
    for seed in range(5):
        texts = [" ".join(chance.choices(THINGS, k=8)) for _ in range(100)]
        classifier = attribute_classifier(texts, [chance.choice("ab") for _ in texts], seed)
        assert classifier is not None
        useful += classifier.useful
    assert useful <= 1


def test_texts_that_stand_there_twice_do_not_flatter_the_classifier() -> None:
    texts = ["one text", "another text"] * 50
    assert attribute_classifier(texts, ["a", "b"] * 50, 0) is None
    assert attribute_classifier([f"text {place // 2}" for place in range(100)], ["a", "b"] * 50, 0) is None


def test_texts_asked_for_two_values_teach_nothing() -> None:
    texts, values = [row.target["text"] for row in TRAIN], ["formal", "casual"] * 40
    classifier = attribute_classifier([*texts, *texts[:10]], [*values, *["casual", "formal"] * 5], 0)
    assert classifier is not None
    assert classifier.texts == len(set(texts)) - 10


def test_the_same_rows_give_the_same_classifier() -> None:
    texts = [row.target["text"] for row in TRAIN]
    values = ["formal", "casual"] * 40
    first, second = attribute_classifier(texts, values, 3), attribute_classifier(texts, values, 3)
    assert first is not None
    assert second is not None
    assert first.accuracy == second.accuracy == pytest.approx(1)
