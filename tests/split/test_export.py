"""The exported parts hold every row once, in its own columns, and are read back as the same rows."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

import sonmat
from sonmat.core.errors import DataError, SettingError
from sonmat.exporting import ExportedSplit, export_split
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import read_value


def table(path: Path, rows: int = 240) -> Path:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["번호", "문장", "의도", "지점"])
        for number in range(rows):
            writer.writerow(
                [f"A-{number}", f'{number}번째 문의, 따옴표 " 포함', ("배송", "환불")[number % 2], f"지점{number % 40}"]
            )
    return path


def prepared(data: Path, **wishes: object) -> RunFolder:
    return sonmat.run(data, folder=data.parent / "run", upto="split", **wishes).folder  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of a table that is divided; tests export it elsewhere."""
    return prepared(table(tmp_path_factory.mktemp("divided") / "t.csv"), group="지점", slices="번호")


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream))


def test_the_parts_together_are_the_original_with_all_its_columns(tmp_path: Path, divided: RunFolder) -> None:
    folder, data = divided, Path(divided.recipe().data[0])
    exported = export_split(folder, tmp_path / "out")
    parts = [rows_in(tmp_path / "out" / f"{part}.csv") for part in ("train", "validation", "test")]
    assert sorted(map(str, rows_in(data))) == sorted(str(row) for part in parts for row in part)
    assert [len(part) for part in parts] == [file.rows for file in exported.files]
    # Rows stay in the order of reading.
    numbers = [int(row["번호"][2:]) for row in parts[0]]
    assert numbers == sorted(numbers)
    branches = [{row["지점"] for row in part} for part in parts]
    assert not branches[0] & branches[2]


def test_split_json_says_how_with_the_seal_and_every_id(tmp_path: Path, divided: RunFolder) -> None:
    folder = divided
    export_split(folder, tmp_path / "out")
    found = read_value(tmp_path / "out" / "split.json", ExportedSplit)
    assert found.ids == folder.split()
    assert found.seal == folder.split().seal
    assert [file.name for file in found.files] == ["train.csv", "validation.csv", "test.csv"]


def test_folds_are_folders_of_their_own(tmp_path: Path) -> None:
    folder = prepared(table(tmp_path / "t.csv", rows=60))
    export_split(folder, tmp_path / "out", "jsonl")
    tested = []
    for number in range(1, 6):
        here = tmp_path / "out" / f"fold-{number}"
        rows = {
            part: [json.loads(line) for line in (here / f"{part}.jsonl").read_text().splitlines()]
            for part in ("train", "validation", "test")
        }
        assert sum(map(len, rows.values())) == 60
        tested += [row["번호"] for row in rows["test"]]
    assert len(set(tested)) == len(tested) == 60
    assert not (tmp_path / "out" / "test.jsonl").exists()
    assert (tmp_path / "out" / "train.jsonl").exists()


@pytest.mark.parametrize("format", ["parquet", "jsonl", "json"])
def test_other_formats_are_read_back_as_the_same_split(tmp_path: Path, divided: RunFolder, format: str) -> None:
    folder = divided
    exported = export_split(folder, tmp_path / "out", format)
    assert exported.format == format
    part = {name: f"{name}.{format}" for name in ("train", "validation", "test")}
    again = sonmat.run(tmp_path / "out" / part["test"], folder=tmp_path / "again", input="문장", target="의도", upto="load")
    assert {example.id for example in again.examples()} == set(folder.split().test)


def test_numbers_of_json_become_text_in_a_table(tmp_path: Path) -> None:
    lines = [json.dumps({"text": f"text {n}", "label": n % 2, "stars": n}) for n in range(240)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    export_split(prepared(tmp_path / "t.jsonl"), tmp_path / "out", "csv")
    assert {row["stars"] for row in rows_in(tmp_path / "out" / "test.csv")} <= {str(n) for n in range(240)}


def test_rows_of_messages_cannot_be_a_table_and_the_error_says_what_can(tmp_path: Path) -> None:
    lines = [
        json.dumps(
            {"messages": [{"role": "user", "content": f"question {n}"}, {"role": "assistant", "content": f"answer {n}"}]}
        )
        for n in range(240)
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    folder = prepared(tmp_path / "t.jsonl")
    with pytest.raises(DataError, match="jsonl"):
        export_split(folder, tmp_path / "out", "csv")
    assert not (tmp_path / "out" / "split.json").exists()
    export_split(folder, tmp_path / "other")
    assert "messages" in (tmp_path / "other" / "test.jsonl").read_text()


def test_a_run_whose_data_has_gone_is_exported_from_its_own_rows(tmp_path: Path, divided: RunFolder) -> None:
    folder = RunFolder(tmp_path / "copy")
    shutil.copytree(divided.path, folder.path)
    gone = divided.recipe().model_copy(update={"data": (str(tmp_path / "gone.csv"),)})
    write_value(folder.file("recipe.json"), gone)
    export_split(folder, tmp_path / "out")
    rows = rows_in(tmp_path / "out" / "test.csv")
    assert set(rows[0]) == {"번호", "문장", "의도", "지점"}
    assert len(rows) == len(folder.split().test)


def test_pictures_are_exported_as_folders_of_classes(tmp_path: Path, divided: RunFolder) -> None:
    for number in range(40):
        path = tmp_path / "photos" / ("cat", "dog")[number % 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (12, 12), (number * 6, 255 - number * 6, number)).save(path)
    folder = prepared(tmp_path / "photos", folds=0, near_duplicates="keep")
    export_split(folder, tmp_path / "out")
    found = [len(list((tmp_path / "out" / part).rglob("*.png"))) for part in ("train", "validation", "test")]
    split = folder.split()
    assert found == [len(split.train), len(split.validation), len(split.test)]
    with pytest.raises(SettingError, match="holds image"):
        export_split(divided, tmp_path / "other", "image_folder")


def test_nothing_is_replaced_unless_told_to_and_then_only_an_earlier_export(tmp_path: Path) -> None:
    folder = prepared(table(tmp_path / "t.csv", rows=60))
    out = tmp_path / "out"
    export_split(folder, out)
    with pytest.raises(SettingError, match="is there already"):
        export_split(folder, out)
    (out / "notes.txt").write_text("mine")
    export_split(folder, out, "jsonl", force=True)
    assert not list(out.rglob("*.csv"))
    export_split(folder, out, "jsonl", force=True)
    prepared(tmp_path / "t.csv", folds=0)
    export_split(folder, out, force=True)
    assert sorted(path.name for path in out.iterdir()) == [
        "notes.txt",
        "split.json",
        "test.csv",
        "train.csv",
        "validation.csv",
    ]
    assert (out / "notes.txt").read_text() == "mine"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "train.csv").write_text("my own")
    with pytest.raises(SettingError, match="other things"):
        export_split(folder, mine, force=True)
    assert (mine / "train.csv").read_text() == "my own"


def test_an_unknown_format_is_said_with_the_nearest(tmp_path: Path, divided: RunFolder) -> None:
    folder = divided
    with pytest.raises(SettingError, match="parquet"):
        export_split(folder, tmp_path / "out", "parquett")
    assert not (tmp_path / "out").exists()


def test_data_that_has_changed_since_is_refused(tmp_path: Path) -> None:
    data = table(tmp_path / "t.csv")
    folder = prepared(data)
    table(data, rows=239)
    with pytest.raises((DataError, ValueError)):
        export_split(folder, tmp_path / "out")
    assert not (tmp_path / "out" / "split.json").exists()
