"""The example data kept in the project: whole, clean, small, and each with its source and licence."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

DATA = Path(__file__).parents[2] / "examples" / "data"


def test_the_intents_are_even_and_free_of_repetition() -> None:
    with (DATA / "korean_intents.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 2_000
    assert list(rows[0]) == ["text", "intent", "template"]
    assert all(row["template"].startswith(row["intent"]) for row in rows)
    assert all(row["text"].strip() == row["text"] != "" and row["intent"] for row in rows)
    assert len({row["text"] for row in rows}) == 2_000
    counts = Counter(row["intent"] for row in rows)
    assert len(counts) == 13
    assert min(counts.values()) >= 40
    assert not any(mark in row["text"] for row in rows for mark in "{}<>[]|")


@pytest.mark.parametrize(
    ("name", "fewest", "longest"), [("faq_ko", 100, 2), ("faq_en", 140, 2), ("chat_ko", 400, 30), ("chat_en", 700, 30)]
)
def test_conversations_alternate_and_end_with_an_answer(name: str, fewest: int, longest: int) -> None:
    lines = (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) >= fewest
    assert len(set(lines)) == len(lines)
    for line in lines:
        messages = json.loads(line)["messages"]
        assert 2 <= len(messages) <= longest
        assert [message["role"] for message in messages] == ["user", "assistant"] * (len(messages) // 2)
        assert all(message["content"].strip() == message["content"] != "" for message in messages)


def test_korean_conversations_are_in_korean() -> None:
    for name in ("faq_ko", "chat_ko"):
        text = (DATA / f"{name}.jsonl").read_text(encoding="utf-8")
        assert sum("가" <= letter <= "힣" for letter in text) > 10_000


def test_every_file_is_small_and_has_its_source_and_licence_beside_it() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    for file in DATA.iterdir():
        assert file.stat().st_size < 400_000
        if file.name != "README.md":
            assert f"`{file.name}`" in readme
