"""Containers as people have them: odd delimiters, broken rows, nested folders. Rows say where they stand."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sonmat.core.errors import DataError
from sonmat.core.protocols import Format
from sonmat.core.values import Json, Record, Source
from sonmat.formats.csv import plugin as table
from sonmat.formats.image_folder import plugin as images
from sonmat.formats.json import plugin as document
from sonmat.formats.jsonl import plugin as lines
from sonmat.reading.formulas import unguarded

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(CELL, inner, max_size=3),
    max_leaves=6,
)


def rows_of(format: Format, path: Path, content: str | bytes) -> list[Record]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(format.read(path))


def fields_of(records: list[Record]) -> list[Json]:
    return [record.fields for record in records]


@pytest.mark.parametrize(("delimiter", "said"), [(",", "commas"), ("\t", "tabs"), (";", "semicolons"), ("|", "'|'")])
def test_the_delimiter_is_found_out_and_said(delimiter: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    content = f"text{delimiter}label\n" + "".join(f"well, {n}. yes{delimiter}good\n" for n in range(5)).replace(
        "well, ", "well, " if delimiter != "," else "well "
    )
    assert {record.fields["label"] for record in rows_of(table, path, content)} == {"good"}
    assert said in table.describe(path).en


def test_quoted_delimiters_and_line_breaks_are_read_and_rows_keep_the_line_they_begin_in(tmp_path: Path) -> None:
    content = 'text,label\n"one, two\nthree",a\n"say ""hi""",b\n\nlast,c\n'
    records = rows_of(table, tmp_path / "t.csv", content)
    assert [(r.source.row, r.fields["text"]) for r in records] == [(2, "one, two\nthree"), (4, 'say "hi"'), (6, "last")]


def test_a_ragged_row_is_reported_with_its_number_and_costs_no_other_row(tmp_path: Path) -> None:
    records = rows_of(table, tmp_path / "t.csv", "text,label\na,x\nb,y,z\nc\nd,x\n")
    assert [record.source.row for record in records if record.problem] == [3, 4]
    problem = records[1].problem
    assert problem is not None
    assert "has 3 fields where the table has 2 columns" in problem.en
    assert "칸이 3개인데 표의 열은 2개" in problem.ko
    assert [record.fields["text"] for record in records if not record.problem] == ["a", "d"]


@pytest.mark.parametrize("closing", ['"quoted, too",x\n', "", '"a ""b"" c",x\n'])
def test_an_unclosed_quote_costs_only_its_own_row(closing: str, tmp_path: Path) -> None:
    good = "".join(f"row {number},x\n" for number in range(20))
    records = rows_of(table, tmp_path / "t.csv", f'text,label\nfirst,x\n"never closed,x\n{good}{closing}')
    bad = [record for record in records if record.problem]
    assert [record.source.row for record in bad] == [3]
    assert bad[0].problem is not None
    assert "never closed" in bad[0].problem.en
    assert "따옴표" in bad[0].problem.ko
    assert len(records) == 22 + bool(closing)


def test_single_quotes_and_backslash_escapes_are_found_out(tmp_path: Path) -> None:
    single = rows_of(table, tmp_path / "s.csv", "text,label\n'a, b',x\n'c',y\n'd',y\n")
    assert fields_of(single)[0] == {"text": "a, b", "label": "x"}
    escaped = rows_of(table, tmp_path / "b.csv", 'text,label\n"she said \\"no, no\\"",x\n"b",y\n"c",y\n')
    assert fields_of(escaped)[0] == {"text": 'she said "no, no"', "label": "x"}


def test_a_table_without_header_keeps_its_first_row_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    records = rows_of(table, path, "good film,pos\nbad film,neg\nfine film,pos\n")
    assert fields_of(records)[0] == {"column_1": "good film", "column_2": "pos"}
    assert records[0].source.row == 1
    assert "no header line" in table.describe(path).en
    assert "머리글 없음" in table.describe(path).ko


def test_a_header_is_a_header_although_a_label_has_the_same_name(tmp_path: Path) -> None:
    records = rows_of(table, tmp_path / "t.csv", "text,label\nwhich one,label\nwhat,other\n")
    assert len(records) == 2


def test_the_column_numbers_of_pandas_are_a_header(tmp_path: Path) -> None:
    records = rows_of(table, tmp_path / "t.csv", ",0,1\n0,good film,pos\n1,bad film,neg\n2,fine,pos\n")
    assert fields_of(records)[0] == {"column_1": "0", "0": "good film", "1": "pos"}


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"several columns named 'text'|이름이 'text'인 열이 여럿"):
        rows_of(table, tmp_path / "t.csv", "text,text,label\na,b,c\nd,e,f\n")


def test_a_row_with_damaged_bytes_is_reported_with_its_number(tmp_path: Path) -> None:
    content = "문장,라벨\n안녕하세요,인사\n".encode() + b"\xff\xfe broken,x\n" + "잘 가요,작별\n".encode()
    records = rows_of(table, tmp_path / "t.csv", content)
    assert [record.source.row for record in records if record.problem] == [3]


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8))
def test_any_table_that_python_writes_is_read_back(
    rows: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("any") / "t.csv"
    stream = io.StringIO()
    csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("text", "label"), *rows])
    expected = [(unguarded(text), unguarded(label)) for text, label in rows]
    assert [(f["text"], f["label"]) for f in fields_of(rows_of(table, path, stream.getvalue()))] == expected


@settings(max_examples=80, deadline=None)
@given(rows=st.lists(st.dictionaries(CELL, VALUE, min_size=1, max_size=4), min_size=1, max_size=6))
def test_any_json_rows_round_trip(rows: list[Json], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("any")
    records = [Record(source=Source(file="made", row=number), fields=row) for number, row in enumerate(rows)]
    formats: tuple[Format, ...] = (lines, document)
    for format in formats:
        path = folder / f"rows{format.suffixes[0]}"
        format.write(records, path)
        assert fields_of(list(format.read(path))) == rows


def test_broken_json_lines_are_reported_with_their_numbers(tmp_path: Path) -> None:
    content = '{"text": "a"}\n\n{"text": \n[1, 2]\n{"text": NaN}\n{"text": "\\ud800"}\n{"text": "b"}\n'
    records = rows_of(lines, tmp_path / "t.jsonl", content)
    assert [record.source.row for record in records if record.problem] == [3, 4, 5, 6]
    said = [record.problem.en for record in records if record.problem]
    assert "is not valid JSON" in said[0]
    assert "holds a list" in said[1]
    assert "NaN" in said[2]
    assert "half of a character" in said[3]
    assert [record.fields["text"] for record in records if not record.problem] == ["a", "b"]


def test_a_json_document_numbers_rows_by_their_lines(tmp_path: Path) -> None:
    content = '{"version": {"a": [1]},\n "data": [\n  {"text": "a"},\n  7,\n  {"text":\n   "b"}\n]}\n'
    records = rows_of(document, tmp_path / "t.json", content)
    assert [record.source.row for record in records] == [3, 4, 5]
    assert records[1].problem is not None
    assert [record.fields for record in records if not record.problem] == [{"text": "a"}, {"text": "b"}]


def test_broken_json_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        rows_of(document, tmp_path / "t.json", '[\n {"text": "a"},\n {"text" "b"}\n]\n')
    assert "line 3, column 10" in caught.value.what.en
    assert "3행 10번째 글자" in caught.value.what.ko


@pytest.mark.parametrize(
    "content", ['{"text": {"0": "a"}}', '"words"', "{}", '{"a": [{"x": 1}], "b": [{"x": 1}]}', "[[1]]x"]
)
def test_json_without_rows_says_what_is_expected(content: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        rows_of(document, tmp_path / "t.json", content)
    assert caught.value.fix is not None


@pytest.mark.parametrize(
    ("name", "content", "reader"),
    [
        ("a.json", '{"text": "a"}\n{"text": "b"}\n', lines),
        ("b.json", '[{"text": "a"}]', document),
        ("c.json", '{\n"data": [{"text": "a"}]}', document),
        ("d.json", '{"data": [{"text": "a"}]}', document),
        ("e.jsonl", '[\n{"text": "a"}]', document),
        ("f.jsonl", '{"text": "a"}', lines),
        ("g.jsonl", '{"text": broken}\n{"text": "b"}\n', lines),
        ("h.json", '{"data": [\n{"text": "a"}\n]}', document),
    ],
)
def test_lines_and_documents_are_told_apart_by_content(name: str, content: str, reader: Format, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    formats: tuple[Format, ...] = (lines, document)
    assert [format.name for format in formats if format.matches(path)] == [reader.name]


def test_rows_of_a_document_on_one_line_have_places_of_their_own(tmp_path: Path) -> None:
    records = rows_of(document, tmp_path / "t.json", json.dumps([{"text": "a"}, {"text": "b"}, 3]))
    assert [record.source.row for record in records] == [1, 2, 3]


def test_everything_in_a_folder_of_pictures_is_accounted_for(tmp_path: Path) -> None:
    for name in ("cat/1.png", "cat/2.JPG", "dog/1.webp", "dog/deeper/1.png", "loose.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (3, 3)).save(path)
    for name in ("cat/notes.txt", "cat/.hidden.png", "cat/Thumbs.db", "README.md"):
        (tmp_path / name).write_text("x")
    records = list(images.read(tmp_path))
    assert [(r.source.file, r.fields["label"]) for r in records if not r.problem] == [
        ("cat/1.png", "cat"),
        ("cat/2.JPG", "cat"),
        ("dog/1.webp", "dog"),
    ]
    problems = {record.source.file: record.problem for record in records if record.problem}
    assert set(problems) == {"cat/notes.txt", "dog/deeper/1.png", "loose.png"}
    assert "deeper" in problems["dog/deeper/1.png"].en
    assert "깊은 곳" in problems["dog/deeper/1.png"].ko
    assert "no class folder" in problems["loose.png"].en


def test_pictures_in_folders_of_class_folders_name_the_folder_to_give(tmp_path: Path) -> None:
    path = tmp_path / "photos" / "cat" / "1.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", (3, 3)).save(path)
    with pytest.raises(DataError) as caught:
        list(images.read(tmp_path))
    assert str(tmp_path / "photos") in caught.value.what.en
    assert str(tmp_path / "photos") in caught.value.what.ko
