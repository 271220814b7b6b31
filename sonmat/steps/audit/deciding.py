"""What is done about a finding: stop, mend or leave it, as the recipe and people's decisions on single rows say.

In: findings, the recipe, decisions. Out: findings as they are reported, with the severity that the decision gives them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.runs.decisions import RowDecision


def decision_on(finding: Finding, recipe: Recipe) -> Literal["stop", "repair", "keep"]:
    if finding.decided_by is None:
        return "stop"
    if finding.decided_by == "review":
        return "repair"
    settings: dict[str, Literal["stop", "repair", "keep"]] = {
        "stop": "stop",
        "ask": "stop",
        "drop": "repair",
        "merge": "repair",
        "fix": "repair",
        "redact": "repair",
        "keep": "keep",
    }
    return settings[getattr(recipe, finding.decided_by)]


def as_asked(finding: Finding, recipe: Recipe) -> Finding:
    """With its rows left out instead of mended where the deciding setting says drop."""
    if finding.decided_by is None or getattr(recipe, finding.decided_by, None) != "drop":
        return finding
    return finding.model_copy(update={"repairs": tuple(Repair(row=each.row, drop=True) for each in finding.repairs)})


def as_decided(finding: Finding, recipe: Recipe) -> Finding:
    decision = decision_on(finding, recipe)
    severity = finding.severity
    if decision == "keep" and severity == "blocker":
        severity = "note"
    elif decision == "stop" and finding.decided_by is not None:
        severity = "blocker"
    return finding.model_copy(update={"severity": severity, "repairs": ()})


def undecided(finding: Finding, decisions: Mapping[str, RowDecision]) -> Finding | None:
    """The finding without rows that a person has kept in spite of it; None where no other row is concerned."""

    def kept(row: str) -> bool:
        return row in decisions and decisions[row].action == "keep" and finding.check in decisions[row].checks

    rows = tuple(row for row in finding.rows if not kept(row))
    count = len(finding.rows) - len(rows)
    if not count:
        return finding
    # Rows that say the same stay in one part of the split, whoever has looked at them.
    if not rows and not finding.clusters:
        return None
    what = Text(
        en=f"{finding.what.en} {count:,} of these rows a person has looked at and kept.",
        ko=f"{finding.what.ko} 이 가운데 {count:,}행은 사람이 살펴보고 그대로 두었습니다.",
    )
    repairs = tuple(repair for repair in finding.repairs if not kept(repair.row))
    severity = finding.severity if rows else "note"
    return finding.model_copy(update={"what": what, "rows": rows, "repairs": repairs, "severity": severity})
