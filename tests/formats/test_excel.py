"""Excel workbooks as people save them: several sheets, dates, formulas, errors, passwords."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.worksheet.formula import ArrayFormula

from sonmat.core.errors import DataError
from sonmat.formats.excel import plugin as excel
from tests.formats.made import as_records, fields_of, problems_of, refusal

LOCKED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(600)


def book(path: Path, *sheets: tuple[str, list[list[Any]]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets:
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


def test_the_first_sheet_that_is_not_empty_is_read_and_said(tmp_path: Path) -> None:
    rows = [["문장", "의도"], ["배송 언제 오나요", "배송"], [], ["환불", "환불"]]
    path = book(tmp_path / "t.xlsx", ("빈 시트", []), ("문의", rows), ("Notes", [["x"]]))
    records = list(excel.read(path))
    assert [(record.source.row, record.fields["의도"]) for record in records] == [(2, "배송"), (4, "환불")]
    said = excel.describe(path)
    assert said.en == "Excel, sheet '문의' (not read: Notes)"
    assert "'문의' 시트(읽지 않은 시트: Notes)" in said.ko


def test_dates_numbers_and_truths_become_json_values(tmp_path: Path) -> None:
    row = [date(2024, 2, 29), datetime(2024, 2, 29, 12, 30), time(9, 5), 3, 2.5, True, None, "0012"]
    path = book(tmp_path / "t.xlsx", ("s", [[f"c{number}" for number in range(8)], row]))
    values = list(fields_of(excel, path)[0].values())
    assert values == ["2024-02-29", "2024-02-29T12:30:00", "09:05:00", 3, 2.5, True, None, "0012"]


def test_a_table_without_header_row_keeps_its_first_row_and_says_so(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("s", [["good film", 1], ["bad film", 0]]))
    assert fields_of(excel, path)[0] == {"column_1": "good film", "column_2": 1}
    assert "no header row" in excel.describe(path).en


def test_error_values_and_cells_beyond_the_table_cost_only_their_rows(tmp_path: Path) -> None:
    path = book(
        tmp_path / "t.xlsx",
        ("s", [["text", "label"], ["a", "#N/A"], ["b", "x", "beyond"], ["c", "y", None], ["d", "#DIV/0!"]]),
    )
    found = problems_of(excel, path)
    assert found == {
        2: "'label' holds the error #N/A",
        3: "has something in column 3 where the table has 2 columns",
        5: "'label' holds the error #DIV/0!",
    }


def test_what_looks_like_a_formula_is_written_as_a_text(tmp_path: Path) -> None:
    rows = [{"text": text} for text in ("=1+1", '=HYPERLINK("http://x","y")', "+1", "@SUM(A1)", "-2", "\t=1", "\r=1")]
    path = tmp_path / "t.xlsx"
    excel.write(as_records(rows), path)
    assert fields_of(excel, path) == rows
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert sheet.count('t="inlineStr"') == len(rows) + 1


def test_a_formula_gives_the_value_that_excel_computed(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    made.active.append(["text", "total"])
    made.active.append(["a", ArrayFormula("B2", "=1+1")])
    made.save(tmp_path / "plain.xlsx")
    with zipfile.ZipFile(tmp_path / "plain.xlsx") as plain, zipfile.ZipFile(tmp_path / "t.xlsx", "w") as computed:
        for name in plain.namelist():
            content = plain.read(name).replace(b"<v />", b"<v>2</v>").replace(b"<v></v>", b"<v>2</v>")
            computed.writestr(name, content)
    assert fields_of(excel, tmp_path / "t.xlsx") == [{"text": "a", "total": 2}]


def test_two_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    path = book(tmp_path / "t.xlsx", ("s", [["text", "text"], ["a", "b"]]))
    assert "several columns named 'text'" in refusal(excel, path).en


def test_a_workbook_without_rows_is_empty(tmp_path: Path) -> None:
    said = refusal(excel, book(tmp_path / "t.xlsx", ("s", []), ("t", [["", None]])))
    assert "is empty" in said.en
    assert "비어 있습니다" in said.ko


def test_a_workbook_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    whole = book(tmp_path / "t.xlsx", ("s", [["text", "label"], ["a", "b"]])).read_bytes()
    for length in (len(whole) // 3, len(whole) - 5):
        (tmp_path / "cut.xlsx").write_bytes(whole[:length])
        assert "damaged, cut off" in refusal(excel, tmp_path / "cut.xlsx").en


def test_a_row_number_beyond_any_sheet_does_not_count_up_to_it(tmp_path: Path) -> None:
    with zipfile.ZipFile(book(tmp_path / "t.xlsx", ("s", [["text", "label"], ["a", "b"]]))) as plain:
        members = {name: plain.read(name) for name in plain.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b'<row r="2"', b'<row r="1048577"').replace(b'r="A2"', b'r="A1048577"')
    with zipfile.ZipFile(tmp_path / "far.xlsx", "w") as far:
        for name, content in members.items():
            far.writestr(name, content)
    assert "damaged" in refusal(excel, tmp_path / "far.xlsx").en


def test_a_workbook_that_unpacks_to_a_disk_full_is_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sonmat.reading.room.ALWAYS_ALLOWED", 1 << 20)
    path = book(tmp_path / "t.xlsx", ("s", [["text", "label"], ["a", "b"]]))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/empty.bin", bytes(8 << 20))
    assert "was not unpacked" in refusal(excel, path).en


@pytest.mark.parametrize("value", [["a"], {"a": 1}, "x" * 40_000])
def test_what_no_cell_holds_is_not_written(value: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        excel.write(as_records([{"text": "fine"}, {"text": value}]), tmp_path / "t.xlsx")
    assert "row 2" in caught.value.what.en
    assert "2행" in caught.value.what.ko
    assert not (tmp_path / "t.xlsx").exists()
