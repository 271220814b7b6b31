"""Millions of ids and places in little memory, and ledger lines that are written without a typed value."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from sonmat.core.values import Example, LedgerLine, Source
from sonmat.reading.collecting import collecting_rarely
from sonmat.reading.compact import CompactSources, CompactStrings
from sonmat.reading.rows import ExampleRows, texts_of
from sonmat.reading.sameness import same_hash
from sonmat.runs.files import read_rows, write_rows
from sonmat.steps.audit.book import kept_line


def test_strings_come_back_by_their_position_however_they_were_added() -> None:
    strings = CompactStrings(["a", "", "한글"])
    strings.append("d")
    strings.extend([])
    strings.extend(iter(["e", "f"]))
    assert list(strings) == ["a", "", "한글", "d", "e", "f"]
    assert strings[-1] == "f"
    assert strings[1:3] == ["", "한글"]
    assert list(CompactStrings()) == []


def test_sources_come_back_in_order() -> None:
    given = [Source(file=file, row=row) for file, row in (("a.csv", 2), ("a.csv", 3), ("나.csv", 2), ("a.csv", 9))]
    sources = CompactSources()
    for source in given:
        sources.append(source)
    assert list(sources) == given
    assert len(sources) == 4
    assert list(CompactSources()) == []


def test_the_line_of_a_kept_row_is_what_the_typed_value_would_write(tmp_path: Path) -> None:
    for id, file in (("0a", 'quo"te\\.csv'), ("한", "폴더/그림 1.png\n")):
        source = Source(file=file, row=7)
        line = LedgerLine(id=id, source=source, action="kept", position=12)
        assert kept_line(id, source, 12) == json.dumps(line.model_dump(mode="json"), ensure_ascii=False)
        write_rows(tmp_path / "typed.jsonl", LedgerLine, [line])
        write_rows(tmp_path / "straight.jsonl", LedgerLine, [kept_line(id, source, 12)])
        assert (tmp_path / "typed.jsonl").read_bytes() == (tmp_path / "straight.jsonl").read_bytes()
        assert list(read_rows(tmp_path / "straight.jsonl", LedgerLine)) == [line]


def test_a_text_of_rows_is_every_text_of_the_value() -> None:
    inputs = [
        {"text": "a"},
        {"image": "x.png"},
        {"image": "x.png", "question": "b"},
        {"messages": [{"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]},
        {"number": 3},
    ]
    source = Source(file="f", row=1)
    rows = ExampleRows([Example(id="i", input=input, target={}, source=source) for input in inputs])
    assert list(rows.inputs) == ["\n".join(texts_of(input)) for input in inputs] == ["a", "", "b", "c\nd", ""]


def test_keys_are_equal_exactly_for_values_that_say_the_same() -> None:
    apart = [
        {"text": "a"},
        {"text": "A"},
        {"label": "a"},
        {"text": "a", "more": ""},
        {"text": ["a"]},
        {"text": 1},
        {"text": "1"},
        {"te": "xta"},
        {"text a": ""},
        {"": "texta"},
        "a",
        ["a"],
        'json {"text": "a"}',
    ]
    assert len({same_hash(value) for value in apart}) == len(apart)
    for one, other in (
        ({"text": "Ａ  b\u200b\n"}, {"text": "A b"}),
        ({"text": "한"}, {"text": "\u1112\u1161\u11ab"}),
        ({"text": "\u3000a\u00adb\u00a0"}, {"text": "ab"}),
        ({"a": "x ", "b": " y"}, {"b": "y", "a": "x"}),
    ):
        assert same_hash(one) == same_hash(other)
    assert 0 <= same_hash({"text": "a"}) < 2**64


def test_the_garbage_collector_is_left_as_it_was() -> None:
    before = gc.get_threshold()
    with collecting_rarely():
        assert gc.isenabled()
        assert gc.get_threshold()[0] >= 100_000
    assert gc.get_threshold() == before
    with pytest.raises(ValueError), collecting_rarely():
        raise ValueError
    assert gc.get_threshold() == before
