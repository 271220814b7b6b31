"""Task, shape and columns are recognised by content and name, and the reason is said in both languages."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sonmat.core.errors import DataError, SettingError
from sonmat.core.protocols import Table
from sonmat.core.recipe import Recipe
from sonmat.steps.load.recognise import Recognised, recognise

LONG = ["You can send it back within a fortnight, no questions asked.", "We open at nine and close at six in the evening."]


def rows(count: int = 40, **columns: Any) -> Table:
    """A table whose columns repeat the given values; a callable is asked for each row."""
    made = tuple(
        {name: values(number) if callable(values) else values[number % len(values)] for name, values in columns.items()}
        for number in range(count)
    )
    return Table(tuple(columns), made)


def text(number: int) -> str:
    return f"this is the {number}th sentence"


def answer(number: int) -> str:
    return f"{LONG[number % 2]} Case {number}."


def found(table: Table, **wishes: Any) -> Recognised:
    return recognise(table, Recipe(data="made", **wishes))


@pytest.mark.parametrize(
    ("table", "task", "columns"),
    [
        (rows(text=text, label=["a", "b"]), "text-classification", ("text", "label")),
        (rows(문장=text, 의도=["배송", "환불"]), "text-classification", ("문장", "의도")),
        (rows(리뷰=text, 감정=["긍정", "부정"]), "text-classification", ("리뷰", "감정")),
        (rows(id=range(40), sentence=text, kind=["x", "y", "z"]), "text-classification", ("sentence", "kind")),
        (rows(kind=["x", "y", "z"], words=text), "text-classification", ("words", "kind")),
        (rows(text=text, label=[0, 1, 2]), "text-classification", ("text", "label")),
        (rows(text=text, stars=["1", "2", "5"]), "text-classification", ("text", "stars")),
        (rows(input=text, output=["yes", "no"]), "text-classification", ("input", "output")),
        (rows(prompt=text, completion=[" ham", " spam"]), "text-classification", ("prompt", "completion")),
        (rows(text=text, split=["train", "test"], mood=["good", "bad"]), "text-classification", ("text", "mood")),
        (rows(5, text=text, label=["a", "b", "c", "d", "e"]), "text-classification", ("text", "label")),
        (rows(text=text, label=["only"]), "text-classification", ("text", "label")),
        (rows(질문=text, 답변=answer), "chat", ("질문", "답변")),
        (rows(question=text, answer=answer, category=["a", "b"]), "chat", ("question", "answer")),
        (rows(id=range(40), hello=text, reply=answer), "chat", ("hello", "reply")),
        (rows(prompt=text, completion=answer), "chat", ("prompt", "completion")),
        (rows(instruction=text, input=["", "more"], output=answer), "chat", ("instruction", "output")),
        (rows(source=text, target=answer), "chat", ("source", "target")),
        (rows(image=lambda n: f"{n}.png", label=["cat", "dog"]), "image-classification", ("image", "label")),
        (rows(file=lambda n: f"p/{n}.JPG", breed=["cat", "dog"], note=text), "image-classification", ("file", "breed")),
        (
            rows(messages=[[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]]),
            "chat",
            ("messages", None),
        ),
        (
            rows(conversations=[[{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]]),
            "chat",
            ("conversations", None),
        ),
        (rows(turns=[[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]]), "chat", ("turns", None)),
    ],
    ids=lambda value: "-".join(value.columns) if isinstance(value, Table) else "",
)
def test_people_s_tables_are_recognised(table: Table, task: str, columns: tuple[str, str | None]) -> None:
    recognised = found(table)
    assert recognised.task.name == task
    assert (recognised.columns.input, recognised.columns.target) == columns
    assert recognised.reason.en != recognised.reason.ko


def test_the_reason_names_the_labels_and_how_many_there_are() -> None:
    reason = found(rows(문장=text, 의도=["배송", "환불", "결제"])).reason
    assert "'의도' has 3 different values over 40 rows: labels" in reason.en
    assert "서로 다른 값이 3개" in reason.ko


def test_columns_that_the_user_names_are_taken() -> None:
    table = rows(id=range(40), title=text, body=answer, label=["a", "b"], region=["north", "south"])
    recognised = found(table, input="title", target="region", group="id", slices=("label",))
    assert recognised.task.name == "text-classification"
    assert (recognised.columns.input, recognised.columns.target) == ("title", "region")
    assert (recognised.columns.group, recognised.columns.slices) == ("id", ("label",))
    assert found(table, input="title", target="body").task.name == "chat"


def test_a_task_that_the_user_names_is_taken_although_another_fits_better() -> None:
    recognised = found(rows(text=text, label=["good", "bad"]), task="chat")
    assert recognised.task.name == "chat"
    assert "you asked for chat" in recognised.reason.en


def test_a_missing_column_names_the_nearest_and_lists_the_rest() -> None:
    with pytest.raises(SettingError) as caught:
        found(rows(text=text, intent=["a", "b"]), target="intnet")
    assert "no column named 'intnet'" in caught.value.what.en
    assert caught.value.fix is not None
    assert "Did you mean 'intent'? Known: intent, text." in caught.value.fix.en
    assert "'intent'을(를) 뜻하셨나요?" in caught.value.fix.ko


def test_an_unknown_task_names_the_nearest() -> None:
    with pytest.raises(SettingError, match="text-classification"):
        found(rows(text=text, label=["a", "b"]), task="text_clasification")


@pytest.mark.parametrize(
    "table", [rows(words=text), rows(a=range(40), b=range(40)), rows(id=range(40), x=[0.5, 0.25, 0.75])]
)
def test_rows_of_no_known_kind_are_refused_with_their_columns(table: Table) -> None:
    with pytest.raises(DataError) as caught:
        found(table)
    assert all(f"'{name}'" in caught.value.what.en for name in table.columns)
    assert "알아볼 수 없습니다" in caught.value.what.ko


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([{"role": "user", "content": "q"}], "does not end with an assistant turn"),
        ([{"role": "assistant", "content": "a"}], "message 1 is from 'assistant' where 'user' is expected"),
        ([{"role": "user", "content": "q"}] * 2 + [{"role": "assistant", "content": "a"}], "must take turns"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0}], "weight 0"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a", "weight": 0.5}], "weight 0.5"),
        ([{"role": "user", "content": "q"}, {"role": "robot", "content": "a"}], "the role 'robot'"),
        ([{"role": "user", "content": None}, {"role": "assistant", "content": "a"}], "message 1 has no text"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [{}]}], "calls a tool"),
        (["hello"], "message 1 has no role"),
        ([], "no list of messages"),
    ],
)
def test_a_conversation_that_cannot_be_used_says_why(messages: list[Any], said: str) -> None:
    good = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    recognised = found(rows(messages=[good]))
    reason = recognised.shape.read({"messages": messages}, recognised.columns)
    assert said in getattr(reason, "en", "")
    assert getattr(reason, "ko", "")


def test_parts_of_text_are_joined_and_weights_are_kept() -> None:
    row = {
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "text", "text": "!"}]},
            {"role": "assistant", "content": "no", "weight": 0},
            {"role": "user", "content": "again"},
            {"role": "assistant", "content": "yes", "weight": 1},
        ]
    }
    recognised = found(Table(("messages",), (row,) * 5))
    pair = json.dumps(vars(recognised.shape.read(row, recognised.columns)))
    assert pair == json.dumps(
        {
            "input": {
                "messages": [
                    {"role": "user", "content": "q!"},
                    {"role": "assistant", "content": "no", "weight": 0},
                    {"role": "user", "content": "again"},
                ]
            },
            "target": {"text": "yes"},
        }
    )
