"""`sonmat audit --review`: suspicious rows one at a time, and what a person says of each.

In: a run whose audit is written, and lines that the person types. Out: lines of `decisions.jsonl`, each written as soon as it is
typed, so that nothing is lost by Ctrl-C or a kill and no decided row is asked again. It changes no row: the audit does. Rows are
shown with personal data masked.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from sonmat.cli.findings import by_gravity
from sonmat.cli.options import words
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Json
from sonmat.reading.rows import labels_of
from sonmat.runs.decisions import RowDecision, append_decision, read_decisions

if TYPE_CHECKING:
    from rich.console import Console

    from sonmat.api import Run
    from sonmat.core.protocols import Kind

ORDER = (
    "label_errors",
    "near_duplicate_texts",
    "near_duplicate_images",
    "near_duplicate_audio",
    "conflicts",
    "toxic",
    "language",
    "length",
)
"""Checks whose rows a person is asked about, most telling first; a name stands for every check that begins with it."""
_SHOWN_LABELS = 30
_LONGEST_TEXT = 600
_SHOWN_ALIKE = 2

Ask = Callable[[str], str]
"""Shows a prompt and returns the line typed; raises `EOFError` where there is none."""


@dataclass(frozen=True)
class Suspect:
    """One row with everything that was said of it."""

    id: str
    findings: tuple[Finding, ...]
    alike: tuple[str, ...] = ()
    """Rows that it is nearly the same as."""
    suggested: tuple[str, ...] = ()

    @property
    def checks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(finding.check for finding in self.findings))


@dataclass(frozen=True)
class Reviewed:
    decided: int
    left: int


def review(run: Run, screen: Console, ask: Ask | None = None) -> Reviewed:
    """Ask about every suspicious row that nobody has decided; returns how many were decided and how many are left."""
    from sonmat import plugins

    decided = read_decisions(run.path)
    waiting = [suspect for suspect in suspects_of(_open_findings(run)) if suspect.id not in decided]
    table = _Table(run, screen, ask or input, plugins.find_kind(run.source.task), waiting)
    if not table.suspects:
        screen.print(words("No row waits for a decision.", "판단을 기다리는 행이 없습니다."))
        return Reviewed(0, 0)
    at, done = 0, set()
    while at < len(table.suspects):
        try:
            step = table.about(at)
        except EOFError:
            break
        if step == "quit":
            break
        if step == "back":
            at = max(0, at - 1)
            continue
        append_decision(run.path, step)
        done.add(step.row)
        at += 1
    left = len(table.suspects) - len(done)
    screen.print(
        words(
            f"{len(done):,} decided, {left:,} left; the same command goes on with them.",
            f"{len(done):,}행을 판단했고 {left:,}행이 남았습니다. 같은 명령으로 이어서 할 수 있습니다.",
        )
    )
    return Reviewed(len(done), left)


def _open_findings(run: Run) -> list[Finding]:
    """Findings that the recipe has not settled for all their rows."""
    settled = {"drop", "merge", "fix", "redact"}
    recipe = run.recipe
    return [each for each in run.audit.findings if getattr(recipe, each.decided_by or "", None) not in settled]


def suspects_of(findings: Sequence[Finding]) -> list[Suspect]:
    """Rows of the checks in `ORDER`, those of the first check first; a row stands once, with all that was said of it."""
    ranked = sorted((finding for finding in by_gravity(findings) if _rank(finding.check) < len(ORDER)), key=_rank_of)
    said: dict[str, list[Finding]] = {}
    alike: dict[str, tuple[str, ...]] = {}
    for finding in ranked:
        for cluster in finding.clusters:
            alike.update((row, tuple(other for other in cluster if other != row)) for row in cluster)
        for row in finding.rows:
            said.setdefault(row, []).append(finding)
    return [Suspect(row, tuple(found), alike.get(row, ()), _suggested(row, found)) for row, found in said.items()]


def _rank(check: str) -> int:
    return next((place for place, name in enumerate(ORDER) if check.startswith(name)), len(ORDER))


def _rank_of(finding: Finding) -> int:
    return _rank(finding.check)


def _suggested(row: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    """The labels that a check thinks right, from its `data["rows"]`."""
    for finding in findings:
        for told in finding.data.get("rows", ()) if finding.check == ORDER[0] else ():
            if told["id"] == row:
                return tuple(told["suggested"])
    return ()


class _Table:
    """Shows rows and reads what is typed."""

    def __init__(self, run: Run, screen: Console, ask: Ask, kind: Kind, suspects: Sequence[Suspect]) -> None:
        self.screen, self.ask, self.kind = screen, ask, kind
        shown = {row for suspect in suspects for row in (suspect.id, *suspect.alike[:_SHOWN_ALIKE])}
        self.examples: dict[str, Example] = {}
        counts: Counter[str] = Counter()
        for example in run.folder.kept_examples():
            counts.update(labels_of(example))
            if example.id in shown:
                self.examples[example.id] = example
        self.labels = [label for label, _ in counts.most_common()]
        # Of a row that a repair has dropped there is nothing left to decide.
        self.suspects = [suspect for suspect in suspects if suspect.id in self.examples]

    def about(self, at: int) -> RowDecision | Literal["back", "quit"]:
        """What the person says of the suspect at that place."""
        suspect = self.suspects[at]
        example = self.examples[suspect.id]
        self._show(at, suspect, example)
        has_label = bool({"label", "labels"} & example.target.keys())
        while True:
            key = self._asked(self._keys(has_label)).casefold()
            if key in ("q", "quit"):
                return "quit"
            if key in ("b", "back"):
                return "back"
            if key in ("k", "keep"):
                return _decision(suspect, "keep")
            if key in ("d", "drop"):
                return _decision(suspect, "drop")
            target = None
            if key in ("l", "label") and has_label:
                target = self._label(suspect, example)
            elif key in ("e", "edit"):
                target = self._edited(example)
            else:
                self._say(Text(en="Type one of these letters.", ko="보기의 글자 하나를 입력하세요."))
            if target is not None:
                return _decision(suspect, "change", target)

    def _show(self, at: int, suspect: Suspect, example: Example) -> None:
        place, source = example.source.place, example.source
        named = f"{source.file}, {place.en}" if source.row else place.en
        named_ko = f"{source.file} {place.ko}" if source.row else place.ko
        head = Text(en=f"{at + 1}/{len(self.suspects)}  {named}", ko=f"{at + 1}/{len(self.suspects)}  {named_ko}")
        self.screen.print(f"\n{head}", style="bold")
        for finding in suspect.findings:
            self.screen.print(f"  {finding.check}: {finding.what}", style="yellow")
        for line in _lines(example):
            self.screen.print(f"  {line}")
        for row in suspect.alike[:_SHOWN_ALIKE]:
            if row in self.examples:
                other = self.examples[row]
                said = words("nearly the same", "거의 같은 행")
                self.screen.print(f"  {said}: {other.source.file} {other.source.place}", style="dim")
                for line in _lines(other):
                    self.screen.print(f"    {line}", style="dim")
        if suspect.suggested:
            listed = ", ".join(suspect.suggested)
            self._say(Text(en=f"Suggested: {listed}", ko=f"제안: {listed}"))

    def _keys(self, has_label: bool) -> str:
        english = ["k keep", *(["l label"] if has_label else []), "e edit answer", "d drop", "b back", "q quit"]
        korean = ["k 두기", *(["l 라벨"] if has_label else []), "e 정답 고치기", "d 빼기", "b 뒤로", "q 끝"]
        return words(" · ".join(english), " · ".join(korean))

    def _asked(self, question: str) -> str:
        """The line typed below the question, which stands on a line of its own so that a script's output stays readable."""
        self.screen.print(f"  {question}")
        return self.ask("  > ").strip()

    def _label(self, suspect: Suspect, example: Example) -> Json | None:
        """The target with the label that was chosen, or the labels where a row may have several."""
        for number, label in enumerate(self.labels[:_SHOWN_LABELS], start=1):
            self.screen.print(f"    {number:>2} {label}")
        several = "labels" in example.target
        default = f" [{', '.join(suspect.suggested)}]" if suspect.suggested else ""
        asked = (
            words("Numbers or labels, commas between them", "번호나 라벨(쉼표로 나눔)")
            if several
            else words("Number or label", "번호나 라벨")
        )
        typed = self._asked(f"{asked}{default}")
        parts = [part.strip() for part in typed.split(",")] if several else [typed]
        chosen = [self._named(part) for part in parts if part] or list(suspect.suggested)
        if not chosen:
            return None
        return {**example.target, "labels": chosen} if several else {**example.target, "label": chosen[0]}

    def _named(self, typed: str) -> str:
        """The label that a number of the list stands for; anything else is a label itself."""
        known = typed.isdecimal() and typed not in self.labels and 0 < int(typed) <= len(self.labels)
        return self.labels[int(typed) - 1] if known else typed

    def _edited(self, example: Example) -> Json | None:
        """The target with another text; of other kinds, another target as JSON."""
        name = next((name for name in ("text", "label") if isinstance(example.target.get(name), str)), None)
        prompt = words("New answer (\\n for a new line)", "새 정답(줄바꿈은 \\n)")
        if name is None:
            prompt = words("New answer as JSON", "새 정답(JSON)")
        typed = self._asked(prompt)
        if not typed:
            return None
        target = {**example.target, name: typed.replace("\\n", "\n")} if name is not None else _object(typed)
        problem = words("That is no JSON object.", "JSON 객체가 아닙니다.") if target is None else self._problem(target)
        if problem:
            self.screen.print(f"  {problem}", style="bold red")
            return None
        return target

    def _problem(self, target: Json) -> str:
        from pydantic import ValidationError

        from sonmat.core.faults import fault_words

        try:
            self.kind.Target.model_validate(target)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            return f"{'.'.join(str(part) for part in fault['loc'])}: {fault_words(fault)}"
        return ""

    def _say(self, text: Text) -> None:
        self.screen.print(f"  {text}")


def _decision(suspect: Suspect, action: Literal["keep", "change", "drop"], target: Json | None = None) -> RowDecision:
    return RowDecision(row=suspect.id, action=action, target=target, checks=suspect.checks, date=date.today().isoformat())


def _object(typed: str) -> Json | None:
    try:
        found = json.loads(typed)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _lines(example: Example) -> Iterator[str]:
    """What the row says, a line a field, personal data masked."""
    for part in (example.input, example.target):
        for name, value in part.items():
            if name == "messages":
                yield from (f"{turn.get('role', '')}: {_shown(turn.get('content', ''))}" for turn in value)
            else:
                yield f"{name}: {_shown(value)}"


def _shown(value: Any) -> str:
    from sonmat.reading.personal import masked
    from sonmat.steps.report.quoting import printable, shortened

    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shortened(printable(masked(text)), _LONGEST_TEXT)
