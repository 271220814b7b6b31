"""`sonmat audit` on real files: table, JSON, exit codes, and that neither torch nor a model is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Sonmat, widest

SLOW = ("--skip", "diversity,enough,label_errors")


def mails(path: Path, *more: str, rows: int = 60) -> Path:
    """A table of two classes, with `more` lines below."""
    lines = [f"message number {number} about {'bill' if number % 2 else 'parcel'},{number % 2}" for number in range(rows)]
    path.write_text("\n".join(["text,label", *lines, *more]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("language", ["en", "ko"])
def test_blockers_show_the_whole_table_and_exit_1(language: str, sonmat: Sonmat, tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv", "a bill for rent,Rent", "another bill for rent,rent", "third bill for rent,rent")
    result = sonmat("--lang", language, "audit", "mails.csv", *SLOW)
    assert result.code == 1
    assert "label_variants" in result.out
    assert "row_count" in result.out
    assert ("mails.csv, row" if language == "en" else "mails.csv 62") in result.out
    assert ("63 rows in = 63 kept + 0 changed" if language == "en" else "읽은 63행 = 그대로 63") in result.out
    assert result.out.rstrip().endswith("runs/mails/ledger.jsonl")
    assert widest(result.out) <= 80
    assert "Traceback" not in result.err


def test_blockers_come_first_and_the_count_of_each_kind_is_told(sonmat: Sonmat, tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv", "a bill for rent,Rent", "another bill for rent,rent", "third bill for rent,rent")
    out = sonmat("audit", "mails.csv", *SLOW).out
    assert out.index("blocker") < out.index("warning")
    assert "1 blocker, " in out


def test_json_is_complete_also_when_blocked(sonmat: Sonmat, tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv", "a bill for rent,Rent", "another bill for rent,rent", "third bill for rent,rent")
    result = sonmat("audit", "mails.csv", *SLOW, "--json")
    assert result.code == 1
    document = result.json
    assert document["blocked"] is True
    (finding,) = [each for each in document["audit"]["findings"] if each["check"] == "label_variants"]
    assert finding["severity"] == "blocker"
    assert len(finding["rows"]) == len(finding["places"]) > 0
    assert set(finding["places"]) <= {"mails.csv:62", "mails.csv:63", "mails.csv:64"}
    assert {"what", "fix", "evidence", "clusters", "decided_by", "data"} <= set(finding)
    assert document["audit"]["rows_in"] == 63
    assert all(Path(path).is_file() for path in document["files"].values())


def test_data_without_blockers_exit_0_unless_warnings_are_asked_to_fail(sonmat: Sonmat, tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv")
    assert sonmat("audit", "mails.csv", *SLOW).code == 0
    result = sonmat("audit", "mails.csv", *SLOW, "--fail-on", "warning")
    assert result.code == 1
    assert "row_count" in result.out
    assert sonmat("audit", "mails.csv", *SLOW, "--fail-on", "nonsense").code == 2


def test_changed_options_on_data_that_has_a_run_are_used(sonmat: Sonmat, tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv", "a bill for rent,Rent", "another bill for rent,rent", "third bill for rent,rent")
    assert sonmat("audit", "mails.csv", *SLOW).code == 1
    result = sonmat("audit", "mails.csv", *SLOW, "--labels", "merge")
    assert result.code == 0
    assert "63 rows in = 62 kept + 1 changed + 0 dropped" in result.out


def test_a_mistake_of_the_user_is_still_an_error_with_code_2(sonmat: Sonmat, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    assert sonmat("audit", "empty.csv").code == 2
    assert "empty.csv" in sonmat("audit", "empty.csv", "--json").json["error"]["message"]


def test_the_audit_needs_neither_torch_nor_transformers(tmp_path: Path) -> None:
    mails(tmp_path / "mails.csv")
    program = (
        "import sys; from sonmat.cli import main; code = main(['audit', 'mails.csv', '--json']);"
        "heavy = {'torch', 'transformers', 'peft', 'accelerate'};"
        "print(code, sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stderr.rstrip().endswith("0 []")
