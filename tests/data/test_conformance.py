"""Every format and shape keeps its contract, and the suites that say so fire on planted faults."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from sonmat import plugins
from sonmat.conformance.format import check_format
from sonmat.conformance.shape import check_shape
from sonmat.core.protocols import Format, Pair, Shape
from sonmat.core.text import Text
from sonmat.core.values import Columns, Json, Record
from sonmat.formats.csv import DelimitedText
from sonmat.formats.jsonl import JsonLines
from sonmat.shapes.text_label import TextLabel


def label_pairs(field: str) -> list[Pair]:
    texts = ["great film", "dull film, sadly", "정말 재미있어요", 'a "quoted" one', "well made", "too long"]
    values = [f"pictures/{number}.png" for number in range(6)] if field == "image" else texts
    return [Pair({field: value}, {"label": "좋음" if number % 2 else "bad"}) for number, value in enumerate(values)]


def single_turns() -> list[Pair]:
    asked = ["when do you open?", "when do you close?", "환불되나요?", "how much is it, all in all?"]
    return [
        Pair({"messages": [{"role": "user", "content": question}]}, {"text": f"about {number}, I think: {question}"})
        for number, question in enumerate(asked)
    ]


def with_systems() -> list[Pair]:
    system = {"role": "system", "content": "Be brief."}
    return [Pair({"messages": [system, *pair.input["messages"]]}, pair.target) for pair in single_turns()]


def long_turns(weights: bool) -> list[Pair]:
    weight: Json = {"weight": 0} if weights else {}
    earlier = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "good day", **weight}]
    return [Pair({"messages": [*earlier, *pair.input["messages"]]}, pair.target) for pair in single_turns()]


def with_tools() -> list[Pair]:
    tool = {"type": "function", "function": {"name": "opening_hours", "parameters": {"type": "object", "properties": {}}}}
    call = {"id": "1", "type": "function", "function": {"name": "opening_hours", "arguments": '{"day": "월요일"}'}}
    asked: list[Json] = [
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "09:00", "tool_call_id": "1"},
    ]
    answered = [Pair({"messages": [*p.input["messages"], *asked], "tools": [tool]}, p.target) for p in single_turns()]
    calling = {"text": '[{"arguments": {"day": "월요일"}, "name": "opening_hours"}]', "tool_calls": [call]}
    return [*answered, Pair({**single_turns()[0].input, "tools": [tool]}, calling)]


def preferences() -> list[Pair]:
    longer = [pair for pair in long_turns(weights=False) if pair.target]
    return [
        Pair(p.input, {"chosen": p.target["text"], "rejected": "no idea"}) for p in single_turns() + with_systems() + longer
    ]


def label_lists() -> list[Pair]:
    sets = [["배송"], ["환불", "결제"], [], ["배송", "결제"], ["환불"], ["배송", "환불", "결제"]]
    return [Pair({"text": f"{number}번째 긴 문의입니다"}, {"labels": labels}) for number, labels in enumerate(sets)]


def numbers() -> list[Pair]:
    return [Pair({"text": f"the {number}th review"}, {"value": 1.5 + number / 4}) for number in range(6)]


def contexts() -> list[Pair]:
    context = "The shop opens at nine. It closes at six. 월요일은 쉽니다."
    answers: list[Json] = [
        {"text": "nine", "start": 18},
        {"text": "six"},
        {"text": ""},
        {"text": "월요일", "start": 42, "alternatives": [{"text": "월요일은", "start": 42}, {"text": "쉽니다"}]},
    ]
    return [Pair({"question": f"what about {number}?", "context": context}, each) for number, each in enumerate(answers)]


def context_turns() -> list[Pair]:
    return [
        Pair(
            {"messages": [{"role": "user", "content": f"We open at nine.\n\n{p.input['messages'][0]['content']}"}]},
            p.target,
        )
        for p in single_turns()
    ]


def sounds(field: str) -> list[Pair]:
    said = ["good day", "how much is it", "안녕하세요", "when do you close"]
    values = said if field == "text" else ["hello", "question", "hello", "question"]
    return [Pair({"audio": f"clips/{number}.wav"}, {field: value}) for number, value in enumerate(values)]


def objects() -> list[Pair]:
    boxes: list[list[Json]] = [
        [{"box": [1.0, 2.0, 3.0, 4.5], "label": "cat"}],
        [{"box": [0.0, 0.0, 9.0, 9.0], "label": "개"}, {"box": [1.0, 1.0, 2.0, 2.0], "label": "cat"}],
        [],
        [{"box": [5.0, 5.0, 5.0, 5.0], "label": "개"}],
    ]
    return [Pair({"image": f"pictures/{number}.jpg"}, {"objects": found}) for number, found in enumerate(boxes)]


SAMPLES: list[tuple[str, list[Pair]]] = [
    ("text_label", label_pairs("text")),
    ("image_label", label_pairs("image")),
    ("prompt_completion", single_turns() + with_systems()),
    ("prompt_completion", single_turns() + long_turns(weights=True) + long_turns(weights=False) + with_tools()),
    ("input_output", single_turns() + with_systems()),
    ("alpaca", single_turns() + with_systems() + long_turns(weights=False)),
    ("sharegpt", single_turns() + with_systems() + long_turns(weights=True)),
    ("messages", single_turns() + with_systems() + long_turns(weights=True) + with_tools()),
    ("preference_openai", preferences()),
    ("preference_trl", preferences()),
    ("text_labels", label_lists()),
    ("label_columns", label_lists()),
    ("text_number", numbers()),
    ("question_context", contexts()),
    ("context_chat", context_turns()),
    ("audio_label", sounds("label")),
    ("audio_text", sounds("text")),
    ("image_objects", objects()),
]


@pytest.mark.parametrize("format", plugins.every("formats"), ids=lambda format: format.name)
def test_every_format_keeps_its_contract(format: Format, tmp_path: Path) -> None:
    check_format(format, tmp_path)


@pytest.mark.parametrize(("name", "pairs"), SAMPLES, ids=[name for name, _ in SAMPLES])
def test_every_shape_keeps_its_contract(name: str, pairs: list[Pair]) -> None:
    check_shape(plugins.find("shapes", name), pairs)


def test_no_shape_is_left_out_of_the_contract_test() -> None:
    assert {name for name, _ in SAMPLES} == {shape.name for shape in plugins.every("shapes")}


class TrimmingLines(JsonLines):
    def read(self, path: Path) -> Iterator[Record]:
        for record in super().read(path):
            yield record.model_copy(update={"fields": {**record.fields, "text": record.fields["text"].strip()}})


class ForgetfulTable(DelimitedText):
    def read(self, path: Path) -> Iterator[Record]:
        rows = list(super().read(path))
        yield from rows[:-1]


class HastyLines(JsonLines):
    def write(self, records: Iterable[Record], path: Path) -> None:
        path.touch()
        super().write(records, path)


class PatientTable(DelimitedText):
    def read(self, path: Path) -> Iterator[Record]:
        if path.stat().st_size:
            yield from super().read(path)


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        (TrimmingLines(), "rows changed between write and read"),
        (ForgetfulTable(), "rows changed between write and read"),
        (HastyLines(), "left a file"),
        (PatientTable(), "an empty source gives 0 rows"),
    ],
)
def test_a_faulty_format_is_found_out(faulty: Format, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=said):
        check_format(faulty, tmp_path)


class LosingShape(TextLabel):
    def write(self, pair: Pair, columns: Columns) -> Json:
        return {**super().write(pair, columns), "text": pair.input["text"].lower().replace(" ", "")}


class CrashingShape(TextLabel):
    def read(self, fields: Json, columns: Columns) -> Pair | Text:
        return Pair({"text": fields["text"]}, {"label": fields["label"]})


def test_a_shape_that_loses_words_is_found_out() -> None:
    with pytest.raises(AssertionError, match="between write and read"):
        check_shape(LosingShape(), label_pairs("text"))


def test_a_shape_that_crashes_on_a_row_without_fields_is_found_out() -> None:
    faulty: Shape = CrashingShape()
    with pytest.raises(KeyError):
        check_shape(faulty, label_pairs("text"))
