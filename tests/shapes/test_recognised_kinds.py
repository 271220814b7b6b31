"""Rows of kinds beyond text and label: which kind they are taken for, and what a row of them says."""

from __future__ import annotations

from typing import Any

import pytest

from sonmat.core.protocols import Pair
from sonmat.core.text import Text
from sonmat.core.values import Json
from tests.data.test_recognise import answer, found, rows, text

USER: Json = {"role": "user", "content": "q"}
GOOD: Json = {"role": "assistant", "content": "good"}
BAD: Json = {"role": "assistant", "content": "bad"}
CONTEXT = "We open at nine and close at six."
SQUAD: Json = {"text": ["nine", "at nine"], "answer_start": [11, 8]}


def read(row: Json, **wishes: Any) -> Pair | Text:
    recognised = found(rows(8, **{name: [value] for name, value in row.items()}), **wishes)
    return recognised.shape.read(row, recognised.columns)


@pytest.mark.parametrize(
    ("table", "kind", "shape"),
    [
        (rows(prompt=text, chosen=answer, rejected=["no", "never"]), "preference", "preference_trl"),
        (rows(chosen=[[USER, GOOD]], rejected=[[USER, BAD]]), "preference", "preference_trl"),
        (
            rows(input=[{"messages": [USER]}], preferred_output=[[GOOD]], non_preferred_output=[[BAD]]),
            "preference",
            "preference_openai",
        ),
        (rows(prompt=[[USER]], completion=[[GOOD]]), "chat", "prompt_completion"),
        (rows(question=text, context=[CONTEXT], answers=[SQUAD]), "question-answering", "question_context"),
        (rows(질문=text, 지문=[CONTEXT], 답=["nine", "six"]), "question-answering", "question_context"),
        (rows(question=text, context=[CONTEXT], answer=answer), "chat", "context_chat"),
        (rows(text=text, labels=[["a"], ["a", "b"], []]), "multi-label-classification", "text_labels"),
        (rows(text=text, topic=["a;b", "b", "a|c", "c"]), "multi-label-classification", "text_labels"),
        (rows(text=text, tags=["a, b", "b", "a"]), "multi-label-classification", "text_labels"),
        (rows(text=text, labels=["['a', 'b']", "['b']"]), "multi-label-classification", "text_labels"),
        (
            rows(comment=text, toxic=[0, 1], insult=["1", "0", "0"], threat=[0, 0, 1]),
            "multi-label-classification",
            "label_columns",
        ),
        (rows(text=text, path=["clothes|shoes", "clothes|hats"]), "text-classification", "text_label"),
        (rows(text=text, label=["a", "b"], urgent=[0, 1], new=[1, 0]), "text-classification", "text_label"),
        (rows(text=text, score=lambda n: n / 8), "text-regression", "text_number"),
        (rows(review=text, 가격=lambda n: str(1000 + 7 * (n % 33) ** 2)), "text-regression", "text_number"),
        (rows(review=text, price=lambda n: 1000 + 7 * n), "text-regression", "text_number"),
        (rows(text=text, label=lambda n: 0.5 + n), "text-regression", "text_number"),
        (rows(text=text, mood=["good", "bad"], score=lambda n: n / 8), "text-classification", "text_label"),
        (rows(question=text, answer=answer, score=lambda n: n / 8), "chat", "input_output"),
        (rows(path=lambda n: f"clips/{n}.wav", sentence=text), "speech-recognition", "audio_text"),
        (rows(file=lambda n: f"{n}.flac", label=["dog", "cat"]), "audio-classification", "audio_label"),
        (
            rows(image=lambda n: f"{n}.png", objects=[[{"box": [0, 0, 2, 2], "label": "cat"}]]),
            "object-detection",
            "image_objects",
        ),
        (
            rows(image=lambda n: f"{n}.png", objects=[{"bbox": [[0, 0, 2, 2]], "category": [3]}]),
            "object-detection",
            "image_objects",
        ),
    ],
    ids=lambda value: "-".join(value.columns) if hasattr(value, "columns") else "",
)
def test_each_kind_is_recognised_by_what_its_columns_hold(table: Any, kind: str, shape: str) -> None:
    recognised = found(table)
    assert (recognised.task.name, recognised.shape.name) == (kind, shape)
    assert recognised.reason.en
    assert recognised.reason.ko


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "q", "chosen": "good", "rejected": "bad"},
        {"prompt": "q", "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [USER], "chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"chosen": "\n\nHuman: q\n\nAssistant: good", "rejected": "\n\nHuman: q\n\nAssistant: bad"},
        {"chosen": "q good", "rejected": "q bad"},
        {"input": {"messages": [USER]}, "preferred_output": [GOOD], "non_preferred_output": [BAD]},
    ],
)
def test_every_way_of_writing_a_preference_says_the_same(row: Json) -> None:
    assert read(row) == Pair({"messages": [USER]}, {"chosen": "good", "rejected": "bad"})


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"chosen": [USER, GOOD], "rejected": [{**USER, "content": "x"}, BAD]}, "different conversations"),
        ({"chosen": "yes", "rejected": "no"}, "no beginning in common"),
        ({"prompt": "other", "chosen": [USER, GOOD], "rejected": [USER, BAD]}, "do not answer"),
        ({"prompt": "q", "chosen": [USER], "rejected": [USER, BAD]}, "does not end with an assistant turn"),
    ],
)
def test_a_preference_that_is_none_says_why(row: Json, said: str) -> None:
    reason = read(row)
    assert isinstance(reason, Text)
    assert said in reason.en


def test_squad_s_answers_keep_their_places_and_further_ones() -> None:
    pair = read({"id": "7", "question": "when?", "context": CONTEXT, "answers": SQUAD})
    assert pair == Pair(
        {"question": "when?", "context": CONTEXT},
        {"text": "nine", "start": 11, "alternatives": [{"text": "at nine", "start": 8}]},
    )


def test_an_answer_that_stands_elsewhere_is_a_fault_of_its_row() -> None:
    recognised = found(rows(question=text, context=[CONTEXT], answers=[SQUAD]))
    row = {"question": "when?", "context": CONTEXT, "answers": {"text": ["nine"], "answer_start": [12]}}
    reason = recognised.shape.read(row, recognised.columns)
    assert isinstance(reason, Text)
    assert "character 12" in reason.en


def test_questions_with_a_context_are_read_as_chat_when_asked_for() -> None:
    pair = read({"question": "when?", "context": CONTEXT, "answers": SQUAD}, task="chat")
    assert pair == Pair({"messages": [{"role": "user", "content": f"{CONTEXT}\n\nwhen?"}]}, {"text": "nine"})


@pytest.mark.parametrize("cell", [["a", "b"], "a;b", "a | b", "a,b", '["a", "b"]', "['a', 'b']", "a;b;a;"])
def test_labels_are_the_same_however_they_are_joined(cell: Any) -> None:
    table = rows(text=text, labels=[["a"], ["b", "a"], ["b"]])
    recognised = found(table)
    assert recognised.shape.read({"text": "t", "labels": cell}, recognised.columns) == Pair(
        {"text": "t"}, {"labels": ["a", "b"]}
    )


def test_empty_cells_of_label_columns_say_no_and_other_words_are_a_fault() -> None:
    recognised = found(rows(comment=text, toxic=[0, 1], insult=[1, 0, 0], threat=[0, 0, 1]))
    row: Json = {"comment": "t", "toxic": 1, "insult": "", "threat": "0"}
    assert recognised.shape.read(row, recognised.columns) == Pair({"text": "t"}, {"labels": ["toxic"]})
    reason = recognised.shape.read({**row, "threat": "maybe"}, recognised.columns)
    assert isinstance(reason, Text)
    assert "'threat'" in reason.en


def test_stars_are_classes_unless_numbers_are_asked_for() -> None:
    table = rows(text=text, stars=[1, 2, 5])
    assert found(table).task.name == "text-classification"
    assert found(table, task="text-regression").columns.target == "stars"
    assert found(rows(text=text, label=["a", "b"]), task="multi-label-classification").columns.target == "label"


def test_a_column_of_parts_is_no_label_and_is_named() -> None:
    recognised = found(rows(text=text, label=["a", "b"], Split=["TRAIN", "Val", "test "]))
    assert (recognised.columns.target, recognised.columns.part) == ("label", "Split")
    assert "'Split' says which rows" in recognised.reason.en
    assert found(rows(text=text, label=["a", "b"], split=["train", "other"])).columns.part is None
