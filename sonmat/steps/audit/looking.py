"""Lets every check look at the rows, and mends what the recipe says is to be mended, until nothing is left to do.

In: the book of the audit, checks, recipe. Out: findings. Rows stream past the checks, all of which see one batch before the next
is read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from sonmat import plugins
from sonmat.core.errors import PluginError
from sonmat.core.protocols import Emit, Row
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.core.watching import Check, OnlyTells, Surroundings, Watch
from sonmat.embedding.encoder import Encoder, encoder_for
from sonmat.embedding.sample import DrawnSample
from sonmat.models import resolve, row_encoder
from sonmat.reading.compact import CompactStrings
from sonmat.reading.personal import masked_content, masked_piece
from sonmat.reading.rows import in_batches
from sonmat.runs.decisions import RowDecision
from sonmat.steps.audit.book import Book
from sonmat.steps.audit.deciding import as_asked, as_decided, decision_on, undecided

_MOST_ROUNDS = 10
_REPORT_EVERY_SECONDS = 1.0
DONE = Text(en="Done as you asked; the ledger lists every row.", ko="요청하신 대로 처리했고, 모든 행을 장부에 적었습니다.")


def examine(
    book: Book,
    checks: list[Check],
    decisions: Mapping[str, RowDecision],
    recipe: Recipe,
    languages: tuple[str, ...],
    emit: Emit,
) -> list[Finding]:
    """Every finding; after repairs everything is looked at once more, because one fault can hide another."""
    done: dict[str, Finding] = {}
    for _ in range(_MOST_ROUNDS):
        watches = _watched(book, checks, recipe, languages, emit)
        found: dict[str, list[Finding]] = {}
        to_repair: list[Finding] = []
        for late in (False, True):
            asked = [(check, watch) for check, watch in watches if _is_late(check) == late]
            found.update(_findings(asked, decisions, emit))
            to_repair = [finding for each in found.values() for finding in each if _is_to_repair(finding, recipe)]
            if to_repair:
                break
        else:
            told = (finding for check, _ in watches for finding in found[check.name])
            return [*done.values(), *(as_decided(finding, recipe) for finding in told)]
        # Redaction goes by the text as it is then, so that no other repair brings back what it took out.
        to_repair.sort(key=lambda finding: finding.decided_by == "personal_data")
        for number, finding in enumerate(to_repair):
            if book.apply(as_asked(finding, recipe)):
                key = f"{finding.check} {number}" if finding.check in done else finding.check
                done[key] = finding.model_copy(update={"severity": "note", "fix": DONE, "repairs": (), "clusters": ()})
    names = ", ".join(sorted({finding.check for finding in to_repair}))
    raise PluginError(
        Text(en=f"The checks {names} ask for repairs again and again.", ko=f"점검 {names}이(가) 수정을 끝없이 요구합니다.")
    )


def _is_late(check: Check) -> bool:
    return isinstance(check, OnlyTells) and check.only_tells


def _is_to_repair(finding: Finding, recipe: Recipe) -> bool:
    return bool(finding.repairs) and decision_on(finding, recipe) == "repair"


def _watched(
    book: Book, checks: list[Check], recipe: Recipe, languages: tuple[str, ...], emit: Emit
) -> list[tuple[Check, Watch]]:
    """Every check that has something to say about such data, with its watch behind one pass over the rows."""
    ids = CompactStrings()
    sample = DrawnSample(book.kind, recipe.seed, _encoder(book, recipe, emit), emit)
    encode = _row_encoder(book, recipe, emit)
    data = Surroundings(book.kind, book.rows, ids, languages, recipe.seed, sample, emit, encode)
    watches: list[tuple[Check, Watch]] = []
    for check in checks:
        watch = check.watch(data)
        if watch is not None:
            watches.append((check, watch))
    began = reported = time.monotonic()
    for rows in in_batches(book.examples()):
        ids.extend(example.id for example in rows.examples)
        sample.see(rows.examples)
        for _, watch in watches:
            watch.see(rows)
        now = time.monotonic()
        if now - reported >= _REPORT_EVERY_SECONDS:
            reported = now
            left = (now - began) / len(ids) * (book.rows - len(ids))
            emit("progress", _LOOKING, done=len(ids), total=book.rows, seconds_left=round(left, 1))
    return watches


def _findings(
    watches: Sequence[tuple[Check, Watch]], decisions: Mapping[str, RowDecision], emit: Emit
) -> dict[str, list[Finding]]:
    """What each watch has found, by the name of its check, without rows that a person has kept."""
    found: dict[str, list[Finding]] = {}
    reported = time.monotonic()
    for number, (check, watch) in enumerate(watches):
        if time.monotonic() - reported >= _REPORT_EVERY_SECONDS:
            reported = time.monotonic()
            emit("progress", check.title, done=number, total=len(watches), seconds_left=None)
        looked = (undecided(_shareable(finding), decisions) for finding in watch.findings())
        found[check.name] = [finding for finding in looked if finding is not None]
    return found


def _shareable(finding: Finding) -> Finding:
    """The finding without the personal data that its check may have quoted: audit, ledger, log and report are passed on."""
    said = {name: Text(**masked_content(getattr(finding, name).model_dump())) for name in ("what", "fix")}
    evidence = tuple(masked_piece(piece) for piece in finding.evidence)
    return finding.model_copy(update={**said, "evidence": evidence, "data": masked_content(finding.data)})


def _encoder(book: Book, recipe: Recipe, emit: Emit) -> Encoder | None:
    """The encoder that the recipe names, on this machine; its vectors are kept in the run."""
    if recipe.embedder is None:
        return None
    facts = resolve(recipe.embedder, accepted=recipe.accept_licence, emit=emit)
    family = plugins.find("families", facts.family)
    return encoder_for(book.kind, facts, family.text_prefix, book.folder.file("cache") / "vectors")


def _row_encoder(book: Book, recipe: Recipe, emit: Emit) -> Callable[[Example], Row] | None:
    """Encodes rows as the base that the recipe names will; None where it names none, or no task learns from such rows."""
    if recipe.base is None or book.kind.name not in {task.name for task in plugins.every("tasks")}:
        return None
    base = resolve(recipe.base, accepted=recipe.accept_licence, emit=emit)
    return row_encoder(plugins.find("tasks", book.kind.name), base, recipe.max_tokens)


_LOOKING = Text(en="Looking at every row", ko="모든 행을 살펴보는 중")
