"""Looks for what is wrong with the examples and accounts for every row: `audit.json` and `ledger.jsonl`.

In: the examples of a run, the recipe, and what a person decided in `decisions.jsonl`. Out: an `Audit`. Checks say what they
see and how it could be mended; the recipe decides whether that is done, left, or stops the run. A blocker raises, after both
files have been written, so that they can be read. Examples themselves are never rewritten: the ledger holds what changed. Rows
stream past the checks, all of which see one batch before the next is read, so that memory grows with what is wrong and not
with the data.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Literal

from sonmat import plugins
from sonmat.core.protocols import Emit
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Audit, Finding, LedgerLine, Repair
from sonmat.core.watching import Check
from sonmat.reading.collecting import collecting_rarely
from sonmat.runs.decisions import RowDecision, read_decisions
from sonmat.runs.files import write_rows, write_value
from sonmat.runs.folder import UNFINISHED, RunFolder
from sonmat.steps.audit.blocked import blocked
from sonmat.steps.audit.book import Book
from sonmat.steps.audit.looking import DONE, examine


@collecting_rarely()
def audit(folder: RunFolder, recipe: Recipe, inputs: str, emit: Emit) -> Audit:
    """Write the findings and the ledger of a loaded run; `inputs` is the fingerprint that the files are marked with.

    Files of an audit with blockers are marked as blocked instead, so that the step does not count as done.

    Raises:
        DataBlocked: there are blockers.
        SettingError: the recipe skips a check that there is none of.
        PluginError: a check asks for repairs without end.
        ModelError: the recipe's encoder cannot be had, or takes something else than these rows.
    """
    source = folder.source()
    book = Book(folder, plugins.find_kind(source.task), source.rows_in - source.problems)
    decisions = read_decisions(folder.path)
    decided = _apply_decisions(book, decisions)
    findings = [*decided, *examine(book, _checks(recipe), decisions, recipe, source.languages, emit)]
    actions: Counter[str] = Counter()
    rank = {"blocker": 0, "warning": 1, "note": 2}
    findings.sort(key=lambda finding: rank[finding.severity])
    blockers = [finding for finding in findings if finding.severity == "blocker"]
    mark = f"{UNFINISHED}{inputs}" if blockers else inputs
    write_rows(folder.file("ledger.jsonl"), LedgerLine, book.lines(actions), mark)
    result = Audit(
        findings=tuple(findings),
        rows_in=actions.total(),
        kept=actions["kept"],
        changed=actions["changed"],
        dropped=actions["dropped"],
    )
    write_value(folder.file("audit.json"), result, mark)
    for finding in result.findings:
        emit("finding", finding.what, check=finding.check, severity=finding.severity, rows=len(finding.rows))
    if blockers:
        raise blocked(blockers, folder.examples(), several_files=len(source.data) > 1)
    return result


def _checks(recipe: Recipe) -> list[Check]:
    skipped = {plugins.find("checks", name).name for name in recipe.skip}
    return [check for check in plugins.every("checks") if check.name not in skipped]


def _apply_decisions(book: Book, decisions: Mapping[str, RowDecision]) -> list[Finding]:
    """Do what a person decided about rows that are there; a finding for each day and kind of decision."""
    if not decisions:
        return []
    here = [example.id for example in book.folder.examples() if example.id in decisions]
    groups: defaultdict[tuple[str, Literal["keep", "change", "drop"]], list[RowDecision]] = defaultdict(list)
    for row in here:
        groups[decisions[row].date, decisions[row].action].append(decisions[row])
    found = []
    for (date, action), group in sorted(groups.items()):
        said = _DECIDED[action]
        finding = Finding(
            check="review",
            severity="note",
            what=Text(en=said.en.format(date=date), ko=said.ko.format(date=date)),
            fix=DONE,
            rows=tuple(decision.row for decision in group),
            decided_by="review",
            repairs=tuple(
                Repair(row=each.row, drop=action == "drop", target=each.target) for each in group if action != "keep"
            ),
        )
        book.apply(finding)
        found.append(finding.model_copy(update={"repairs": ()}))
    return found


_DECIDED: dict[str, Text] = {
    "keep": Text(en="Looked at and kept by a person on {date}.", ko="{date}에 사람이 살펴보고 그대로 두었습니다."),
    "change": Text(en="Changed by a person on {date}.", ko="{date}에 사람이 고쳤습니다."),
    "drop": Text(en="Dropped by a person on {date}.", ko="{date}에 사람이 뺐습니다."),
}
