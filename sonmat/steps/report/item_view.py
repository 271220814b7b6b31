"""What the template of the section on single rows asks for: groups, counts with intervals, words in common, links.

In: a `Report` and a `Phrasing`. Out: small values and strings for `sections/items.html.j2`; nothing is escaped here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from markupsafe import Markup

from sonmat.core.text import Text
from sonmat.statistics import wilson_interval
from sonmat.steps.report import item_labels as labels
from sonmat.steps.report.contents import Measure, Report
from sonmat.steps.report.differences import Compared, compared
from sonmat.steps.report.item_contents import CODES, Cell, Item, ItemAnswer, Items, Outcome, Why
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.quoting import printable

SIGNS: Final[dict[Outcome, str]] = {"right": "✓", "wrong": "✗", "better": "▲", "equal": "=", "worse": "▼", "unknown": "–"}


@dataclass(frozen=True)
class Group:
    """Rows shown for the same reason, under one heading."""

    why: Why
    title: str
    note: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Tally:
    """How an arm fared on some rows; `right` stands for better where answers are no labels."""

    rows: int
    right: int
    equal: int
    wrong: int


@dataclass(frozen=True)
class GroupLine:
    """A slice value and how every arm fared on its rows."""

    value: Text
    column: Text
    rows: int
    tallies: tuple[Tally, ...]


@dataclass(frozen=True)
class MixUp:
    """How often a label was taken for another, and a row that shows it."""

    target: str
    answer: str
    count: int
    anchor: str
    number: int


class ItemView:
    """Reads `report.items`, which must be there."""

    signs: Final = SIGNS
    codes: Final = CODES

    def __init__(self, report: Report, items: Items, phrasing: Phrasing) -> None:
        self._report = report
        self._phrasing = phrasing
        self.items = items
        self.labels = report.modality == "label"
        self.measure: Measure | None = report.measure(items.measure) if items.measure else None
        self.judged: bool = self.labels or (self.measure is not None and items.reference is not None)
        """Whether anything is known of how answers compare."""
        self.outcomes: tuple[tuple[str, Outcome], ...] = (
            (("1", "right"), ("0", "wrong")) if self.labels else (("1", "better"), ("=", "equal"), ("0", "worse"))
        )

    @property
    def groups(self) -> tuple[Group, ...]:
        contrast = self._report.contrast
        names = {"chosen": self.items.arms[0], "a": contrast.a if contrast else "", "b": contrast.b if contrast else ""}
        return tuple(
            Group(why, self._phrasing.say(labels.GROUPS[why], **names), self._note(why), tuple(items))
            for why, items in groupby(self.items.shown, key=lambda item: item.why[0])
        )

    def _note(self, why: Why) -> str:
        """How many such rows there are in all."""
        report, phrasing = self._report, self._phrasing
        if why == "mistake" and report.mistakes is not None:
            rows, wrong = phrasing.count(report.mistakes.answered), phrasing.count(report.mistakes.count)
            return phrasing.say(labels.WRONG_OF, wrong=wrong, rows=rows)
        if why in ("gain", "loss") and report.contrast is not None:
            count = report.contrast.better_count if why == "gain" else report.contrast.worse_count
            return phrasing.say(labels.ROWS_IN_ALL, rows=phrasing.count(count))
        return ""

    def legend(self, deleted: Markup, inserted: Markup) -> Markup:
        """What the marks mean, with two marked words in it."""
        return Markup.escape(self._phrasing.say(labels.MARKS)).format(deleted=deleted, inserted=inserted)

    @property
    def mix_ups(self) -> tuple[MixUp, ...]:
        """Of the commonest mix-ups, those of which a row is shown."""
        pairs = self._report.confusion.pairs if self._report.confusion else ()
        numbers = {item.anchor: item.number for item in self.items.shown}
        found = ((pair, self.items.mixed_up(pair.target, pair.answer)) for pair in pairs)
        return tuple(
            MixUp(pair.target, pair.answer, pair.count, anchor, numbers[anchor]) for pair, anchor in found if anchor
        )

    # ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def all_rows(self) -> tuple[Tally, ...]:
        """Over the whole test set, an arm each."""
        return self._tallies(self.items.cells)

    def by_group(self) -> tuple[GroupLine, ...]:
        lines = []
        for place, column in enumerate(self.items.columns):
            for number, value in enumerate(column.values):
                cells = [cell for cell in self.items.cells if cell.slices[place] == number]
                if cells:
                    rows = sum(cell.rows for cell in cells)
                    lines.append(GroupLine(value, column.title, rows, self._tallies(cells)))
        return tuple(lines)

    def _tallies(self, cells: Sequence[Cell]) -> tuple[Tally, ...]:
        def count(place: int, code: str) -> int:
            return sum(cell.rows for cell in cells if cell.outcomes[place] == code)

        return tuple(
            Tally(sum(counts), *counts)
            for place in range(len(self.items.arms))
            for counts in [(count(place, "1"), count(place, "="), count(place, "0"))]
        )

    def told(self, tally: Tally) -> str:
        """The main figure of a tally: the share of right answers, or how many are better, equal and worse."""
        if not tally.rows:
            return "–"
        if self.labels:
            return self._phrasing.share(tally.right / tally.rows)
        counts = {"better": tally.right, "equal": tally.equal, "worse": tally.wrong}
        return self._phrasing.say(labels.BETTER_EQUAL_WORSE, **{k: self._phrasing.count(n) for k, n in counts.items()})

    def detail(self, tally: Tally) -> str:
        """What stands small below it: how many of how many, and the interval of the share."""
        if not tally.rows or not self.labels:
            return ""
        rows = self._phrasing.say(
            labels.RIGHT_OF, right=self._phrasing.count(tally.right), rows=self._phrasing.count(tally.rows)
        )
        if self.items.grouped:
            return rows
        interval = wilson_interval(tally.right, tally.rows)
        return f"{rows} · {self._phrasing.share(interval.low)} – {self._phrasing.share(interval.high)}"

    def encoded(self) -> str:
        """The cells for the page's script: 'slice.slice outcomes rows', parted by semicolons."""
        return ";".join(f"{_dotted(cell.slices)} {cell.outcomes} {cell.rows}" for cell in self.items.cells)

    # ── one row ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def slices(self, item: Item) -> str:
        return _dotted(item.slices)

    def outcome_codes(self, item: Item) -> str:
        by_arm = {answer.candidate: answer.outcome for answer in item.answers}
        return "".join(CODES[by_arm.get(arm, "unknown")] for arm in self.items.arms)

    def values(self, item: Item) -> list[str]:
        """The row's slice values, as people read them."""
        say = self._phrasing.say
        return [
            f"{say(column.title)}: {say(column.values[place])}"
            for column, place in zip(self.items.columns, item.slices, strict=True)
            if place is not None
        ]

    def against_reference(self, item: Item, answer: ItemAnswer) -> Compared | None:
        """How the recommended arm's written answer differs from that of the arm it is compared with."""
        contrast = self._report.contrast
        if contrast is None or answer.candidate != contrast.a:
            return None
        other = next((each for each in item.answers if each.candidate == contrast.b), None)
        if other is None or not all(isinstance(each.output.get("text"), str) for each in (answer, other)):
            return None
        return compared(printable(answer.output["text"]), printable(other.output["text"]))

    @property
    def compared_with(self) -> str:
        return self._report.contrast.b if self._report.contrast else ""


def against_target(output: Mapping[str, object], target: Mapping[str, object]) -> Compared | None:
    """How a written answer differs from the right one; None for answers of another kind."""
    said, right = output.get("text"), target.get("text")
    if not isinstance(said, str) or not isinstance(right, str):
        return None
    return compared(printable(said), printable(right))


def _dotted(values: Sequence[int | None]) -> str:
    """No columns at all are '-', so that there is always something between the spaces."""
    return ".".join("" if value is None else str(value) for value in values) if values else "-"
