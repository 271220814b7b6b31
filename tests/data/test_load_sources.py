"""Several files, manifests, renamed columns, templates, parts and times: what load makes of them, and what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import DataError, SettingError, SonmatError
from sonmat.core.recipe import Recipe
from sonmat.core.values import Example
from sonmat.runs.folder import RunFolder
from sonmat.steps.load import data_fingerprint
from tests.data.made import Job, job, pictures, table

COPY = "audience,occasion,copy\n30대,생일,생일을 축하드려요\n학생,졸업,졸업을 축하해요\n부모님,어버이날,늘 감사드려요\n"
TEMPLATE = "{audience} 고객에게 보내는 {occasion} 문구를 써 줘"


def write(path: Path, content: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return str(path)


def of(tmp_path: Path, *data: str, **wishes: Any) -> Job:
    return Job(Recipe(data=data, **wishes), RunFolder(tmp_path / "run"))


def examples(made: Job) -> list[Example]:
    made.load()
    return list(made.folder.examples())


def said(error: SonmatError) -> str:
    assert error.what.ko
    return f"{error.what.en} {error.fix.en if error.fix else ''}"


def chat_line(number: int) -> str:
    turns = [{"role": "user", "content": f"q {number}"}, {"role": "assistant", "content": f"a {number}"}]
    return json.dumps({"messages": turns}) + "\n"


def test_files_of_different_formats_and_shapes_of_one_kind_are_read_together(tmp_path: Path) -> None:
    one = write(tmp_path / "one.jsonl", "".join(map(chat_line, range(4))))
    two = write(tmp_path / "two.csv", "질문,답변\n언제 열어요?,아홉 시에 엽니다\n언제 닫아요?,여섯 시에 닫습니다\n")
    made = of(tmp_path, one, two)
    source = made.load()
    assert (source.task, source.shape, source.format) == ("chat", "messages, input_output", "jsonl, csv")
    assert (source.rows_in, source.problems) == (6, 0)
    assert [example.source.file for example in made.folder.examples()] == ["one.jsonl"] * 4 + ["two.csv"] * 2
    assert "one.jsonl" in source.reason.en
    assert "two.csv" in source.reason.ko


def test_files_of_one_name_are_told_apart_and_bad_rows_are_counted_over_all(tmp_path: Path) -> None:
    one = write(tmp_path / "a" / "t.csv", table(4))
    two = write(tmp_path / "b" / "t.csv", "문장,의도\n또 다른 문의입니다,배송\n,환불\n")
    made = of(tmp_path, one, two, bad_rows="drop")
    made.load()
    assert {example.source.file for example in made.folder.examples()} == {"a/t.csv", "b/t.csv"}
    bad = next(made.folder.unusable())
    assert (bad.source.file, bad.source.row, bad.position) == ("b/t.csv", 3, 5)
    with pytest.raises(DataError) as caught:
        of(tmp_path, one, two).load()
    assert "b/t.csv row 3 has an empty text" in said(caught.value)


def test_pictures_of_two_folders_are_told_apart(tmp_path: Path) -> None:
    folders = [str(pictures(tmp_path / name, rows=4)) for name in ("north", "south")]
    found = examples(of(tmp_path, *folders))
    assert found[0].source.file == "north/photos/cat/0.png"
    assert len({example.source.file for example in found}) == 8


def test_sources_of_different_kinds_are_refused_with_what_each_is(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.jsonl", "".join(map(chat_line, range(4)))), write(tmp_path / "two.csv", table(9))
    with pytest.raises(DataError) as caught:
        of(tmp_path, one, two).load()
    assert "one.jsonl: chat" in said(caught.value)
    assert "two.csv: text classification" in said(caught.value)


def test_one_missing_file_of_several_is_named(tmp_path: Path) -> None:
    one = write(tmp_path / "one.csv", table(9))
    with pytest.raises(DataError) as caught:
        of(tmp_path, one, str(tmp_path / "onne.csv")).load()
    assert "onne.csv" in said(caught.value)
    with pytest.raises(DataError, match=r"twice|두 번"):
        of(tmp_path, one, str(tmp_path / "." / "one.csv")).load()


def test_a_manifest_gives_weights_parts_and_names(tmp_path: Path) -> None:
    write(tmp_path / "data" / "one.csv", table(6))
    write(tmp_path / "data" / "two.csv", "본문,분류\n다른 글입니다,배송\n또 다른 글입니다,환불\n")
    listed = write(
        tmp_path / "all.yaml",
        "sources:\n  - path: data/one.csv\n    weight: 2.5\n"
        "  - path: data/two.csv\n    part: test\n    map: {문장: 본문, 의도: 분류}\n",
    )
    made = of(tmp_path, listed)
    found = examples(made)
    assert [(example.weight, example.part) for example in found] == [(2.5, None)] * 6 + [(1.0, "test")] * 2
    assert found[-1].input == {"text": "또 다른 글입니다"}
    before = data_fingerprint([listed])
    write(tmp_path / "data" / "two.csv", "본문,분류\n다른 글입니다,배송\n")
    assert data_fingerprint([listed]) != before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("sources: [{path: a.csv, wieght: 2}]", "did you mean 'weight'?"),
        ("sources: [{weight: 2}]", "'sources.1.path' is missing"),
        ("sources: []", "at least 1 item"),
        ("sources: [{path: a.csv, weight: 0}]", "greater than 0"),
        ("a: [", "no valid YAML"),
        ("sources: [{path: b.yaml}]", "a manifest cannot list a manifest"),
        ("sources: [{path: gone.csv}]", "no file or folder"),
    ],
)
def test_a_manifest_that_cannot_be_used_says_why(content: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(SonmatError) as caught:
        of(tmp_path, write(tmp_path / "m.yaml", content)).load()
    assert expected in said(caught.value)


def test_columns_are_read_under_other_names(tmp_path: Path) -> None:
    content = "a,b\n" + "".join(f"question {n},a longer answer {n}\n" for n in range(6))
    made = job(tmp_path, "t.csv", content, map={"instruction": "a", "output": "b"})
    assert made.load().shape == "alpaca"
    swapped = job(tmp_path, "s.csv", table(9, header="label,text"), map={"text": "label", "label": "text"})
    assert examples(swapped)[0].target == {"label": "배송"}


@pytest.mark.parametrize(
    ("wishes", "expected"),
    [
        ({"map": {"text": "문쟝"}}, "Did you mean '문장'"),
        ({"map": {"문장": "의도"}}, "the data has a column '문장' already"),
        ({"template": "{문쟝}?"}, "Did you mean '문장'"),
        ({"template": "{문장"}, "a brace without its partner"),
        ({"template": "{}"}, "a brace without its partner, or nothing in braces"),
        ({"template": "no column"}, "names no column"),
        ({"template": "{문장}", "input": "문장"}, "named as input too"),
        ({"part": "prat"}, "no column named 'prat'"),
        ({"time": "when"}, "no column named 'when'"),
    ],
)
def test_a_wish_that_cannot_be_met_names_the_nearest(wishes: dict[str, Any], expected: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError) as caught:
        job(tmp_path, "t.csv", table(9), **wishes).load()
    assert expected in said(caught.value)


def test_a_template_makes_chat_of_a_table(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", COPY, template=TEMPLATE)
    found = examples(made)
    assert found[0].input == {"messages": [{"role": "user", "content": "30대 고객에게 보내는 생일 문구를 써 줘"}]}
    assert found[0].target == {"text": "생일을 축하드려요"}
    source = made.folder.source()
    assert (source.task, source.columns.template, source.columns.target) == ("chat", TEMPLATE, "copy")
    assert "the template makes the input of 'audience', 'occasion', and 'copy' answers it" in source.reason.en


def test_braces_that_are_doubled_stand_for_themselves(tmp_path: Path) -> None:
    found = examples(job(tmp_path, "t.csv", COPY, template="{{{audience}}} {{}}"))
    assert found[0].input["messages"][0]["content"] == "{30대} {}"


def test_a_template_s_answer_is_named_where_it_is_not_clear(tmp_path: Path) -> None:
    content = COPY.replace("copy", "second").replace("audience,", "audience,first,").replace("대,생", "대,가나,생")
    content = content.replace("학생,졸업", "학생,다라,졸업").replace("부모님,어", "부모님,마바,어")
    with pytest.raises(SettingError) as caught:
        job(tmp_path, "t.csv", content, template=TEMPLATE).load()
    assert "There are 'first', 'second'" in said(caught.value)
    found = examples(job(tmp_path, "t.csv", content, template=TEMPLATE, target="first"))
    assert found[0].target == {"text": "가나"}


def test_a_row_that_the_template_lacks_a_value_of_is_a_bad_row(tmp_path: Path) -> None:
    made = job(tmp_path, "t.csv", COPY + " ,생일,축하\n", template=TEMPLATE)
    with pytest.raises(DataError) as caught:
        made.load()
    assert "row 5 has nothing in 'audience', which the template needs" in said(caught.value)


def test_a_template_makes_the_text_of_another_task_when_asked(tmp_path: Path) -> None:
    content = "title,body,label\n" + "".join(f"t{n},words of {n},{'ab'[n % 2]}\n" for n in range(8))
    found = examples(job(tmp_path, "t.csv", content, template="{title}: {body}", task="text-classification"))
    assert (found[0].input, found[0].target) == ({"text": "t0: words of 0"}, {"label": "a"})


def test_given_parts_are_recognised_named_and_checked(tmp_path: Path) -> None:
    content = "text,label,split,lot\n" + "".join(
        f"text {n},{'ab'[n % 2]},{('Train', 'dev', 'TEST', '')[n % 4]},{('학습', '검증')[n % 2]}\n" for n in range(8)
    )
    made = job(tmp_path, "t.csv", content)
    assert [example.part for example in examples(made)][:4] == ["train", "validation", "test", None]
    assert "'split' says which rows" in made.folder.source().reason.en
    named = examples(job(tmp_path, "n.csv", content, part="lot"))
    assert [example.part for example in named][:2] == ["train", "validation"]
    with pytest.raises(DataError) as caught:
        job(tmp_path, "b.csv", content, part="label").load()
    assert "has 'a' in 'label' where train, validation or test is expected" in said(caught.value)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (["2024-01-31", "2024-02-01"], ["2024-01-31", "2024-02-01"]),
        (["2024.1.5", "2024/12/31 9:05"], ["2024-01-05", "2024-12-31T09:05:00"]),
        (["2024년 3월 1일", "2024. 3. 2. 오후 1:30"], ["2024-03-01", "2024-03-02T13:30:00"]),
        (["31/01/2024", "02/03/2024"], ["2024-01-31", "2024-03-02"]),
        (["01/31/2024 12:00 am", "02/03/2024"], ["2024-01-31T00:00:00", "2024-02-03"]),
        (["2024-01-31T09:00:00+09:00", "20240201"], ["2024-01-31T00:00:00", "2024-02-01"]),
        (["1706659200", "1706659200000"], ["2024-01-31T00:00:00", "2024-01-31T00:00:00"]),
    ],
)
def test_times_are_written_in_iso_8601(written: list[str], expected: list[str], tmp_path: Path) -> None:
    content = "text,label,when\n" + "".join(f'text {n},{"ab"[n % 2]},"{written[n % 2]}"\n' for n in range(6))
    found = examples(job(tmp_path, "t.csv", content, time="when"))
    assert [example.time for example in found][:2] == expected


@pytest.mark.parametrize("odd", ["03/04/2024", "yesterday", "2024-13-01", "", "7"])
def test_what_is_no_time_or_two_is_a_bad_row(odd: str, tmp_path: Path) -> None:
    content = "text,label,when\n" + "".join(f"text {n},{'ab'[n % 2]},{odd}\n" for n in range(4))
    with pytest.raises(DataError) as caught:
        job(tmp_path, "t.csv", content, time="when").load()
    assert "in 'when'" in said(caught.value)


def test_mixed_shapes_are_counted_with_their_first_rows(tmp_path: Path) -> None:
    alpaca = "".join(json.dumps({"instruction": f"do {n}", "output": f"done {n}"}) + "\n" for n in range(3))
    made = job(tmp_path, "t.jsonl", "".join(map(chat_line, range(8))) + alpaca)
    with pytest.raises(DataError) as caught:
        made.load()
    assert "8 of chat messages (OpenAI) (row 1, row 2, row 3, …)" in said(caught.value)
    assert "3 of instruction, input and output (Alpaca) (row 9, row 10, row 11)" in said(caught.value)
    dropped = job(tmp_path, "d.jsonl", "".join(map(chat_line, range(8))) + alpaca, bad_rows="drop")
    dropped.load()
    assert "mixed" in dropped.told.message("mixed").en


def test_rows_that_leave_fields_out_are_not_called_mixed(tmp_path: Path) -> None:
    rows = [{"text": f"text {n}", "label": "ab"[n % 2], **({"note": "x"} if n % 3 else {})} for n in range(9)]
    made = job(tmp_path, "t.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    made.load()
    assert "mixed" not in [kind for kind, _, _ in made.told.events]
