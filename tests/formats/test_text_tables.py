"""Text tables at their worst: endless lines and cells, zero bytes, formulas, documents that are too large to hold."""

from __future__ import annotations

import csv
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sonmat.core.errors import DataError
from sonmat.formats.csv import plugin as table
from sonmat.formats.json import plugin as document
from sonmat.formats.jsonl import plugin as lines
from sonmat.reading.formulas import guarded, unguarded
from tests.formats.made import as_records, fields_of, problems_of, refusal

LIMIT = 5_000


@pytest.fixture
def _short_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.encoding.LONGEST_LINE", LIMIT)
    monkeypatch.setattr("sonmat.reading.csv_text._LONGEST_FIELD", LIMIT)


@pytest.mark.usefixtures("_short_lines")
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_is_too_long_costs_only_its_row(end: str, tmp_path: Path) -> None:
    rows = ['{"text": "a"}', json.dumps({"text": "x" * 2 * LIMIT}), '{"text": "b"}']
    (tmp_path / "t.jsonl").write_bytes(end.join(rows).encode())
    found = problems_of(lines, tmp_path / "t.jsonl")
    assert list(found) == [2]
    assert "a line of more than 5,000 characters" in found[2]
    cells = ["text,label", "a,x", "y" * 2 * LIMIT + ",x", "b,x", f'"{"z" * (LIMIT + 50)}",x', "c,x"]
    (tmp_path / "t.csv").write_bytes(end.join(cells).encode())
    assert sorted(problems_of(table, tmp_path / "t.csv")) == [3, 5]
    kept = [record.fields["text"] for record in table.read(tmp_path / "t.csv") if record.problem is None]
    assert kept == ["a", "b", "c"]


def test_an_endless_line_is_not_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.encoding.LONGEST_LINE", LIMIT)
    with (tmp_path / "t.jsonl").open("w") as stream:
        stream.write('{"text": "a"}\n{"text": "')
        for _ in range(40):
            stream.write("x" * (1 << 20))
        stream.write('"}\n{"text": "b"}\n')
    tracemalloc.start()
    assert list(problems_of(lines, tmp_path / "t.jsonl")) == [2]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_large_document_is_not_held_in_memory(tmp_path: Path) -> None:
    row = json.dumps({"text": "x" * 1000, "label": "y"})
    with (tmp_path / "t.json").open("w") as stream:
        stream.write('{"about": {"rows": [1, 2]}, "data": [' + ", ".join([row] * 30_000) + "]}")
    tracemalloc.start()
    assert sum(1 for _ in document.read(tmp_path / "t.json")) == 30_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_value_of_a_document_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.json_stream._CHUNK_CHARACTERS", 100)
    (tmp_path / "t.json").write_text('[{"text": "a"},\n{"text": "' + "x" * 5000)
    assert "line 2, column 10: not valid JSON (Unterminated string" in refusal(document, tmp_path / "t.json").en


@settings(max_examples=60, deadline=None)
@given(chunk=st.integers(1, 40), values=st.lists(st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=9))))
def test_where_a_document_is_cut_into_pieces_changes_nothing(
    chunk: int, values: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.json"
    path.write_text(json.dumps({"n": 12345, "rows": [{"first": 1}, *values]}, ensure_ascii=False, indent=1), "utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sonmat.reading.json_stream._CHUNK_CHARACTERS", chunk)
        found = list(document.read(path))
    assert [record.fields for record in found] == [{"first": 1}, *values]
    written = path.read_text("utf-8").split("\n")
    assert all(written[record.source.row - 1].strip().startswith("{") for record in found)


@pytest.mark.parametrize(
    "content", ["[1,]", '{"a": [{"x": 1},]}', '{"a" [{}]}', "[{} {}]", '{"a": [{}]', "{1: [{}]}", "[{}] x"]
)
def test_what_is_no_json_is_refused_with_its_place(content: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(content)
    with pytest.raises(ValueError):
        json.loads(content)
    said = refusal(document, tmp_path / "t.json")
    assert "line 1, column" in said.en
    assert "1행" in said.ko


def test_zero_bytes_cost_only_their_rows(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("문장,라벨\n안녕,인사\n깨\0진 글,인사\n잘 가,작별\n".encode())
    assert problems_of(table, tmp_path / "t.csv").keys() == {3}
    assert [r.fields["라벨"] for r in table.read(tmp_path / "t.csv") if r.problem is None] == ["인사", "작별"]
    (tmp_path / "t.jsonl").write_bytes(b'{"text": "a"}\n{"text": "b\0"}\n\0\0\0\0')
    assert problems_of(lines, tmp_path / "t.jsonl").keys() == {2, 3}
    (tmp_path / "preallocated.csv").write_bytes(b"text,label\na,x\n" + bytes(4000))
    with pytest.raises(DataError, match="zero bytes"):
        list(table.read(tmp_path / "preallocated.csv"))


FORMULAS = ("=1+1", '=cmd|" /C calc"!A0', "+1+cmd", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''@x", "- 항목", "'-")
HARMLESS = ("-5", "+3.5", "-1,200.50", "-3%", "'quoted'", "a=1", "", "'", "1-1", "'tis")


def test_no_cell_of_a_written_table_is_run_by_a_spreadsheet(tmp_path: Path) -> None:
    rows = [{"=text": text, "label": "x"} for text in (*FORMULAS, *HARMLESS)]
    for name in ("t.csv", "t.tsv"):
        path = tmp_path / name
        table.write(as_records(rows), path)
        with path.open(newline="") as stream:
            cells = [cell for row in csv.reader(stream, delimiter="\t" if name == "t.tsv" else ",") for cell in row]
        running = [cell for cell in cells if cell[:1] in tuple("=+-@\t\r") and cell not in HARMLESS]
        assert running == []
        assert fields_of(table, path) == rows


@given(text=st.text(st.sampled_from("'=+-@\t\r15.,%eax"), max_size=8))
def test_guards_come_off_exactly(text: str) -> None:
    assert unguarded(guarded(text)) == text
    assert guarded(text) in (text, f"'{text}")
