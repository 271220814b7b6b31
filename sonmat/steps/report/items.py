"""Chooses the test rows whose answers a report shows side by side, and counts how every candidate fares in every slice.

In: the test examples, every arm's answers, and what the proof says of them. Out: `Items`. Each row is there for a reason that
is said: it is a large gain or loss, a sure mistake, a mix-up, named by a measure, one that candidates disagree on, or drawn at
random. Only the random ones say how answers are in general. Nothing is measured here that the proof has not measured.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sonmat.core.proof import Guard, Measure, Prediction
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Example
from sonmat.probing.slices import Column, columns_of
from sonmat.reading.personal import masked
from sonmat.steps.report import item_labels as labels
from sonmat.steps.report.answers import Answers, cut, is_right, label_of, values_by_row
from sonmat.steps.report.contents import Contrast, Mistakes
from sonmat.steps.report.item_contents import (
    CODES,
    Cell,
    Item,
    ItemAnswer,
    Items,
    Outcome,
    ShownSource,
    SliceColumn,
    Why,
)

QUOTAS: Final[dict[Why, int]] = {
    "gain": 5,
    "loss": 5,
    "mistake": 8,
    "lowest": 6,
    "mixed_up": 8,
    "differ": 6,
    "measure": 12,
    "random": 10,
}
"""How many rows may be shown for each reason, in the order of the page."""
MOST_CHARACTERS: Final = 400_000
"""Of all texts shown; rows that are chosen last give way."""
MOST_CELLS: Final = 4000
MOST_SOURCES: Final = 5
LONGEST_SOURCE: Final = 700
LONGEST_ANSWER: Final = 2000
_ROWS_A_MEASURE: Final = 2


@dataclass(frozen=True)
class Told:
    """What the report already says of single rows, and by whom."""

    chosen: str
    reference: str | None
    contrast: Contrast | None
    mistakes: Mistakes | None
    measures: tuple[Measure, ...]
    guards: tuple[Guard, ...]


def side_by_side(
    test: Sequence[Example], given: Mapping[str, Answers], kind: str, metrics: Sequence[str], told: Told, seed: int
) -> Items | None:
    """What to show of `test`; None where no arm answered anything.

    Args:
        given: answers by arm, in the order of the proof.
        kind: what an answer is, as `answers.kind_of_answers` says.
        metrics: names to compare written answers by, best first.
    """
    arms = _ordered([arm for arm in given if given[arm]], told)
    if not arms or not test:
        return None
    judge = _Judge(test, {arm: given[arm] for arm in arms}, kind, metrics, told.reference)
    columns = [column for column in columns_of(test) if not column.crossed]
    places = [{row: place for place, part in enumerate(column.parts) for row in part.rows} for column in columns]
    titles = [_titled(column) for column in columns]
    cells, kept = _cells(test, places, lambda row: judge.codes(row, arms))
    reasons = _reasons(test, judge, arms, told, seed)
    return Items(
        arms=tuple(arms),
        reference=told.reference if told.reference in arms else None,
        measure=judge.measure,
        columns=tuple(titles[:kept]),
        left_out=tuple(column.title for column in titles[kept:]),
        shown=tuple(_shown(test, judge, arms, reasons, places[:kept])),
        cells=cells,
        rows=len(test),
        grouped=_grouped(test),
        seed=seed,
    )


def _ordered(arms: Sequence[str], told: Told) -> list[str]:
    first = [told.chosen]
    if told.contrast is not None:
        first += [told.contrast.a, told.contrast.b]
    if told.reference is not None:
        first.append(told.reference)
    return [arm for arm in dict.fromkeys([*first, *arms]) if arm in arms]


class _Judge:
    """How each arm fared on each row."""

    def __init__(
        self,
        test: Sequence[Example],
        given: Mapping[str, Answers],
        kind: str,
        metrics: Sequence[str],
        reference: str | None,
    ) -> None:
        self.given = given
        self._examples = {example.id: example for example in test}
        self._labels = kind == "label"
        self._reference = reference
        found = None if self._labels else values_by_row(test, given, metrics)
        self.measure = found[0].name if found else None
        self._sign = 1 if found is None or found[0].higher_is_better else -1
        self._values: Mapping[str, Mapping[str, float]] = found[1] if found else {}

    def value(self, arm: str, row: str) -> float | None:
        return self._values.get(arm, {}).get(row)

    def goodness(self, arm: str, row: str) -> float | None:
        """Higher is better; None where nothing is known."""
        if row not in self.given[arm]:
            return None
        if self._labels:
            return float(is_right(self._examples[row], self.given[arm]))
        value = self.value(arm, row)
        return None if value is None else self._sign * value

    def outcome(self, arm: str, row: str) -> Outcome:
        own = self.goodness(arm, row)
        if own is None:
            return "unknown"
        if self._labels:
            return "right" if own else "wrong"
        other = self.goodness(self._reference, row) if self._reference in self.given and self._reference else None
        if other is None:
            return "unknown"
        return "better" if own > other else "worse" if own < other else "equal"

    def codes(self, row: str, arms: Sequence[str]) -> str:
        return "".join(CODES[self.outcome(arm, row)] for arm in arms)

    def disagreement(self, row: str, arms: Sequence[str]) -> float:
        """How far apart the best and the worst arm are; for labels, how evenly they are split into right and wrong."""
        known = [value for arm in arms if (value := self.goodness(arm, row)) is not None]
        if len(known) < 2:
            return 0.0
        return float(np.var(known)) if self._labels else max(known) - min(known)


# ── which rows ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _reasons(
    test: Sequence[Example], judge: _Judge, arms: Sequence[str], told: Told, seed: int
) -> dict[str, tuple[Why, ...]]:
    """Rows to show and why, in the order of the page; a row belongs to its first reason."""
    found: dict[Why, list[str]] = {
        "gain": list(told.contrast.better) if told.contrast else [],
        "loss": list(told.contrast.worse) if told.contrast else [],
        "mistake": [],
        "lowest": [],
        "mixed_up": _mixed_up(test, judge.given[arms[0]]) if judge.measure is None and _has_labels(test) else [],
        "differ": _disagreed(test, judge, arms) if len(arms) > 2 else [],
        "measure": _named(test, told),
        "random": _drawn(test, seed),
    }
    if told.mistakes is not None:
        found["lowest" if told.mistakes.measure else "mistake"] = list(told.mistakes.rows)
    reasons: defaultdict[str, list[Why]] = defaultdict(list)
    for why, quota in QUOTAS.items():
        for row in found[why][:quota]:
            reasons[row].append(why)
    return {row: tuple(why) for row, why in reasons.items()}


def _has_labels(test: Sequence[Example]) -> bool:
    return all("label" in example.target for example in test)


def _mixed_up(test: Sequence[Example], answers: Answers) -> list[str]:
    """Of each of the commonest mix-ups, the row on which the arm was surest."""
    pairs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for example in test:
        if example.id in answers and not is_right(example, answers):
            pairs[label_of(example.target), label_of(answers[example.id].output)].append(example.id)
    commonest = sorted(pairs.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [max(rows, key=lambda row: answers[row].confidence or 0.0) for _, rows in commonest]


def _disagreed(test: Sequence[Example], judge: _Judge, arms: Sequence[str]) -> list[str]:
    spread = {example.id: judge.disagreement(example.id, arms) for example in test}
    # Without a second key that means nothing, equal rows would be the first of the file.
    shuffled = random.Random(0).sample(list(spread), len(spread))
    return [row for row in sorted(shuffled, key=lambda row: -spread[row]) if spread[row] > 0]


def _named(test: Sequence[Example], told: Told) -> list[str]:
    """Rows that measures name: of broken guards first, then of clear changes, then of the recommended arm."""
    broken = {(guard.arm, guard.measure) for guard in told.guards if not guard.kept}
    known = {example.id for example in test}

    def gravity(measure: Measure) -> tuple[bool, bool, bool]:
        is_broken = (measure.arm, f"{measure.probe}.{measure.name}") in broken
        return not is_broken, not (measure.change and measure.change.beyond_noise), measure.arm != told.chosen

    rows = (
        row
        for measure in sorted(told.measures, key=gravity)
        for row in [row for row in measure.rows if row in known][:_ROWS_A_MEASURE]
    )
    return list(dict.fromkeys(rows))


def _drawn(test: Sequence[Example], seed: int) -> list[str]:
    return random.Random(seed).sample([example.id for example in test], min(QUOTAS["random"], len(test)))


# ── what is shown of them ───────────────────────────────────────────────────────────────────────────────────────────


def _shown(
    test: Sequence[Example],
    judge: _Judge,
    arms: Sequence[str],
    reasons: Mapping[str, tuple[Why, ...]],
    places: Sequence[Mapping[str, int]],
) -> Iterator[Item]:
    examples = {example.id: example for example in test}
    # A random row does not give way to one that was picked: the picked ones alone would mislead.
    in_turn = sorted(reasons, key=lambda row: "random" not in reasons[row])
    room = MOST_CHARACTERS
    made: dict[str, Item] = {}
    for row in in_turn:
        item = _item(examples[row], judge, arms, reasons[row], tuple(place.get(row) for place in places))
        room -= _characters(item)
        if room < 0 and made:
            break
        made[row] = item
    number = 0
    for row in reasons:
        if row in made:
            number += 1
            yield made[row].model_copy(update={"number": number})


def _item(
    example: Example, judge: _Judge, arms: Sequence[str], why: tuple[Why, ...], slices: tuple[int | None, ...]
) -> Item:
    return Item(
        number=0,
        row=example.id,
        anchor="item-" + re.sub(r"[^\w-]", "_", example.id),
        source=example.source,
        input=cut(example.input),
        target=cut(example.target, LONGEST_ANSWER),
        slices=slices,
        why=why,
        answers=tuple(
            _answer(arm, judge.given[arm][example.id], judge, example.id) for arm in arms if example.id in judge.given[arm]
        ),
    )


def _answer(arm: str, answer: Prediction, judge: _Judge, row: str) -> ItemAnswer:
    return ItemAnswer(
        candidate=arm,
        output=cut(answer.output, LONGEST_ANSWER),
        outcome=judge.outcome(arm, row),
        confidence=answer.confidence,
        value=judge.value(arm, row),
        sources=tuple(
            ShownSource(place=_masked(source.place), words=cut(source.text, LONGEST_SOURCE))
            for source in answer.sources[:MOST_SOURCES]
        ),
    )


def _masked(text: Text) -> Text:
    return Text(en=masked(text.en), ko=masked(text.ko))


def _characters(item: Item) -> int:
    return len(item.model_dump_json())


# ── counts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _grouped(test: Sequence[Example]) -> bool:
    groups = Counter(example.group for example in test if example.group is not None)
    return any(rows > 1 for rows in groups.values())


def _cells(
    test: Sequence[Example], places: Sequence[Mapping[str, int]], codes: Callable[[str], str]
) -> tuple[tuple[Cell, ...], int]:
    """Counts by slice values and outcomes, and how many columns they tell apart: as many as make few enough cells."""
    outcomes = {example.id: codes(example.id) for example in test}
    for kept in range(len(places), -1, -1):
        counts = Counter((tuple(place.get(row) for place in places[:kept]), outcomes[row]) for row in outcomes)
        if len(counts) <= MOST_CELLS:
            return tuple(_sorted_cells(counts.items())), kept
    return (), 0


def _sorted_cells(counts: Iterable[tuple[tuple[tuple[int | None, ...], str], int]]) -> Iterator[Cell]:
    def order(entry: tuple[tuple[tuple[int | None, ...], str], int]) -> tuple[list[int], str]:
        (values, outcomes), _ = entry
        return [-1 if value is None else value for value in values], outcomes

    for (values, outcomes), rows in sorted(counts, key=order):
        yield Cell(slices=values, outcomes=outcomes, rows=rows)


def _titled(column: Column) -> SliceColumn:
    name = next(iter(column.parts[0].slice))
    values = tuple(part.words for part in column.parts)
    return SliceColumn(title=labels.SLICE_TITLES.get(column.key, verbatim(name)), values=values)
