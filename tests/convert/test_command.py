"""`sonmat convert` on the command line: what was written and lost, for people and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sonmat.cli import main
from tests.data.made import table


@pytest.fixture
def original(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SONMAT_LANG", "en")
    path = tmp_path / "rows.csv"
    path.write_text(
        "".join(f"{line},{'지역' if not n else '서울'}\n" for n, line in enumerate(table(6).splitlines())), "utf-8"
    )
    return path


def test_people_read_what_was_written_and_lost(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(original), str(original.with_suffix(".jsonl")), "--to", "messages"]) == 0
    said = capsys.readouterr().out
    assert "6 of 6 rows" in said
    assert "without the column '지역'" in said
    assert main(["convert", str(original), str(original.with_name("kept.jsonl")), "--keep", "지역"]) == 0
    assert "Nothing was lost." in capsys.readouterr().out


def test_programs_read_one_document(original: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = original.with_suffix(".json")
    assert main(["convert", str(original), str(out), "--to", "alpaca", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows_out"], found["new_shape"], found["format"]) == (6, "alpaca", "json")
    assert [(loss["rows"], loss["chosen"]) for loss in found["losses"]] == [(6, True)]
    assert main(["convert", str(original), str(out), "--to", "alpaca", "--json"]) == 2
    assert "already" in json.loads(capsys.readouterr().out)["error"]["message"]
