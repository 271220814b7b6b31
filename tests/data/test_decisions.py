"""What a person decided about single rows: written so that a kill loses nothing, heeded by the audit, told in the ledger."""

from __future__ import annotations

from pathlib import Path

from sonmat.core.recipe import Recipe
from sonmat.core.values import Example, Finding
from sonmat.pipeline import fingerprints_of
from sonmat.runs.decisions import DECISIONS_FILE, RowDecision, append_decision, decisions_fingerprint, read_decisions
from tests.data.made import Job, job, table

DAY = "2026-08-07"
SLOW = ("diversity", "enough", "label_errors")


def decided(made: Job, at: int, action: str, label: str | None = None, checks: tuple[str, ...] = ()) -> Example:
    """The example at that place, with a decision on it."""
    example = list(made.folder.examples())[at]
    target = {"label": label} if label else None
    decision = RowDecision(row=example.id, action=action, target=target, checks=checks, date=DAY)
    append_decision(made.folder.path, decision)
    return example


def loaded(tmp_path: Path, content: str) -> Job:
    made = job(tmp_path, "t.csv", content, skip=SLOW)
    made.audit()
    return made


def test_decisions_are_done_and_the_ledger_says_by_whom_and_when(tmp_path: Path) -> None:
    made = loaded(tmp_path, table(240))
    dropped = decided(made, 3, "drop")
    changed = decided(made, 5, "change", "배송")
    kept = decided(made, 7, "keep")
    result = made.audit()
    assert (result.rows_in, result.kept, result.changed, result.dropped) == (240, 238, 1, 1)
    lines = {line.id: line for line in made.folder.ledger()}
    assert (lines[dropped.id].action, lines[changed.id].action, lines[kept.id].action) == ("dropped", "changed", "kept")
    assert "by a person on 2026-08-07" in lines[dropped.id].reason.en  # type: ignore[union-attr]
    assert "2026-08-07에 사람이 고쳤습니다" in lines[changed.id].reason.ko  # type: ignore[union-attr]
    after = {example.id: example for example in made.folder.kept_examples()}
    assert after[changed.id].target == {"label": "배송"}
    assert dropped.id not in after
    found = [finding for finding in result.findings if finding.check == "review"]
    assert [len(finding.rows) for finding in found] == [1, 1, 1]
    assert {finding.decided_by for finding in found} == {"review"}
    assert {finding.severity for finding in found} == {"note"}


def test_a_kept_row_is_not_reported_again_by_the_checks_that_were_answered(tmp_path: Path) -> None:
    content = table(240) + "같은 문장을 두 번 넣었습니다,환불\n같은 문장을 두 번 넣었습니다,배송\n"
    made = loaded(tmp_path, content)
    (before,) = reported(made, "conflicts")
    for at in (240, 241):
        decided(made, at, "keep", checks=("duplicates",))
    made.audit()
    assert reported(made, "conflicts") == [before]
    decided(made, 240, "keep", checks=("conflicts",))
    made.audit()
    (after,) = reported(made, "conflicts")
    assert set(before.rows) - set(after.rows) == {list(made.folder.examples())[240].id}
    assert "1 of these rows a person has looked at and kept" in after.what.en
    decided(made, 241, "keep", checks=("conflicts",))
    made.audit()
    assert [finding for finding in reported(made, "conflicts") if finding.rows] == []


def reported(made: Job, check: str) -> list[Finding]:
    return [finding for finding in made.folder.audit().findings if finding.check == check]


def test_decisions_on_rows_that_are_no_longer_there_change_nothing(tmp_path: Path) -> None:
    made = loaded(tmp_path, table(240))
    append_decision(made.folder.path, RowDecision(row="gone", action="drop", date=DAY))
    result = made.audit()
    assert (result.rows_in, result.kept) == (240, 240)
    assert "review" not in {finding.check for finding in result.findings}


def test_the_latest_decision_on_a_row_counts(tmp_path: Path) -> None:
    for action in ("drop", "keep"):
        append_decision(tmp_path, RowDecision(row="a", action=action, date=DAY))
    assert read_decisions(tmp_path)["a"].action == "keep"


def test_a_line_torn_by_a_kill_is_skipped_and_hurts_no_other(tmp_path: Path) -> None:
    append_decision(tmp_path, RowDecision(row="a", action="drop", date=DAY))
    whole = (tmp_path / DECISIONS_FILE).read_bytes()
    for cut in range(1, len(whole)):
        (tmp_path / DECISIONS_FILE).write_bytes(whole + whole[:cut])
        append_decision(tmp_path, RowDecision(row="b", action="keep", date=DAY))
        assert list(read_decisions(tmp_path)) == ["a", "b"]


def test_the_audit_is_done_again_when_a_decision_came_and_nothing_before_it(tmp_path: Path) -> None:
    recipe = Recipe(data=("a.csv",))
    before = fingerprints_of(recipe, "data", decisions_fingerprint(tmp_path))
    append_decision(tmp_path, RowDecision(row="a", action="drop", date=DAY))
    after = fingerprints_of(recipe, "data", decisions_fingerprint(tmp_path))
    assert before["load"] == after["load"]
    assert all(before[step] != after[step] for step in ("audit", "split", "prove"))
    append_decision(tmp_path, RowDecision(row="a", action="drop", date=DAY))
    assert fingerprints_of(recipe, "data", decisions_fingerprint(tmp_path)) == after
