"""The load step on good and bad input: typed examples with stable ids, or a message that says what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from sonmat.core.errors import DataError
from sonmat.core.recipe import Recipe
from sonmat.reading.language import languages_of
from sonmat.runs.files import sha256_of_file
from sonmat.runs.folder import RunFolder
from sonmat.steps.load import data_fingerprint
from tests.data.made import Job, job, picture_job, pictures, table


def test_a_table_becomes_examples_and_a_source(tmp_path: Path) -> None:
    made = job(tmp_path, "문의.csv", table(30), group="의도")
    source = made.load()
    examples = list(made.folder.examples())
    assert source == made.folder.source()
    assert (source.task, source.shape, source.format) == ("text-classification", "text_label", "csv")
    assert (source.rows_in, source.problems, source.languages) == (30, 0, ("ko",))
    assert examples[0].input == {"text": "0번째 문의입니다"}
    assert examples[0].target == {"label": "배송"}
    assert examples[0].group == "배송"
    assert examples[1].source.row == 3
    said = made.told.message("recognised")
    assert "30 rows for text classification from '문장' → '의도'" in said.en
    assert "30행" in said.ko
    assert made.folder.is_done("load", "load-inputs")


def test_a_sorted_file_is_recognised_although_its_beginning_has_one_class(tmp_path: Path) -> None:
    content = "text,kind\n" + "".join(f"text {n},{'first' if n < 1500 else 'second'}\n" for n in range(3000))
    source = job(tmp_path, "sorted.csv", content).load()
    assert "2 different values over 1,000 sampled rows" in source.reason.en


def test_ids_say_what_the_row_says_and_stay_when_other_rows_come_and_go(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = job(tmp_path / "a", "t.csv", "text,label\none,x\ntwo,y\none,x\nthree,x\n")
    second = job(tmp_path / "b", "t.csv", "text,label\nthree,x\nnew,y\none,x\n")
    first.load()
    second.load()
    before = {example.input["text"]: example.id for example in reversed(list(first.folder.examples()))}
    after = {example.input["text"]: example.id for example in second.folder.examples()}
    assert after["one"] == before["one"]
    assert after["three"] == before["three"]
    ids = [example.id for example in first.folder.examples()]
    assert len(set(ids)) == 4
    assert ids[2] == f"{ids[0]}-2"


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp949"])
def test_a_file_in_another_encoding_gives_the_same_examples(codec: str, tmp_path: Path) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    plain.mkdir()
    other.mkdir()
    reference = job(plain, "t.csv", table())
    encoded = job(other, "t.csv", table().encode(codec))
    reference.load()
    encoded.load()
    assert list(encoded.folder.examples()) == list(reference.folder.examples())


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("x")
    made = Job(Recipe(data=str(tmp_path / "review.csv")), RunFolder(tmp_path / "run"))
    with pytest.raises(DataError) as caught:
        made.load()
    assert "no file or folder" in caught.value.what.en
    assert caught.value.fix is not None
    assert f"Did you mean {tmp_path / 'reviews.csv'}?" in caught.value.fix.en
    assert "뜻하셨나요" in caught.value.fix.ko
    assert caught.value.exit_code == 2


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    made = Job(Recipe(data=str(tmp_path / "nowhere" / "review.csv")), RunFolder(tmp_path / "run"))
    with pytest.raises(DataError, match="nowhere"):
        made.load()


@pytest.mark.parametrize(
    ("name", "content", "english", "korean"),
    [
        ("empty.csv", b"", "is empty", "빈 파일"),
        ("empty.jsonl", b"\n \n", "is empty", "빈 파일"),
        ("header.csv", b"text,label\n", "has no rows", "행이 없습니다"),
        ("empty.json", b"[]", "has no rows", "행이 없습니다"),
        ("words.rtf", b"{\\rtf1", "no known kind of file", "지원하지 않는 종류"),
        ("binary.csv", bytes(range(256)) * 4, "not a text file", "텍스트 파일이 아닙니다"),
        ("broken.json", b'[{"text": "a"},\n{"text"}]', "line 2, column 8", "2행 8번째 글자"),
    ],
)
def test_a_container_that_cannot_be_read_is_said(
    name: str, content: bytes, english: str, korean: str, tmp_path: Path
) -> None:
    made = job(tmp_path, name, content)
    with pytest.raises(DataError) as caught:
        made.load()
    assert english in caught.value.what.en
    assert korean in caught.value.what.ko
    assert caught.value.fix is not None
    assert not made.folder.exists("load")


def test_what_is_supported_is_listed_for_an_unknown_kind(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        job(tmp_path, "words.rtf", b"{").load()
    assert caught.value.fix is not None
    assert {".csv", ".json", ".jsonl", ".ndjson", ".tsv", ".txt"} <= set(re.findall(r"\.\w+", caught.value.fix.en))


BAD_LINES = "".join(f'{{"text": "good {number}", "label": "{"ab"[number % 2]}"}}\n' for number in range(8))


def test_bad_rows_stop_the_run_with_the_first_five_and_the_count(tmp_path: Path) -> None:
    made = job(tmp_path, "t.jsonl", BAD_LINES + "{broken\n" * 7)
    with pytest.raises(DataError) as caught:
        made.load()
    said = caught.value.what
    assert "7 of 15 rows" in said.en
    assert "15행 가운데 7행" in said.ko
    assert "row 9 is not valid JSON" in said.en
    assert "13행 올바른 JSON이 아닙니다" in said.ko
    assert "row 14" not in said.en
    assert "and 2 more" in said.en
    assert caught.value.fix is not None
    assert "--bad-rows drop" in caught.value.fix.en
    assert not made.folder.file("examples.jsonl").exists()
    assert not made.folder.exists("load")


def test_bad_rows_are_dropped_into_the_ledger_when_told(tmp_path: Path) -> None:
    made = job(
        tmp_path, "t.jsonl", BAD_LINES + '{broken\n{"text": "no label"}\n{"text": "", "label": "a"}\n', bad_rows="drop"
    )
    source = made.load()
    assert (source.rows_in, source.problems) == (11, 3)
    dropped = list(made.folder.unusable())
    assert [line.source.row for line in dropped] == [9, 10, 11]
    assert len({line.id for line in dropped}) == 3
    reasons = [line.reason.en for line in dropped if line.reason]
    assert "has nothing in 'label'" in reasons[1]
    assert "has an empty text" in reasons[2]


def test_a_file_of_nothing_but_bad_rows_is_refused_even_if_they_may_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        job(tmp_path, "t.jsonl", "{broken\n" * 4, bad_rows="drop").load()
    assert "4 of 4 rows" in caught.value.what.en
    assert "row 1 is not valid JSON" in caught.value.what.en
    assert "4행을 쓸 수 없습니다" in caught.value.what.ko


def test_rows_that_no_shape_can_use_are_refused_even_if_they_may_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"No row is left|배울 수 있는 행이 남지"):
        job(
            tmp_path,
            "t.csv",
            "text,label\n,a\n,b\n",
            task="text-classification",
            input="text",
            target="label",
            bad_rows="drop",
        ).load()


def test_pictures_are_kept_by_their_content(tmp_path: Path) -> None:
    folder = pictures(tmp_path, rows=6)
    made = picture_job(tmp_path, folder)
    source = made.load()
    assert (source.format, source.task) == ("image_folder", "image-classification")
    examples = list(made.folder.examples())
    assert [example.source.file for example in examples[::3]] == ["cat/0.png", "dog/1.png"]
    assert [example.target["label"] for example in examples] == ["cat"] * 3 + ["dog"] * 3
    for example in examples:
        kept = made.folder.file(example.input["image"])
        assert kept.read_bytes() == (folder / example.source.file).read_bytes()
        assert kept.stem == sha256_of_file(kept)


def test_a_table_names_pictures_relative_to_itself(tmp_path: Path) -> None:
    folder = pictures(tmp_path, rows=4)
    listed = "".join(f"{path.relative_to(tmp_path)},{path.parent.name}\n" for path in sorted(folder.rglob("*.png")))
    made = job(tmp_path, "t.csv", f"image,label\n{listed}photos/cat/none.png,cat\n", bad_rows="drop")
    source = made.load()
    assert (source.rows_in, source.problems) == (5, 1)
    reason = next(made.folder.unusable()).reason
    assert reason is not None
    assert "none.png" in reason.en


def test_the_fingerprint_follows_content_and_names_and_not_hidden_files(tmp_path: Path) -> None:
    folder = pictures(tmp_path, rows=4)
    before = data_fingerprint([str(folder)])
    (folder / ".DS_Store").write_text("x")
    assert data_fingerprint([str(folder)]) == before
    (folder / "cat" / "0.png").rename(folder / "cat" / "renamed.png")
    renamed = data_fingerprint([str(folder)])
    assert renamed != before
    Image.new("RGB", (2, 2)).save(folder / "cat" / "renamed.png")
    assert data_fingerprint([str(folder)]) != renamed


@pytest.mark.parametrize(
    ("texts", "languages"),
    [
        (["안녕하세요, 배송 문의드립니다"], ("ko",)),
        (["Where is my order?"], ("en",)),
        (["iPhone 배송 언제 오나요? 빨리 보내 주세요"], ("ko",)),
        (["안녕하세요", "good morning"], ("ko", "en")),
        (["こんにちは、東京です"], ("ja",)),
        (["你好世界"], ("zh",)),
        (["Привет, как дела"], ("other",)),
        (["123 !?"], ()),
    ],
)
def test_languages_are_told_by_script(texts: list[str], languages: tuple[str, ...]) -> None:
    assert languages_of(texts) == languages


def test_chat_rows_keep_their_turns(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    made = job(tmp_path, "t.jsonl", "".join(json.dumps({"messages": turns, "n": n}) + "\n" for n in range(3)))
    assert made.load().task == "chat"
    example = next(made.folder.examples())
    assert example.input == {"messages": turns[:2]}
    assert example.target == {"text": "a"}
