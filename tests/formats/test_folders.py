"""Folders of data: which format reads which, parts of a split, and nothing that goes missing unsaid."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sonmat.core.errors import DataError
from sonmat.formats.audio_folder import plugin as sounds
from sonmat.formats.audio_table import plugin as described_sounds
from sonmat.formats.dataset_folder import plugin as tables
from sonmat.formats.image_folder import plugin as images
from sonmat.formats.image_table import plugin as described_images
from sonmat.formats.saved_dataset import plugin as saved
from sonmat.steps.load.container import find_format
from tests.formats.made import fields_of, picture, refusal, sound

CLASSES = {"_type": "ClassLabel", "names": ["부정", "긍정"]}


def put(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def save(folder: Path, texts: list[str]) -> Path:
    """As `Dataset.save_to_disk` of datasets 5.2 lays it out."""
    folder.mkdir(parents=True, exist_ok=True)
    table = pa.table({"text": texts, "label": [number % 2 for number in range(len(texts))]})
    with pa.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    info = {"features": {"text": {"dtype": "string", "_type": "Value"}, "label": CLASSES}}
    (folder / "dataset_info.json").write_text(json.dumps(info))
    return folder


def test_a_saved_data_set_gives_names_of_classes(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", ["a", "b", "c"])
    assert find_format(folder).name == "saved_dataset"
    assert [row["label"] for row in fields_of(saved, folder)] == ["부정", "긍정", "부정"]
    assert "split" not in fields_of(saved, folder)[0]


def test_a_saved_data_set_of_several_parts_says_which(tmp_path: Path) -> None:
    for part in ("train", "val", "challenge"):
        save(tmp_path / part, [f"{part} one", f"{part} two"])
    put(tmp_path / "dataset_dict.json", json.dumps({"splits": ["train", "val", "challenge"]}))
    records = list(find_format(tmp_path).read(tmp_path))
    assert [record.fields["split"] for record in records] == [*["train"] * 2, *["validation"] * 2, *["challenge"] * 2]
    assert len({(record.source.file, record.source.row) for record in records}) == 6
    assert "parts: train, val, challenge" in saved.describe(tmp_path).en


@pytest.mark.parametrize("name", ["../outside.arrow", "/etc/passwd", "", "a\\b"])
def test_a_saved_data_set_does_not_name_files_elsewhere(name: str, tmp_path: Path) -> None:
    folder = save(tmp_path / "set", ["a"])
    put(folder / "state.json", json.dumps({"_data_files": [{"filename": name}]}))
    assert "missing or damaged" in refusal(saved, folder).en


def test_a_saved_data_set_without_one_of_its_files_is_refused(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", ["a"])
    (folder / "data-00000-of-00001.arrow").unlink()
    assert "cannot be opened" in refusal(saved, folder).en


def test_a_hub_folder_is_read_part_by_part(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    for number in (1, 0):
        pq.write_table(pa.table({"text": [f"train {number}"]}), data / f"train-0000{number}-of-00002.parquet")
    pq.write_table(pa.table({"text": ["test"]}), data / "test-00000-of-00001.parquet")
    put(tmp_path / "README.md", "# about")
    put(tmp_path / "dataset_infos.json", "{}")
    put(tmp_path / "extra.jsonl", '{"text": "extra"}\n')
    format = find_format(tmp_path)
    assert format.name == "dataset_folder"
    assert fields_of(format, tmp_path) == [
        {"text": "train 0", "split": "train"},
        {"text": "train 1", "split": "train"},
        {"text": "test", "split": "test"},
    ]
    said = format.describe(tmp_path)
    assert said.en == "folder of 3 .parquet files, parts: train, test, not read: extra.jsonl"
    assert "읽지 않은 파일: extra.jsonl" in said.ko


def test_compressed_tables_and_folders_of_parts_are_read(tmp_path: Path) -> None:
    put(tmp_path / "학습" / "a.jsonl", '{"text": "a"}\n')
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "b.jsonl.gz").write_bytes(gzip.compress(b'{"text": "b"}\n'))
    rows = fields_of(find_format(tmp_path), tmp_path)
    assert rows == [{"text": "a", "split": "train"}, {"text": "b", "split": "validation"}]


def test_tables_without_parts_are_read_one_after_the_other(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv"):
        put(tmp_path / name, f"text,label\nfrom {name},x\n")
    assert [row["text"] for row in fields_of(tables, tmp_path)] == ["from a.csv", "from b.csv"]
    assert "split" not in fields_of(tables, tmp_path)[0]


def test_a_table_that_may_be_the_training_part_is_not_left_out_unsaid(tmp_path: Path) -> None:
    put(tmp_path / "data.csv", "text,label\na,x\n")
    put(tmp_path / "test.csv", "text,label\nb,x\n")
    said = refusal(tables, tmp_path)
    assert "data.csv says no part" in said.en
    assert "test.csv에는" in said.ko


def test_several_data_sets_in_one_folder_are_to_be_chosen_from(tmp_path: Path) -> None:
    for name in ("ynat", "nli"):
        put(tmp_path / name / "train-00000.csv", "text,label\na,x\n")
    with pytest.raises(DataError) as caught:
        list(tables.read(tmp_path))
    assert "several data sets: nli, ynat" in caught.value.what.en
    assert caught.value.fix is not None
    assert str(tmp_path / "nli") in caught.value.fix.en


def test_class_folders_in_parts_say_which(tmp_path: Path) -> None:
    for part, number in (("train", 2), ("test", 1)):
        for label in ("cat", "dog"):
            for each in range(number):
                picture(tmp_path / part / label / f"{each}.png")
    picture(tmp_path / "train" / "loose.png")
    records = list(images.read(tmp_path))
    assert [(r.fields["label"], r.fields["split"]) for r in records if not r.problem] == [
        *[("cat", "test"), ("dog", "test")],
        *[("cat", "train"), ("cat", "train"), ("dog", "train"), ("dog", "train")],
    ]
    assert [record.source.file for record in records if record.problem] == ["train/loose.png"]
    assert "pictures in 2 class folders, parts: test, train" in images.describe(tmp_path).en


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    for label in ("train", "plane"):
        picture(tmp_path / label / "1.png")
    assert [row["label"] for row in fields_of(images, tmp_path)] == ["plane", "train"]


def test_sounds_and_pictures_are_told_apart(tmp_path: Path) -> None:
    sound(tmp_path / "calls" / "bark" / "1.wav")
    sound(tmp_path / "calls" / "meow" / "1.wav")
    picture(tmp_path / "photos" / "cat" / "1.png")
    assert find_format(tmp_path / "calls").name == "audio_folder"
    assert find_format(tmp_path / "photos").name == "image_folder"
    rows = fields_of(sounds, tmp_path / "calls")
    assert [(row["label"], Path(row["audio"]).name) for row in rows] == [("bark", "1.wav"), ("meow", "1.wav")]


def test_a_table_of_sounds_gives_its_columns_and_accounts_for_every_file(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav", "lost.wav"):
        sound(tmp_path / name)
    lines = [
        ("a.wav", "안녕하세요"),
        ("b.wav", "네"),
        ("none.wav", "x"),
        ("../out.wav", "x"),
        ("notes.txt", "x"),
        ("", "x"),
    ]
    table = "".join(json.dumps({"file_name": name, "text": text}) + "\n" for name, text in lines)
    put(tmp_path / "metadata.jsonl", table)
    format = find_format(tmp_path)
    assert format.name == "audio_table"
    records = list(format.read(tmp_path))
    assert [record.fields for record in records[:2]] == [
        {"audio": str(tmp_path / "a.wav"), "text": "안녕하세요"},
        {"audio": str(tmp_path / "b.wav"), "text": "네"},
    ]
    said = [record.problem.en for record in records if record.problem is not None]
    assert [words.split(",")[0].split(" (")[0] for words in said] == [
        "names none.wav",
        "names ../out.wav",
        "names notes.txt",
        "has nothing in 'file_name'",
        "is named in no row of metadata.jsonl",
    ]
    assert records[-1].source.file == "lost.wav"
    assert described_sounds.describe(tmp_path).en == "sounds described in metadata.jsonl"


def test_a_table_of_pictures_in_each_part_is_read(tmp_path: Path) -> None:
    for part in ("train", "test"):
        picture(tmp_path / part / "pictures" / "1.png")
        put(tmp_path / part / "metadata.csv", "file_name,region\npictures/1.png,서울\n")
    assert find_format(tmp_path).name == "image_table"
    rows = fields_of(described_images, tmp_path)
    assert [(row["region"], row["split"]) for row in rows] == [("서울", "test"), ("서울", "train")]


def test_metadata_that_names_no_files_is_a_table_like_others(tmp_path: Path) -> None:
    put(tmp_path / "metadata.csv", "text,label\na,x\n")
    assert find_format(tmp_path).name == "dataset_folder"


def test_a_folder_without_anything_usable_says_what_is_expected(tmp_path: Path) -> None:
    put(tmp_path / "notes" / "README.md", "x")
    format = find_format(tmp_path)
    said = refusal(format, tmp_path)
    assert "no class folders with pictures, and no table" in said.en
    assert "읽을 수 있는 표도 없습니다" in said.ko
