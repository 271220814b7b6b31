"""Conversion: every shape into every other that can hold it, nothing lost without a word, the original untouched."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.converting import Conversion, convert
from sonmat.core.errors import DataError, SettingError
from sonmat.core.recipe import Recipe
from sonmat.core.values import Json
from sonmat.steps.load import find_format
from tests.data.made import Told, pictures, table

SYSTEM: Json = {"role": "system", "content": "be brief"}
USER: Json = {"role": "user", "content": "언제 열어요?"}
ANSWER: Json = {"role": "assistant", "content": "아홉 시에 엽니다"}
EARLIER: list[Json] = [{"role": "user", "content": "hello"}, {"role": "assistant", "content": "good day", "weight": 0}]


def made(
    data: Path,
    out: Path,
    to: str | None = None,
    *,
    keep: Sequence[str] = (),
    lossy: bool = False,
    force: bool = False,
    **wishes: Any,
) -> Conversion:
    return convert(Recipe(data=(str(data),), **wishes), out, to, keep, lossy, force, Told())


def write(path: Path, rows: Sequence[Json]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def fields(path: Path) -> list[Json]:
    return [record.fields for record in find_format(path).read(path)]


def pairs(path: Path, shape: str) -> list[Any]:
    """What the rows of a file say, read as load would."""
    from sonmat.steps.load import look

    looked = look(Recipe(data=(str(path),)), Told())[0]
    assert looked.recognised.shape.name == shape
    return [looked.reader.read(record) for record in looked.format.read(path)]


def test_labels_become_chat_and_come_back_through_every_kind_of_file(tmp_path: Path) -> None:
    original = tmp_path / "문의.csv"
    original.write_text(table(12), encoding="utf-8")
    before = original.read_bytes()
    found = made(original, tmp_path / "chat.jsonl", "messages")
    assert (found.task, found.new_task, found.rows_in, found.rows_out, found.losses) == (
        "text-classification",
        "chat",
        12,
        12,
        (),
    )
    first = fields(tmp_path / "chat.jsonl")[0]["messages"]
    assert first == [{"role": "user", "content": "0번째 문의입니다"}, {"role": "assistant", "content": "배송"}]
    assert original.read_bytes() == before


@pytest.mark.parametrize("suffix", [".jsonl", ".json", ".csv", ".tsv", ".parquet", ".xlsx", ".sqlite", ".arrow", ".csv.gz"])
def test_whole_conversations_come_back_from_every_format(suffix: str, tmp_path: Path) -> None:
    call: Json = {"type": "function", "function": {"name": "hours", "arguments": '{"day": "월"}'}}
    talks: list[Json] = [
        {"messages": [SYSTEM, *EARLIER, USER, ANSWER]},
        {"messages": [USER, ANSWER]},
        {
            "messages": [
                USER,
                {"role": "assistant", "content": "", "tool_calls": [call]},
                {"role": "tool", "content": "9"},
                ANSWER,
            ],
            "tools": [
                {"type": "function", "function": {"name": "hours", "parameters": {"properties": {"day": {"enum": ["월"]}}}}}
            ],
        },
    ]
    original = write(tmp_path / "talk.jsonl", talks)
    made(original, tmp_path / f"talk{suffix}", force=True) if suffix != ".jsonl" else None
    back = tmp_path / "back.jsonl"
    made(tmp_path / f"talk{suffix}", back)
    assert fields(back) == talks


SHAPES: dict[str, list[Json]] = {
    "preference_trl": [
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [{**ANSWER, "content": f"no {n}"}]} for n in range(4)
    ],
    "text_labels": [{"text": f"글 {n}", "labels": ["a", "b"][: 1 + n % 2]} for n in range(6)],
    "text_number": [{"text": f"글 {n}", "score": n + 0.5} for n in range(6)],
    "question_context": [
        {"question": f"q {n}?", "context": f"it is {n}.", "answers": {"text": [str(n)], "answer_start": [6]}}
        for n in range(4)
    ],
}


@pytest.mark.parametrize("suffix", [".jsonl", ".csv", ".parquet"])
@pytest.mark.parametrize("name", SHAPES)
def test_other_kinds_come_back_too(name: str, suffix: str, tmp_path: Path) -> None:
    original = write(tmp_path / "rows.jsonl", SHAPES[name])
    made(original, tmp_path / f"other{suffix}")
    made(tmp_path / f"other{suffix}", tmp_path / "back.jsonl")
    assert pairs(tmp_path / "back.jsonl", name) is not None
    assert [pair for pair, _ in pairs(tmp_path / "back.jsonl", name)] == [pair for pair, _ in pairs(original, name)]


@pytest.mark.parametrize(
    ("name", "answer", "lost"),
    [
        ("preference_trl", "아홉 시에 엽니다", ["the answer that was not preferred"]),
        ("text_labels", "a", []),
        ("text_number", "0.5", []),
        ("question_context", "0", ["where the answer stands in the context"]),
    ],
)
def test_every_kind_of_text_becomes_chat(name: str, answer: str, lost: list[str], tmp_path: Path) -> None:
    found = made(write(tmp_path / "rows.jsonl", SHAPES[name]), tmp_path / "chat.jsonl", "messages")
    assert fields(tmp_path / "chat.jsonl")[0]["messages"][-1] == {"role": "assistant", "content": answer}
    assert [loss.what.en for loss in found.losses] == lost


def test_what_the_new_shape_cannot_hold_stops_before_anything_is_written(tmp_path: Path) -> None:
    talks: list[Json] = [
        {"messages": [*EARLIER, USER, ANSWER]},
        {"messages": [SYSTEM, USER, ANSWER]},
        {"messages": [USER, ANSWER]},
    ]
    original, out = write(tmp_path / "talk.jsonl", talks), tmp_path / "out.jsonl"
    with pytest.raises(DataError) as caught:
        made(original, out, "context_chat")
    said = caught.value.what
    assert "1 row (row 1) left out: Rows of a question, a context and a free answer cannot hold a conversation" in said.en
    assert "1 row (row 2) without the system message" in said.en
    assert "1행(1행) 빠짐" in said.ko
    assert caught.value.fix is not None
    assert "--lossy" in caught.value.fix.en
    assert not out.exists()
    found = made(original, out, "context_chat", lossy=True)
    assert (found.rows_in, found.rows_out) == (3, 2)
    assert [row["question"] for row in fields(out)] == [USER["content"]] * 2
    assert [(loss.rows, loss.kept_out) for loss in found.losses] == [(1, True), (1, False)]


def test_weights_are_said_to_be_lost(tmp_path: Path) -> None:
    original = write(tmp_path / "talk.jsonl", [{"messages": [*EARLIER, USER, ANSWER]}] * 3)
    found = made(original, tmp_path / "out.jsonl", "alpaca", lossy=True)
    assert [(loss.rows, loss.what.en) for loss in found.losses] == [(3, "weights of turns")]
    assert fields(tmp_path / "out.jsonl")[0]["history"] == [["hello", "good day"]]


def test_columns_without_a_place_are_listed_and_kept_when_told(tmp_path: Path) -> None:
    rows = [{"text": f"글 {n}", "label": "ab"[n % 2], "region": "서울", "empty": None} for n in range(4)]
    original = write(tmp_path / "rows.jsonl", rows)
    found = made(original, tmp_path / "a.jsonl", "messages")
    assert [loss.what.en for loss in found.losses] == ["the column 'region' (--keep region writes it too)"]
    made(original, tmp_path / "b.jsonl", "messages", keep=["region"])
    assert fields(tmp_path / "b.jsonl")[0]["region"] == "서울"
    with pytest.raises(SettingError, match="region"):
        made(original, tmp_path / "c.jsonl", "messages", keep=["regoin"])
    with pytest.raises(SettingError, match=r"cannot be kept|남길 수 없"):
        made(original, tmp_path / "c.jsonl", "messages", keep=["messages"], map={"messages": "region"})


def test_rows_that_cannot_be_read_count_as_lost(tmp_path: Path) -> None:
    original = write(tmp_path / "rows.jsonl", SHAPES["text_labels"])
    original.write_text(original.read_text(encoding="utf-8") + "{broken\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"row 7|7행"):
        made(original, tmp_path / "out.jsonl", "label_columns")
    assert made(original, tmp_path / "out.jsonl", "label_columns", lossy=True).rows_out == 6
    assert fields(tmp_path / "out.jsonl")[1] == {"text": "글 1", "a": 1, "b": 1}


def test_the_original_and_what_is_there_are_safe(tmp_path: Path) -> None:
    original = write(tmp_path / "rows.jsonl", SHAPES["text_number"])
    with pytest.raises(SettingError, match=r"original|원본"):
        made(original, original, force=True)
    (tmp_path / "out.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError, match=r"already|이미"):
        made(original, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "mine"
    assert made(original, tmp_path / "out.csv", force=True).format == "csv"


@pytest.mark.parametrize(
    ("name", "to", "said"),
    [
        ("out.jsonl", "audio_text", "They can become: "),
        ("out.jsonl", "mesages", "messages"),
        ("out.foo", None, "End the name in"),
    ],
)
def test_what_cannot_be_asked_says_what_can(name: str, to: str | None, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        made(write(tmp_path / "rows.jsonl", SHAPES["text_number"]), tmp_path / name, to)
    assert caught.value.fix is not None
    assert said in caught.value.fix.en


def test_names_and_templates_are_heeded(tmp_path: Path) -> None:
    rows = [{"who": f"손님 {n}", "what": "생일", "text": f"축하합니다 {n}"} for n in range(4)]
    original = write(tmp_path / "rows.jsonl", rows)
    made(original, tmp_path / "out.jsonl", "alpaca", template="{target}: {what}", map={"target": "who"})
    assert fields(tmp_path / "out.jsonl")[0] == {"instruction": "손님 0: 생일", "input": "", "output": "축하합니다 0"}
    made(original, tmp_path / "same.jsonl", template="{who}: {what}")
    assert fields(tmp_path / "same.jsonl")[0] == {"input": "손님 0: 생일", "output": "축하합니다 0"}


def test_pictures_are_listed_by_where_they_lie_from_the_new_file(tmp_path: Path) -> None:
    folder = pictures(tmp_path, rows=4)
    (tmp_path / "lists").mkdir()
    made(folder, tmp_path / "lists" / "all.csv")
    listed = fields(tmp_path / "lists" / "all.csv")
    assert sorted(row["image"] for row in listed)[0] == "../photos/cat/0.png"
    made(tmp_path / "lists" / "all.csv", tmp_path / "copied")
    assert sorted(path.parent.name for path in (tmp_path / "copied").rglob("*.png")) == ["cat", "cat", "dog", "dog"]


def test_every_shape_is_named_in_the_help() -> None:
    from sonmat.cli.convert import _SHAPES

    assert set(_SHAPES.split(", ")) == {shape.name for shape in plugins.every("shapes")}


def test_a_row_that_would_be_read_back_as_something_else_is_left_out(tmp_path: Path) -> None:
    rows = [{"text": f"글 {n}", "labels": ["text"] if n == 3 else ["a", "b"][: 1 + n % 2]} for n in range(6)]
    with pytest.raises(DataError) as caught:
        made(write(tmp_path / "rows.jsonl", rows), tmp_path / "out.csv", "label_columns")
    assert "1 row (row 4) left out: as a text and a column of 0 and 1 a label it would be read back" in caught.value.what.en
