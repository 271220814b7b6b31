"""The repetition probe: loops, collapse, silence, cut answers and foreign answers are found; a sound arm passes."""

from __future__ import annotations

import random

import pytest

from sonmat.core.values import Spec
from tests.probes.arms import WORDS, Arm, candidate, example, measured, setting


def sentence(seed: str) -> str:
    chance = random.Random(seed)
    return " ".join(chance.choice(WORDS) for _ in range(12)) + "."


TEST = [example(f"test-{place}", f"Question {place}?", sentence(f"test {place}")) for place in range(40)]
WORLD = setting([], TEST)
ANSWERS = {row.input["messages"][0]["content"]: row.target["text"] for row in TEST}
SOUND = Arm(lambda question: ANSWERS[question])
FAULTS = ("loops", "same_answer", "empty", "cut", "other_language")


def test_sound_answers_pass() -> None:
    found = measured("repetition", WORLD, SOUND, SOUND)
    assert set(found) == {*FAULTS, "distinct_pairs"}
    assert all(found[name].value == 0 and not found[name].rows for name in FAULTS)
    assert found["distinct_pairs"].value > 0.5


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("loops", "and so on and so on and so on and so on and so on and so on and so on and so on"),
        ("same_answer", "I am not sure what you mean by that."),
        ("empty", "  "),
        ("other_language", "이 질문에는 한국어로 답하겠습니다."),
    ],
)
def test_each_fault_is_found(name: str, answer: str) -> None:
    found = measured("repetition", WORLD, Arm(lambda question: answer), SOUND)
    assert found[name].value == 1
    assert len(found[name].rows) == 20
    change = found[name].change
    assert change is not None
    assert change.beyond_noise
    assert change.low > 0


def test_collapse_shows_in_the_variety_too() -> None:
    found = measured("repetition", WORLD, Arm(lambda question: "I am not sure what you mean by that."), SOUND)
    assert found["distinct_pairs"].value < 0.1
    assert found["distinct_pairs"].note is not None
    assert "untuned base" in found["distinct_pairs"].note.en


def test_the_same_right_answer_is_no_collapse() -> None:
    test = [example(f"test-{place}", f"Question {place}?", "Yes, of course.") for place in range(30)]
    found = measured("repetition", setting([], test), Arm(lambda question: "Yes,  of course."))
    assert found["same_answer"].value == 0


def test_answers_as_long_as_can_be_are_cut() -> None:
    short = candidate(spec=Spec(max_new_tokens=12))
    assert measured("repetition", WORLD, SOUND, of=short)["cut"].value == 1
    longer = candidate(spec=Spec(max_new_tokens=13))
    assert measured("repetition", WORLD, SOUND, of=longer)["cut"].value == 0


def test_one_loop_among_many_answers_is_named() -> None:
    def looping(question: str) -> str:
        return "the same thing again " * 12 if question == "Question 9?" else ANSWERS[question]

    found = measured("repetition", WORLD, Arm(looping))
    assert found["loops"].rows == ("test-9",)
    assert found["loops"].value == pytest.approx(1 / 40)


def test_short_answers_do_not_tell_their_language() -> None:
    assert "other_language" not in measured("repetition", WORLD, Arm(lambda question: "OK"))
