"""Parquet and Arrow: typed values become JSON values, media become files, and damage is said and never crashes."""

from __future__ import annotations

import json
import random
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sonmat.core.errors import DataError
from sonmat.core.protocols import Format
from sonmat.formats.arrow import plugin as arrow
from sonmat.formats.parquet import plugin as parquet
from tests.formats.made import as_records, fields_of, picture, problems_of, refusal

CLASSES = {"_type": "ClassLabel", "names": ["부정", "긍정"]}


def written(path: Path, columns: dict[str, Any], features: dict[str, Any] | None = None) -> Path:
    table = pa.table(columns)
    if features is not None:
        table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        new = pa.ipc.new_stream if path.suffix == ".arrows" else pa.ipc.new_file
        with new(str(path), table.schema) as writer:
            writer.write_table(table)
    return path


def test_times_and_numbers_become_json_values(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.parquet",
        {
            "day": pa.array([date(2024, 2, 29)]),
            "at": pa.array([datetime(2024, 2, 29, 12, 30, 1, 500, tzinfo=UTC)], pa.timestamp("us", "UTC")),
            "fine": pa.array([1709209801000000001], pa.timestamp("ns")),
            "clock": pa.array([time(9, 5)]),
            "took": pa.array([timedelta(minutes=1, milliseconds=500)]),
            "price": pa.array([Decimal("12.50")]),
            "whole": pa.array([Decimal(12)]),
            "share": pa.array([float("nan")]),
            "counts": pa.array([{"a": 1}], pa.map_(pa.string(), pa.int64())),
            "raw": pa.array(["한글".encode()], pa.binary()),
            "kind": pa.array(["x"]).dictionary_encode(),
            "nested": pa.array([[{"when": date(2024, 1, 1), "none": None}]]),
        },
    )
    assert fields_of(parquet, path) == [
        {
            "day": "2024-02-29",
            "at": "2024-02-29T12:30:01.000500+00:00",
            "fine": "2024-02-29T12:30:01",
            "clock": "09:05:00",
            "took": 60.5,
            "price": 12.5,
            "whole": 12,
            "share": None,
            "counts": {"a": 1},
            "raw": "한글",
            "kind": "x",
            "nested": [{"when": "2024-01-01", "none": None}],
        }
    ]


def test_a_value_that_json_cannot_hold_costs_only_its_row(tmp_path: Path) -> None:
    path = written(
        tmp_path / "t.parquet",
        {
            "text": ["a", "b", "c", "d"],
            "share": [1.0, float("inf"), 2.0, 3.0],
            "raw": pa.array([b"fine", b"fine", b"\xff\xfe\x00", b"fine"]),
            "at": pa.array([0, 0, 0, 2**62], pa.timestamp("us")),
        },
    )
    found = problems_of(parquet, path)
    assert sorted(found) == [2, 3, 4]
    assert "'share' holds an infinite number" in found[2]
    assert "'raw' holds bytes" in found[3]
    assert "'at' holds a time out of range" in found[4]


@pytest.mark.parametrize(("name", "format"), [("t.parquet", parquet), ("t.arrow", arrow), ("t.arrows", arrow)])
def test_class_numbers_of_hugging_face_become_names(name: str, format: Format, tmp_path: Path) -> None:
    columns = {"text": ["a", "b", "c"], "label": [1, 0, -1], "several": [[0, 1], [], [1]], "number": [1, 0, 1]}
    features = {"label": CLASSES, "several": {"feature": CLASSES, "_type": "Sequence"}, "number": {"_type": "Value"}}
    rows = fields_of(format, written(tmp_path / name, columns, features))
    assert [row["label"] for row in rows] == ["긍정", "부정", None]
    assert [row["several"] for row in rows] == [["부정", "긍정"], [], ["긍정"]]
    assert [row["number"] for row in rows] == [1, 0, 1]


def test_a_class_number_without_name_is_a_problem_of_its_row(tmp_path: Path) -> None:
    path = written(tmp_path / "t.parquet", {"label": [0, 7]}, {"label": CLASSES})
    assert problems_of(parquet, path) == {2: "'label' holds the class number 7, but there are only 2 classes"}


def test_pictures_in_a_table_are_files_while_it_is_read(tmp_path: Path) -> None:
    whole = [picture(tmp_path / f"{number}.png", shade=90 * number).read_bytes() for number in range(3)]
    (tmp_path / "beside.png").write_bytes(whole[2])
    column = [
        {"bytes": whole[0], "path": "a.png"},
        {"bytes": whole[1], "path": None},
        {"bytes": None, "path": "beside.png"},
    ]
    path = written(tmp_path / "t.parquet", {"image": column, "plain": [whole[1], whole[1], whole[1]], "label": [0, 1, 0]})
    kept: list[Path] = []
    for record, content in zip(parquet.read(path), whole, strict=True):
        medium = Path(record.fields["image"])
        assert medium.suffix == ".png"
        assert medium.read_bytes() == content
        assert Path(record.fields["plain"]).read_bytes() == whole[1]
        kept.append(medium)
    assert [medium.exists() for medium in kept] == [False, False, True]


def test_feather_files_are_read(tmp_path: Path) -> None:
    feather.write_feather(pa.table({"text": ["a", "나"]}), str(tmp_path / "t.feather"), compression="zstd")
    assert fields_of(arrow, tmp_path / "t.feather") == [{"text": "a"}, {"text": "나"}]
    assert "Arrow file, 1 columns" in arrow.describe(tmp_path / "t.feather").en
    (tmp_path / "old.feather").write_bytes(b"FEA1" + bytes(40))
    assert "version 1" in refusal(arrow, tmp_path / "old.feather").en


@pytest.mark.parametrize(("name", "format"), [("t.parquet", parquet), ("t.arrow", arrow)])
def test_two_columns_of_one_name_are_refused(name: str, format: Format, tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["text", "text"])
    if format is parquet:
        pq.write_table(table, tmp_path / name)
    else:
        with pa.ipc.new_file(str(tmp_path / name), table.schema) as writer:
            writer.write_table(table)
    assert "several columns named 'text'" in refusal(format, tmp_path / name).en


@pytest.mark.parametrize(("name", "format"), [("t.parquet", parquet), ("t.arrow", arrow), ("t.arrows", arrow)])
def test_a_file_that_is_cut_off_is_refused_wherever_the_cut_is(name: str, format: Format, tmp_path: Path) -> None:
    whole = written(tmp_path / name, {"text": [f"row {number}" for number in range(300)]}).read_bytes()
    cut = tmp_path / f"cut{Path(name).suffix}"
    for length in (len(whole) // 10, len(whole) // 2, len(whole) - 8, len(whole) - 1):
        cut.write_bytes(whole[:length])
        assert "damaged, cut off" in refusal(format, cut).en


@pytest.mark.parametrize(("name", "format"), [("t.parquet", parquet), ("t.arrow", arrow), ("t.arrows", arrow)])
def test_damaged_bytes_end_in_a_message_and_never_in_a_crash(name: str, format: Format, tmp_path: Path) -> None:
    rows = {"text": ["가나다", "b"], "list": [["x"], []], "about": [{"a": 1}, {"a": 2}]}
    whole = written(tmp_path / name, rows).read_bytes()
    chance = random.Random(0)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for _ in range(3):
            content[chance.randrange(len(content))] = chance.randrange(256)
        (tmp_path / name).write_bytes(content)
        try:
            list(format.read(tmp_path / name))
        except DataError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize(("name", "format"), [("t.parquet", parquet), ("t.arrow", arrow)])
def test_a_type_that_is_only_known_late_is_found_by_writing(name: str, format: Format, tmp_path: Path) -> None:
    rows = [{"text": None, "number": number} for number in range(5000)] + [{"text": "late", "number": 0.5}]
    format.write(iter(as_records(rows)), tmp_path / name)
    assert fields_of(format, tmp_path / name) == rows


@pytest.mark.parametrize(
    "rows",
    [
        [{"value": 1}, {"value": "one"}],
        [{"value": True}, {"value": 1}],
        [{"value": {"a": 1}}, {"value": {"b": 1}}],
        [{"value": 1}, {"other": 1}],
        [{"value": 2**70}],
        [],
    ],
)
def test_rows_that_would_come_back_changed_are_not_written(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        parquet.write(as_records(rows), tmp_path / "t.parquet")
    assert caught.value.fix is not None
    assert not (tmp_path / "t.parquet").exists()


def test_an_encrypted_or_foreign_file_is_no_parquet(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PARE" + bytes(100) + b"PARE")
    assert "encrypted" in refusal(parquet, tmp_path / "t.parquet").en
