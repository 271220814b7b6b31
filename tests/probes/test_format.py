"""The format probe: broken JSON and other breaches are found, sound answers pass, and a wrong `expect` is told at once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sonmat.core.errors import SettingError
from sonmat.probing.expectations import read_expectations
from sonmat.probing.forms import shared_forms
from tests.probes.arms import Arm, example, measured, setting

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "people": {"type": "integer"}},
    "required": ["city", "people"],
    "additionalProperties": False,
}


def as_record(number: int) -> str:
    return json.dumps({"city": f"City {number}", "people": number * 1000})


TRAIN = [example(f"train-{number}", f"City {number}?", as_record(number)) for number in range(40)]
TEST = [example(f"test-{number}", f"Town {number}?", as_record(100 + number)) for number in range(20)]
ANSWERS = {row.input["messages"][0]["content"]: row.target["text"] for row in TEST}
SOUND = Arm(lambda question: ANSWERS[question])


def broken(question: str) -> str:
    answer = str(ANSWERS[question])
    return answer[:-1] if question in ("Town 3?", "Town 5?") else answer


def test_sound_answers_keep_every_rule() -> None:
    found = measured("format", setting(TRAIN, TEST, expect={"json_schema": SCHEMA, "longest": 60}), SOUND)
    assert {"json_schema", "longest", "form_json", "form_one_line", "form_beginning", "form_ending", "all"} == set(found)
    assert all(measure.value == 1 and not measure.rows for measure in found.values())
    assert all(measure.low is not None and 0.8 < measure.low < 1 for measure in found.values())


def test_broken_json_is_found_with_its_rows() -> None:
    found = measured("format", setting(TRAIN, TEST, expect={"json_schema": SCHEMA}), Arm(broken), SOUND)
    assert found["json_schema"].value == pytest.approx(0.9)
    assert set(found["json_schema"].rows) == set(found["all"].rows) == {"test-3", "test-5"}
    assert found["json_schema"].change is not None
    assert found["json_schema"].change.difference == pytest.approx(-0.1)


def test_without_expect_the_form_of_the_examples_is_held_to() -> None:
    found = measured("format", setting(TRAIN, TEST), Arm(lambda question: "The city has 3,000 people."), SOUND)
    assert found["form_json"].value == 0
    assert found["form_json"].change is not None
    assert found["form_json"].change.beyond_noise
    assert "city, people" in found["form_json"].title.en
    assert found["form_json"].note is not None
    assert "all 40 training targets" in found["form_json"].note.en


def test_json_in_a_code_fence_is_broken_and_said_to_be_nearly_right() -> None:
    found = measured("format", setting(TRAIN, TEST), Arm(lambda question: f"```json\n{ANSWERS[question]}\n```"))
    assert found["form_json"].value == 0
    assert found["form_json"].note is not None
    assert "20 more would" in found["form_json"].note.en


@pytest.mark.parametrize(
    ("expect", "kept", "broken"),
    [
        ({"regex": r"^\d+ won\.$"}, "500 won.", "about 500 won."),
        ({"longest": 5}, " 가나다라마 ", "가나다라마바"),
        ({"shortest": 3}, "abc", " ab "),
        ({"contains": "감사합니다"}, "네, 감사합니다.", "네."),
        ({"contains": ["a", "b"]}, "ab", "a"),
        ({"contains": "한"}, "\u1112\u1161\u11ab", "하"),
        ({"excludes": ["TODO", "???"]}, "done", "TODO: write"),
        ({"language": "ko"}, "오늘은 비가 많이 옵니다.", "It rains a lot in this town today."),
        ({"language": "en"}, "It rains a lot in this town today.", "오늘은 비가 많이 옵니다."),
        ({"language": "en"}, "OK", "네, 알겠습니다 고맙습니다."),
        ({"json_schema": SCHEMA}, as_record(1), '{"city": 3, "people": 1}'),
        ({"json_schema": {"type": "number"}}, "3", "NaN"),
        ({"json_schema": {"type": "array"}}, "[]", "Sure: []"),
        (
            {"json_schema": {"$defs": {"n": {"type": "integer"}}, "type": "array", "items": {"$ref": "#/$defs/n"}}},
            "[1]",
            '["1"]',
        ),
    ],
)
def test_each_rule_tells_kept_from_broken(expect: dict[str, Any], kept: str, broken: str) -> None:
    (rule,) = read_expectations(expect).rules().values()
    assert rule(kept)
    assert not rule(broken)


def test_no_rules_are_no_measures() -> None:
    different = [example(f"train-{number}", "?", ["Yes", "no!", "- one\n- two", "네"][number % 4]) for number in range(40)]
    assert read_expectations({}).rules() == {}
    assert measured("format", setting(different, TEST), SOUND) == {}


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ({"json_shema": {}}, "Did you mean 'json_schema'"),
        ({"regex": "("}, "expect.regex: no regular expression"),
        ({"json_schema": {"type": "strin"}}, "expect.json_schema: no JSON schema at type"),
        ({"json_schema": "schema.json"}, "expect.json_schema"),
        ({"json_schema": {"items": {"$ref": "https://example.org/a.json"}}}, "nothing is fetched"),
        ({"json_schema": {"items": {"$ref": "#/$defs/missing"}}}, "'#/$defs/missing' leads nowhere"),
        ({"longest": 0}, "expect.longest"),
        ({"longest": "ten"}, "expect.longest"),
        ({"contains": [""]}, "expect.contains: an empty text"),
        ({"language": "fr"}, "expect.language"),
        ({"longest": 3, "shortest": 4}, "shortest 4 > longest 3"),
        ({"contains": "abc", "excludes": "b"}, "contains and excludes 'abc'"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_wrong_expect_is_told_with_what_is_wrong(expect: dict[str, Any], told: str) -> None:
    with pytest.raises(SettingError) as error:
        read_expectations(expect)
    assert told in str(error.value)
    assert error.value.what.ko != error.value.what.en


def test_the_forms_of_sentences_are_found() -> None:
    korean = [f"답변: 주문 {number}번은 내일 오후에 도착할 예정입니다." for number in range(30)]
    forms = {form.name: form for form in shared_forms(korean)}
    assert set(forms) == {"form_one_line", "form_beginning", "form_ending", "form_language"}
    assert "답변: 주문 " in forms["form_beginning"].title.ko
    assert not forms["form_language"].rule("Your order will arrive some time tomorrow afternoon.")
    assert not forms["form_ending"].rule("답변: 주문 3번은 내일 도착할")
    assert not forms["form_one_line"].rule("답변:\n주문 3번은 내일 오후에 도착할 예정입니다.")


def test_one_exception_is_no_form() -> None:
    targets = [f"{number}. done!" for number in range(30)]
    assert {form.name for form in shared_forms(targets)} == {"form_one_line", "form_ending"}
    assert {form.name for form in shared_forms([*targets, "31 done"])} == {"form_one_line"}
    assert shared_forms([*targets, "31\ndone"]) == []


def test_sentences_that_end_with_different_marks_share_the_full_stop_or_the_like() -> None:
    forms = shared_forms([f"Shop {number} is open{'!' if number % 2 else '.'}" for number in range(30)])
    ending = next(form for form in forms if form.name == "form_ending")
    assert ending.rule("Yes?")
    assert not ending.rule("Yes")


def test_few_targets_share_a_form_by_chance() -> None:
    assert shared_forms(["Yes."] * 500) == []
    assert shared_forms([f"{number}." for number in range(19)]) == []
