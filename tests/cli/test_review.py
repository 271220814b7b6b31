"""`sonmat audit --review`: rows one at a time, decisions written as they are typed, and heeded by the audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sonmat import open_run, plugins
from sonmat.cli.review import suspects_of
from sonmat.core.text import verbatim
from sonmat.core.values import Finding, LedgerLine
from sonmat.runs.decisions import RowDecision, read_decisions
from tests.cli.conftest import Sonmat, widest

TWICE = ("the same words twice", "and another text twice")
ALONE = ("--skip", ",".join(check.name for check in plugins.every("checks") if check.name != "conflicts"))
"""Only the rows with two labels are suspicious."""


@pytest.fixture
def mails(tmp_path: Path) -> Path:
    lines = [f"message {number} {'bill to pay' if number % 2 else 'lost parcel'},{number % 2}" for number in range(60)]
    lines += [f"{text},{label}" for text in TWICE for label in (0, 1)]
    path = tmp_path / "mails.csv"
    path.write_text("\n".join(["text,label", *lines]) + "\n", encoding="utf-8")
    return path


def decisions() -> list[RowDecision]:
    return list(read_decisions(Path("runs/mails")).values())


def test_every_suspicious_row_is_shown_with_the_reason_and_the_answers_are_heeded(sonmat: Sonmat, mails: Path) -> None:
    result = sonmat("audit", "mails.csv", *ALONE, "--review", typed="k\nl\n2\ne\n0\nd\n")
    assert result.code == 0
    assert "1/4" in result.out
    assert "4/4" in result.out
    assert "conflicts:" in result.out
    assert "text: the same words twice" in result.out
    assert "4 decided, 0 left" in result.out
    assert [each.action for each in decisions()] == ["keep", "change", "change", "drop"]
    assert [each.target for each in decisions()] == [None, {"label": "1"}, {"label": "0"}, None]
    assert {check for each in decisions() for check in each.checks} == {"conflicts"}
    assert "64 rows in = " in result.out
    assert "+ 1 dropped" in result.out
    assert widest(result.out) <= 80


def test_a_decided_row_is_not_asked_again(sonmat: Sonmat, mails: Path) -> None:
    first = sonmat("audit", "mails.csv", *ALONE, "--review", typed="k\nk\nq\n")
    assert "2 decided, 2 left" in first.out
    second = sonmat("audit", "mails.csv", "--review", typed="k\nk\n")
    assert "1/2" in second.out
    assert "2 decided, 0 left" in second.out
    assert "No row waits" in sonmat("audit", "mails.csv", "--review", typed="").out
    assert len(decisions()) == 4


def test_a_decided_row_that_a_check_still_reports_is_not_asked_again(sonmat: Sonmat, mails: Path) -> None:
    # The label that is typed is the one that was there, so that the conflict stays.
    sonmat("audit", "mails.csv", *ALONE, "--review", typed="l\n0\nq\n")
    result = sonmat("audit", "mails.csv", "--review", typed="q\n")
    assert decisions()[0].row in {row for each in open_run("mails").audit.findings for row in each.rows}
    assert "1/3" in result.out


def test_back_asks_the_row_before_again_and_its_new_answer_counts(sonmat: Sonmat, mails: Path) -> None:
    sonmat("audit", "mails.csv", *ALONE, "--review", typed="d\nb\nk\nq\n")
    assert [each.action for each in decisions()] == ["keep"]


def test_an_end_of_input_or_ctrl_c_loses_nothing(sonmat: Sonmat, mails: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sonmat("audit", "mails.csv", *ALONE, "--review", typed="d\n").code == 0
    assert len(decisions()) == 1
    answers = iter(["d"])

    def interrupted(prompt: str) -> str:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("builtins.input", interrupted)
    result = sonmat("audit", "mails.csv", "--review")
    assert result.code == 130
    assert "same command continues" in result.err
    assert len(decisions()) == 2


def test_words_that_are_no_answer_are_asked_again(sonmat: Sonmat, mails: Path) -> None:
    result = sonmat("audit", "mails.csv", *ALONE, "--review", typed="x\n\nl\n\ne\n\nk\nq\n")
    assert result.out.count("Type one of these letters") == 2
    assert [each.action for each in decisions()] == ["keep"]


def test_a_written_answer_can_be_edited_over_several_lines(sonmat: Sonmat, tmp_path: Path) -> None:
    rows = [{"prompt": f"question {number} about things", "completion": f"answer {number}"} for number in range(30)]
    rows += [{"prompt": "what is it?", "completion": "one thing"}, {"prompt": "what is it?", "completion": "another"}]
    (tmp_path / "mails.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = sonmat("audit", "mails.jsonl", *ALONE, "--review", typed="e\nfirst\\nsecond\nq\n")
    assert "Traceback" not in result.err
    assert "user: what is it?" in result.out
    assert decisions()[0].target == {"text": "first\nsecond"}
    changed = [line for line in open_run("mails").folder.ledger() if line.action == "changed"]
    assert [line.target for line in changed] == [{"text": "first\nsecond"}]
    assert all(isinstance(line, LedgerLine) for line in changed)


def test_review_and_json_do_not_go_together(sonmat: Sonmat, mails: Path) -> None:
    assert sonmat("audit", "mails.csv", "--review", "--json").code == 2


def test_label_errors_come_first_and_a_row_stands_once() -> None:
    def finding(check: str, *rows: str, **more: Any) -> Finding:
        said = verbatim("x")
        return Finding(check=check, severity="warning", what=said, fix=said, rows=rows, **more)

    found = suspects_of(
        [
            finding("duplicates", "z"),
            finding("conflicts", "a", "b"),
            finding("label_errors", "b", "c", data={"rows": [{"id": "b", "suggested": ["refund"]}]}),
            finding("near_duplicate_texts", "d", clusters=(("d", "e"),)),
        ]
    )
    assert [suspect.id for suspect in found] == ["b", "c", "d", "a"]
    assert found[0].suggested == ("refund",)
    assert found[0].checks == ("label_errors", "conflicts")
    assert found[2].alike == ("e",)
