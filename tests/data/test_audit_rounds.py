"""Rounds of repairs: checks that only tell are asked once, and an audit finds what it found when they were asked every round."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Finding, Repair
from sonmat.core.watching import Check, Rows, Surroundings, Watch
from sonmat.steps.audit import looking
from tests.data.made import SLOW, Job, job

MENDING: dict[str, Any] = {
    "bad_rows": "drop", "labels": "merge", "normalise": "fix", "duplicates": "drop", "near_duplicates": "drop",
    "leakage": "drop", "personal_data": "redact",
}  # fmt: skip
SUBJECTS = ("배송", "환불", "결제", "재고")
ASKED = ("언제 되나요", "방법을 알려 주세요", "이(가) 안 됩니다", "비용이 궁금해요", "을(를) 취소하고 싶어요")


def damaged() -> str:
    """A table with a fault of every kind that is mended, some of which hide others."""
    rows = [f"{subject} {asked} {number},{subject}" for number in range(2) for subject in SUBJECTS for asked in ASKED]
    rows[3] = "<p>배송 상태를 &amp; 확인해 주세요</p>,배송"
    # Without what cannot be seen, and without marks, these repeat a row that stands there, or one another.
    rows += ["배송\u200b 언제 되나요 0,배송", "<b>환불 언제 되나요 0</b>,환불", "환불 언제 되나요 0,환불"]
    rows += ["결제 언제 되나요 1,결제 ", "재고 비용이 궁금해요 1,재고.", "쿠폰은 010-1234-5678로 보내 주세요,배송"]
    rows += ["메일은 kim@example.com입니다,환불", "메일은 kim@example.com입니다,환불", "환불 언제 되나요 1,결제", ",재고"]
    rows += ["íê¸ì´ ê¹¨ì¡ì´ì,결제", "재고 언제 되나요 3 재고 언제 되나요 3 재고 언제 되나요 3,재고"]
    return "\n".join(["문장,의도", *rows]) + "\n"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each check was asked for its findings."""
    counted: Counter[str] = Counter()
    real = looking._findings

    def findings(watches: Any, *rest: Any) -> Any:
        counted.update(check.name for check, _ in watches)
        return real(watches, *rest)

    monkeypatch.setattr(looking, "_findings", findings)
    return counted


def found_in(made: Job) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The whole audit and the whole ledger, as they are written."""
    result = made.audit()
    return [finding.model_dump() for finding in result.findings], [line.model_dump() for line in made.folder.ledger()]


def test_asking_late_finds_and_mends_the_very_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: Counter[str]
) -> None:
    (tmp_path / "data").mkdir()
    late = found_in(made := job(tmp_path / "data", "t.csv", damaged(), **MENDING))
    times = Counter(asked)
    assert max(times.values()) >= 3, "one fault hid another"
    assert {times[name] for name in (*SLOW, "language_mix")} == {1}
    changed = Counter(line["action"] for line in late[1])
    assert min(changed["kept"], changed["changed"], changed["dropped"]) >= 3
    # The same file, so that it is told in the same words.
    made.folder.file("audit.json").unlink()
    for name in (*SLOW, "language_mix"):
        monkeypatch.delattr(type(plugins.find("checks", name)), "only_tells")
    again = found_in(made)
    assert late == again
    assert {asked[name] - times[name] for name in SLOW} == {max(times.values())}


def test_without_repairs_everything_is_asked_in_one_round(tmp_path: Path, asked: Counter[str]) -> None:
    job(tmp_path, "t.csv", "\n".join(damaged().split("\n")[:30]) + "\n").audit()
    assert set(asked.values()) == {1}
    assert set(SLOW) <= set(asked)


class MendsAfterAll:
    """Says that it only tells, and asks for one repair."""

    name = "late_mender"
    title = verbatim("late mender")
    only_tells = True

    def watch(self, data: Surroundings) -> Watch:
        return _DropsOne(self.name)


class _DropsOne:
    def __init__(self, name: str) -> None:
        self.name, self.ids = name, list[str]()

    def see(self, rows: Rows) -> None:
        self.ids += [example.id for example in rows.examples if example.input["text"] == "재고 언제 되나요 1"]

    def findings(self) -> Iterator[Finding]:
        text, drops = Text(en="drop it", ko="빼세요"), tuple(Repair(row=id, drop=True) for id in self.ids)
        if drops:
            yield Finding(
                check=self.name, severity="blocker", what=text, fix=text, rows=tuple(self.ids), decided_by="duplicates",
                repairs=drops,
            )  # fmt: skip


def test_a_late_check_that_asks_for_a_repair_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    every, check = plugins._all, MendsAfterAll()
    made: Check = check
    monkeypatch.setattr(plugins, "_all", lambda room: {**every(room), **({check.name: made} if room == "checks" else {})})
    wanted = job(tmp_path, "t.csv", damaged(), skip=SLOW, **MENDING)
    result = wanted.audit()
    assert [finding.severity for finding in result.findings if finding.check == check.name] == ["note"]
    assert [line.reason.en for line in wanted.folder.ledger() if line.reason is not None].count("drop it") == 1
