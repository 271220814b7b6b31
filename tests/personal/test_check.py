"""The check names rows and kinds, never values; the recipe says whether they are kept, redacted, dropped, or stop the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.conformance import check_check, findings_of
from sonmat.core.errors import DataBlocked
from sonmat.core.values import Example, Source
from sonmat.reading.personal import find_personal
from tests.data.made import Job, job, labelled

CHECK = plugins.find("checks", "personal_data")
LABELLED = plugins.find_kind("text-classification")
CHAT = plugins.find_kind("chat")

VALUES = ("010-1234-5678", "gildong@naver.com", "880101-1234567", "4111-1111-1111-1111", "hunter2xyz!")
PLANTED = {
    "a": f"제 번호는 {VALUES[0]}이에요.",
    "b": f"{VALUES[1]}로 보내고 {VALUES[0]}로 전화 주세요.",
    "c": f"주민번호 {VALUES[2]} 확인해 주세요.",
    "d": f"카드 {VALUES[3]} 결제가 두 번 됐어요.",
    "e": f"password: {VALUES[4]}",
}


@pytest.fixture(autouse=True)
def _this_check_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other checks have their own tests."""
    every = plugins.every

    def alone(room: Any) -> Any:
        return (CHECK,) if room == "checks" else every(room)

    monkeypatch.setattr(plugins, "every", alone)


def talk(number: int, question: str, answer: str) -> Example:
    source = Source(file="made.jsonl", row=number + 1)
    return Example(
        id=f"row{number}",
        input={"messages": [{"role": "user", "content": question}]},
        target={"text": answer},
        source=source,
    )


def file_with(tmp_path: Path, **wishes: Any) -> Job:
    rows = [{"instruction": f"{number}번째 질문입니다", "output": f"{number}번째 답변이에요"} for number in range(40)]
    rows += [{"instruction": text, "output": f"네, {text}"} for text in PLANTED.values()]
    content = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return job(tmp_path, "talk.jsonl", content, task="chat", **wishes)


def test_planted_values_are_found_in_inputs_and_in_answers() -> None:
    clean = [talk(number, f"{number}번째 질문", "네") for number in range(20)]
    faulty = [*clean, talk(30, PLANTED["a"], "네"), talk(31, "연락처 알려 주세요", VALUES[1])]
    check_check(CHECK, CHAT, clean, faulty, ["row30", "row31"])


def test_there_is_one_finding_a_kind_with_counts_and_no_value() -> None:
    rows = [talk(number, text, "네") for number, text in enumerate(PLANTED.values())]
    found = {finding.data["kind"]: finding for finding in findings_of(CHECK, rows, CHAT)}
    assert list(found) == ["password", "card", "resident_number", "email", "phone"]
    assert found["phone"].rows == ("row0", "row1")
    assert found["phone"].data == {"kind": "phone", "values": 2}
    assert "2 found in 2 rows" in found["phone"].what.en
    assert found["phone"].evidence == ("제 번호는 ‹전화번호›이에요.", "‹이메일›로 보내고 ‹전화번호›로 전화 주세요.")
    assert {finding.severity for finding in found.values()} == {"warning"}
    for finding in found.values():
        assert not any(value in finding.model_dump_json() for value in VALUES)


def test_labels_and_numeric_ids_do_not_alarm() -> None:
    rows = [labelled(number, f"주문번호 2024051512{number:04d} 언제 오나요", "010-1234-5678") for number in range(20)]
    assert findings_of(CHECK, rows, LABELLED) == []


def test_by_default_rows_are_kept_and_the_warning_stands(tmp_path: Path) -> None:
    made = file_with(tmp_path)
    result = made.audit()
    assert (result.changed, result.dropped) == (0, 0)
    assert {finding.severity for finding in result.findings} == {"warning"}
    assert not any(finding.repairs for finding in result.findings)


def test_redaction_leaves_nothing_to_find_and_is_the_same_for_a_value_everywhere(tmp_path: Path) -> None:
    made = file_with(tmp_path, personal_data="redact")
    result = made.audit()
    assert (result.changed, result.dropped) == (len(PLANTED), 0)
    kept = [example.model_dump_json() for example in made.folder.kept_examples()]
    assert not any(find_personal(text) for text in kept)
    assert sum("[PHONE_1]" in text for text in kept) == 2
    assert sum("[EMAIL_1]" in text for text in kept) == 1
    assert not any("_2]" in text for text in kept)
    assert {finding.severity for finding in result.findings} == {"note"}


def test_dropping_leaves_the_rows_out(tmp_path: Path) -> None:
    result = file_with(tmp_path, personal_data="drop").audit()
    assert (result.changed, result.dropped) == (0, len(PLANTED))


def test_stopping_stops_and_shows_no_value(tmp_path: Path) -> None:
    made = file_with(tmp_path, personal_data="stop")
    with pytest.raises(DataBlocked) as caught:
        made.audit()
    assert "‹전화번호›" in caught.value.what.ko
    assert not any(value in caught.value.what.en + caught.value.what.ko for value in VALUES)


@pytest.mark.parametrize("wish", ["keep", "redact", "drop"])
def test_audit_ledger_and_log_hold_no_value(tmp_path: Path, wish: str) -> None:
    made = file_with(tmp_path, personal_data=wish)
    made.audit()
    assert any(value in made.folder.file("examples.jsonl").read_text(encoding="utf-8") for value in VALUES)
    for name in ("audit.json", "ledger.jsonl", "source.json"):
        written = made.folder.file(name).read_text(encoding="utf-8")
        assert not any(value in written for value in VALUES), name
    said = json.dumps([[kind, str(text), data] for kind, text, data in made.told.events], ensure_ascii=False, default=str)
    assert not any(value in said for value in VALUES)


def test_labels_stay_when_the_text_of_their_row_is_redacted(tmp_path: Path) -> None:
    lines = [f"{number}번째 문의,{'배송' if number % 2 else '환불'}" for number in range(40)]
    made = job(tmp_path, "t.csv", "\n".join(["text,label", *lines, "010-1234-5678로 전화,배송"]), personal_data="redact")
    made.audit()
    *_, last = made.folder.kept_examples()
    assert (last.input["text"], last.target["label"]) == ("[PHONE_1]로 전화", "배송")


def test_evidence_that_another_check_quotes_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sonmat.checking.row_faults import Fault, Faults, RowFaults
    from sonmat.core.text import verbatim
    from sonmat.core.values import Finding
    from sonmat.core.watching import Rows, Surroundings, Watch

    class Quoting:
        name = "quoting"
        title = verbatim("Quoting")

        def watch(self, data: Surroundings) -> Watch:
            return RowFaults(self._faults, self._finding)

        def _faults(self, rows: Rows) -> list[Fault]:
            return [Fault(at, evidence=f"{text[:16]}…") for at, text in enumerate(rows.inputs) if "1234" in text]

        def _finding(self, found: Faults) -> Finding:
            return Finding(
                check=self.name,
                severity="warning",
                what=verbatim(f"like {VALUES[0]}"),
                fix=verbatim("look"),
                rows=tuple(found.ids),
                evidence=tuple(found.evidence),
                data={"first": VALUES[0]},
            )

    every = plugins.every
    monkeypatch.setattr(plugins, "every", lambda room: (Quoting(),) if room == "checks" else every(room))
    made = file_with(tmp_path)
    (finding,) = made.audit().findings
    assert "1234" not in finding.model_dump_json()
    assert finding.evidence[0].endswith("…")
