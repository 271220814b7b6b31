"""SQLite databases: the table that is meant, values as they are, and never a byte changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import DataError
from sonmat.formats.sqlite import plugin as sqlite
from tests.formats.made import as_records, fields_of, picture, problems_of, refusal


def database(path: Path, *statements: str | tuple[str, Sequence[Any]]) -> Path:
    with closing(sqlite3.connect(path)) as made, made:
        for statement in statements:
            made.execute(statement) if isinstance(statement, str) else made.execute(*statement)
    return path


FAQ = (
    'CREATE TABLE "자주 묻는" (id INTEGER PRIMARY KEY, question TEXT, answered BOOLEAN)',
    "INSERT INTO \"자주 묻는\" VALUES (7, '언제 여나요?', 1), (3, '환불', 0), (9, NULL, NULL)",
)


def test_the_only_table_is_read_in_its_own_order(tmp_path: Path) -> None:
    path = database(tmp_path / "t.db", *FAQ, 'CREATE INDEX every ON "자주 묻는" (question, answered, id)')
    assert fields_of(sqlite, path) == [
        {"id": 3, "question": "환불", "answered": False},
        {"id": 7, "question": "언제 여나요?", "answered": True},
        {"id": 9, "question": None, "answered": None},
    ]
    assert sqlite.describe(path).en == "SQLite, table '자주 묻는'"


def test_of_several_tables_the_largest_is_read_and_the_others_are_said(tmp_path: Path) -> None:
    path = database(tmp_path / "t.sqlite", *FAQ, "CREATE TABLE tags (name)", "INSERT INTO tags VALUES ('a')")
    assert len(fields_of(sqlite, path)) == 3
    said = sqlite.describe(path)
    assert "the largest with 3 rows (not read: tags: 1)" in said.en
    assert "가장 큰 '자주 묻는' 표(3행). 읽지 않은 표: tags: 1" in said.ko


def test_reading_leaves_the_file_and_its_folder_as_they_were(tmp_path: Path) -> None:
    path = database(tmp_path / "t.db", "PRAGMA journal_mode = WAL", *FAQ)
    before = path.read_bytes()
    list(sqlite.read(path))
    sqlite.describe(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["t.db"]


def test_rows_that_still_stand_in_the_log_are_read(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE t (text)")
        other.execute("INSERT INTO t VALUES ('not yet in the file')")
        other.commit()
        assert fields_of(sqlite, path) == [{"text": "not yet in the file"}]


def test_values_that_no_json_holds_cost_only_their_rows(tmp_path: Path) -> None:
    content = picture(tmp_path / "a.png").read_bytes()
    path = database(
        tmp_path / "t.db",
        "CREATE TABLE t (value)",
        ("INSERT INTO t VALUES (?)", (b"\x00\x01",)),
        ("INSERT INTO t VALUES (?)", (content,)),
        ("INSERT INTO t VALUES (?)", (float("inf"),)),
        "INSERT INTO t VALUES (CAST(x'fffe' AS TEXT))",
        ("INSERT INTO t VALUES (?)", ("a\0b",)),
        ("INSERT INTO t VALUES (?)", ("fine",)),
    )
    found = problems_of(sqlite, path)
    assert sorted(found) == [1, 3, 4, 5]
    assert "bytes that are no picture" in found[1]
    assert "broken in UTF-8" in found[4]
    assert "zero byte" in found[5]


def test_a_database_without_rows_names_its_tables(tmp_path: Path) -> None:
    path = database(tmp_path / "t.db", "CREATE TABLE empty_one (a)", "CREATE VIEW shown AS SELECT 1 AS a")
    said = refusal(sqlite, path)
    assert "no table with rows (tables: empty_one)" in said.en
    assert "행이 있는 표가 없습니다" in said.ko


def test_a_value_that_would_take_all_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.formats.sqlite._LONGEST_VALUE", 10_000)
    path = database(tmp_path / "t.db", "CREATE TABLE t (text)", ("INSERT INTO t VALUES (?)", ("x" * 20_000,)))
    assert "too big" in refusal(sqlite, path).en


def test_a_database_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    rows = [("INSERT INTO t VALUES (?)", ("x" * 3000,)) for _ in range(20)]
    whole = database(tmp_path / "t.db", "CREATE TABLE t (text)", *rows).read_bytes()
    (tmp_path / "cut.db").write_bytes(whole[: len(whole) // 2])
    assert "damaged, cut off" in refusal(sqlite, tmp_path / "cut.db").en


def test_a_name_that_would_end_the_statement_is_only_a_name(tmp_path: Path) -> None:
    path = database(
        tmp_path / "t.db", 'CREATE TABLE "a""; DROP TABLE b; --" (x)', 'INSERT INTO "a""; DROP TABLE b; --" VALUES (1)'
    )
    assert fields_of(sqlite, path) == [{"x": 1}]
    sqlite.write(as_records([{'x"; DROP TABLE examples; --': "y"}]), tmp_path / "u.db")
    assert fields_of(sqlite, tmp_path / "u.db") == [{'x"; DROP TABLE examples; --': "y"}]


@pytest.mark.parametrize("value", [True, ["a"], {"a": 1}, 2**70, "a\0b"])
def test_what_would_come_back_changed_is_not_written(value: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"row 1"):
        sqlite.write(as_records([{"value": value}]), tmp_path / "t.db")
    assert not (tmp_path / "t.db").exists()
