"""`sonmat split` says how rows were divided and writes the parts."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from tests.cli.conftest import Sonmat

SLOW = ("--skip", "diversity,enough,label_errors")


def made(rows: int, classes: int = 3) -> None:
    with Path("faq.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label"])
        writer.writerows([f"question number {n} about topic {n * 7}", f"class {n % classes}"] for n in range(rows))


def test_sizes_classes_how_and_seal_are_shown_and_files_written(sonmat: Sonmat) -> None:
    made(210)
    result = sonmat("split", "faq.csv", *SLOW, "--out", "parts")
    assert result.code == 0, result.err
    assert "train 147 · validation " in result.out
    assert "class 0" in result.out
    assert "The test set is sealed." in result.out
    assert "seal " in result.out
    assert "parts/test.csv" in result.out
    written = [
        len(list(csv.DictReader(Path(f"parts/{part}.csv").read_text().splitlines())))
        for part in ("train", "validation", "test")
    ]
    assert sum(written) == 210
    again = sonmat("split", "faq.csv", *SLOW, "--out", "parts")
    assert again.code == 2
    assert "--force" in again.err
    assert sonmat("split", "faq.csv", *SLOW, "--out", "parts", "--force", "--format", "jsonl", "--json").code == 0


def test_json_lists_the_files(sonmat: Sonmat) -> None:
    made(210)
    document = json.loads(sonmat("split", "faq.csv", *SLOW, "--out", "parts", "--json").out)
    assert [file["name"] for file in document["exported"]] == ["train.csv", "validation.csv", "test.csv"]
    assert sum(file["rows"] for file in document["exported"]) == 210


def test_folds_are_told_and_a_format_without_a_folder_is_refused(sonmat: Sonmat) -> None:
    made(60, classes=30)
    result = sonmat("split", "faq.csv", *SLOW, "--out", "parts")
    assert "60 rows, each tested 2 times in 5 folds" in result.out
    assert "parts/fold-1 … fold-10" in result.out
    # Thirty classes would fill the screen.
    assert "class 7" not in result.out
    assert sonmat("split", "faq.csv", *SLOW, "--format", "csv").code == 2
