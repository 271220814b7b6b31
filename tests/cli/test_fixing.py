"""`sonmat audit --fix OUT`: safe repairs written in the original's own shape, every row accounted for, the original untouched."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sonmat.cli.fixing import REPAIRS
from sonmat.core.errors import SonmatError
from sonmat.core.recipe import Recipe
from sonmat.core.values import LedgerLine
from sonmat.repairing import write_repaired
from sonmat.runs import RunFolder
from sonmat.runs.files import read_rows
from tests.cli.conftest import Sonmat
from tests.data.made import pictures

SLOW = ("--skip", "diversity,enough,label_errors")
WORDS = ("invoice", "parcel", "password", "refund", "screen", "battery", "keyboard", "delivery", "contract", "camera")


def rows(count: int = 60) -> list[tuple[str, str, str]]:
    """Text, label and another column; no two texts alike."""
    return [
        (
            f"{WORDS[number % 10]} {WORDS[number * 7 % 10]} {WORDS[number // 10]} {number} "
            + "abcdefghij"[number % 10] * 9,
            "refund" if number % 2 else "delivery",
            f"id-{number}",
        )
        for number in range(count)
    ]


def written(path: Path, table: list[tuple[str, str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["text", "label", "ticket"])
        writer.writerows(table)
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def ledger(path: Path) -> list[LedgerLine]:
    return list(read_rows(path.with_name(path.name + ".ledger.jsonl"), LedgerLine))


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """60 sound rows; then a copy, a variant of a label, an empty text, an address, a control character."""
    table = rows()
    table += [table[3], ("another parcel that never came to my house", "Delivery", "v"), ("", "refund", "e")]
    table += [("write to kim@example.com about the old contract", "refund", "p"), ("one\x07two three four", "refund", "c")]
    return written(tmp_path / "mails.csv", table)


def test_safe_repairs_are_written_with_every_other_column_as_it_was(sonmat: Sonmat, faulty: Path) -> None:
    before = faulty.read_bytes()
    result = sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv")
    assert result.code == 0, result.out + result.err
    assert faulty.read_bytes() == before
    found = read(Path("clean.csv"))
    assert list(found[0]) == ["text", "label", "ticket"]
    tickets = {row["ticket"]: row for row in found}
    assert len(found) == len(tickets) == 63
    assert tickets["v"]["label"] == "delivery"
    assert "kim@example.com" not in tickets["p"]["text"]
    assert tickets["c"]["text"] == "onetwo three four"
    assert [row["text"] for row in found[:60]] == [text for text, _, _ in rows()]
    assert "65 rows in = 60 kept + 3 changed + 2 dropped" in result.out
    assert "63 rows = 65 in − 2 dropped" in result.out


def test_the_ledger_beside_the_file_explains_every_row(sonmat: Sonmat, faulty: Path) -> None:
    sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv")
    lines = ledger(Path("clean.csv"))
    assert [line.position for line in lines] == list(range(65))
    assert [line.source.row for line in lines] == list(range(2, 67))
    assert {line.action for line in lines[:60]} == {"kept"}
    assert [line.action for line in lines[60:]] == ["dropped", "changed", "dropped", "changed", "changed"]
    assert all(line.reason is not None for line in lines[60:])


def test_repairs_can_be_left_out_one_by_one(sonmat: Sonmat, faulty: Path) -> None:
    result = sonmat(
        "audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--no-fix", "normalise,labels,personal-data,duplicates"
    )
    assert result.code == 0, result.out + result.err
    tickets = {row["ticket"]: row for row in read(Path("clean.csv"))}
    assert len(read(Path("clean.csv"))) == 64
    assert tickets["v"]["label"] == "Delivery"
    assert "kim@example.com" in tickets["p"]["text"]


def test_a_recipe_key_wins_over_the_safe_repair(sonmat: Sonmat, faulty: Path) -> None:
    assert sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--duplicates", "keep").code == 0
    assert len(read(Path("clean.csv"))) == 64


def test_every_repair_is_a_recipe_key_with_a_value_that_it_knows() -> None:
    for at in (0, 1):
        assert Recipe(data=("a",), **{name: values[at] for name, values in REPAIRS.items()})


def test_an_unknown_repair_names_the_nearest(sonmat: Sonmat, faulty: Path) -> None:
    result = sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--no-fix", "normalize")
    assert result.code == 2
    assert "'normalise'" in result.err


@pytest.mark.parametrize("out", ["mails.csv", "./mails.csv", "."])
def test_the_original_is_never_the_goal(out: str, sonmat: Sonmat, faulty: Path) -> None:
    before = faulty.read_bytes()
    result = sonmat("audit", *SLOW, "mails.csv", "--fix", out, "--force")
    assert result.code == 2
    assert faulty.read_bytes() == before
    assert "data itself" in result.err


def test_a_file_that_is_there_is_replaced_only_by_force(sonmat: Sonmat, faulty: Path) -> None:
    Path("clean.csv").write_text("mine", encoding="utf-8")
    assert sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv").code == 2
    assert Path("clean.csv").read_text(encoding="utf-8") == "mine"
    assert sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--force").code == 0
    assert len(read(Path("clean.csv"))) == 63


def test_another_ending_writes_another_format(sonmat: Sonmat, faulty: Path) -> None:
    assert sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.jsonl").code == 0
    found = [json.loads(line) for line in Path("clean.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(found) == 63
    assert list(found[0]) == ["text", "label", "ticket"]


def test_what_a_changed_chat_row_says_besides_stays(sonmat: Sonmat, tmp_path: Path) -> None:
    def chat(question: str, answer: str, number: int) -> dict[str, Any]:
        user = {"role": "user", "content": question, "name": "customer"}
        return {
            "id": number,
            "messages": [user, {"role": "assistant", "content": answer, "weight": 1}],
            "source": {"a": [1]},
        }

    data = [chat(text, f"{label} {ticket}", number) for number, (text, label, ticket) in enumerate(rows(30))]
    data.append(chat("my mail is kim@example.com, please answer there", "we will do that\x07 at once", 99))
    (tmp_path / "chats.jsonl").write_text("\n".join(map(json.dumps, data)), encoding="utf-8")
    assert sonmat("audit", *SLOW, "chats.jsonl", "--fix", "clean.jsonl", "--near-duplicates", "keep").code == 0
    found = [json.loads(line) for line in Path("clean.jsonl").read_text(encoding="utf-8").splitlines()]
    assert found[:30] == data[:30]
    last = found[30]
    assert "kim@example.com" not in last["messages"][0]["content"]
    assert last["messages"][0]["name"] == "customer"
    assert last["messages"][1] == {"role": "assistant", "content": "we will do that at once", "weight": 1}
    assert (last["id"], last["source"]) == (99, {"a": [1]})


def test_several_files_become_a_folder_of_files_or_one_file(sonmat: Sonmat, tmp_path: Path) -> None:
    table = rows()
    (tmp_path / "old").mkdir()
    written(tmp_path / "old" / "mails.csv", table[:30])
    written(tmp_path / "mails.csv", [*table[30:], table[0]])
    assert sonmat("audit", *SLOW, "old/mails.csv", "mails.csv", "--fix", "clean").code == 0
    files = sorted(path.relative_to("clean").as_posix() for path in Path("clean").rglob("*.csv"))
    assert len(files) == 2
    assert sum(len(read(Path("clean") / name)) for name in files) == 60
    assert len(ledger(Path("clean"))) == 61
    assert sonmat("audit", *SLOW, "old/mails.csv", "mails.csv", "--fix", "clean.csv").code == 0
    assert [row["ticket"] for row in read(Path("clean.csv"))] == [ticket for _, _, ticket in table]


def test_no_source_is_written_outside_the_folder(sonmat: Sonmat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    written(tmp_path / "mails.csv", rows()[:30])
    written(inner / "mails.csv", rows()[30:])
    monkeypatch.chdir(inner)
    before = (tmp_path / "mails.csv").read_bytes()
    assert sonmat("audit", *SLOW, "../mails.csv", "mails.csv", "--fix", "clean").code == 0
    assert (tmp_path / "mails.csv").read_bytes() == before
    assert {path.name for path in inner.iterdir()} == {"mails.csv", "runs", "clean", "clean.ledger.jsonl"}
    assert len([path for path in (inner / "clean").rglob("*") if path.is_file()]) == 2


def test_a_prompt_made_of_columns_is_mended_in_its_columns(sonmat: Sonmat, tmp_path: Path) -> None:
    table = [
        {"who": f"customer {number}", "why": text, "reply": f"{label} {ticket} is what we say to you"}
        for number, (text, label, ticket) in enumerate(rows(30))
    ]
    table.append({"who": "kim@example.com", "why": "a late\x07 parcel", "reply": "we are sorry for being that late"})
    (tmp_path / "asks.jsonl").write_text("\n".join(map(json.dumps, table)), encoding="utf-8")
    template = "Write to {who} about {why}."
    words = ("--template", template, "--target", "reply", "--near-duplicates", "keep", "--fix", "clean.jsonl")
    result = sonmat("audit", *SLOW, "asks.jsonl", *words)
    assert result.code == 0, result.out + result.err
    found = [json.loads(line) for line in Path("clean.jsonl").read_text(encoding="utf-8").splitlines()]
    assert found[:30] == table[:30]
    assert list(found[30]) == ["who", "why", "reply"]
    assert found[30]["why"] == "a late parcel"
    assert "kim@example.com" not in found[30]["who"]


def test_columns_under_other_names_are_mended_under_their_own(sonmat: Sonmat, tmp_path: Path) -> None:
    table = [*rows(40), ("one\x07two three four", "refund", "c")]
    data = [
        {"질문": text, "답변": f"{label} {ticket}", "번호": number} for number, (text, label, ticket) in enumerate(table)
    ]
    (tmp_path / "asks.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in data), encoding="utf-8")
    words = ("--map", "prompt=질문", "--map", "completion=답변", "--near-duplicates", "keep")
    result = sonmat("audit", *SLOW, "asks.jsonl", *words, "--fix", "clean.jsonl")
    assert result.code == 0, result.out + result.err
    found = [json.loads(line) for line in Path("clean.jsonl").read_text(encoding="utf-8").splitlines()]
    assert found == [*data[:40], {"질문": "onetwo three four", "답변": "refund c", "번호": 40}]


def test_kept_pictures_are_copied_into_a_folder_of_classes(sonmat: Sonmat, tmp_path: Path) -> None:
    folder = pictures(tmp_path)
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "0.png").read_bytes())
    result = sonmat("audit", *SLOW, "photos", "--fix", "clean", "--near-duplicates", "keep")
    assert result.code == 0, result.out + result.err
    found = sorted(path.relative_to("clean").as_posix() for path in Path("clean").rglob("*.png"))
    assert len(found) == 24
    assert len(list(folder.rglob("*.png"))) == 25
    assert len(ledger(Path("clean"))) == 25


def test_rows_that_a_person_decided_are_heeded(sonmat: Sonmat, tmp_path: Path) -> None:
    table = [*rows(), ("the same words in two rows", "refund", "a"), ("the same words in two rows", "delivery", "b")]
    written(tmp_path / "mails.csv", table)
    sonmat("audit", "mails.csv", "--review", "--skip", f"near_duplicate_texts,{SLOW[1]}", typed="d\nk\nq\n")
    assert sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv").code == 0
    assert "a" not in {row["ticket"] for row in read(Path("clean.csv"))}
    assert any("by a person" in line.reason.en for line in ledger(Path("clean.csv")) if line.reason)


def test_blockers_write_nothing(sonmat: Sonmat, faulty: Path) -> None:
    result = sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--labels", "ask")
    assert result.code == 1
    assert not Path("clean.csv").exists()


def test_rows_that_do_not_add_up_leave_nothing_written(sonmat: Sonmat, faulty: Path) -> None:
    sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv")
    folder = RunFolder(Path("runs/mails"))
    audit = folder.file("audit.json")
    audit.write_text(audit.read_text(encoding="utf-8").replace('"kept": 60', '"kept": 61'), encoding="utf-8")
    with pytest.raises(SonmatError, match="do not add up"):
        write_repaired(folder, Path("other.csv"))
    assert not Path("other.csv").exists()


def test_fix_in_json_says_what_was_written(sonmat: Sonmat, faulty: Path) -> None:
    repaired = sonmat("audit", *SLOW, "mails.csv", "--fix", "clean.csv", "--json").json["repaired"]
    assert (repaired["out"], repaired["ledger"]) == ("clean.csv", "clean.csv.ledger.jsonl")
    assert repaired["rows_in"] == repaired["kept"] + repaired["changed"] + repaired["dropped"] == 65
