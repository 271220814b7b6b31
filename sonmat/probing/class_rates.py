"""How often each class is answered, rightly answered and wrongly answered in each slice: what fairness of a classifier rests on.

In: the right and the given label of rows, and a column of slices. Out: families of rates, one a class, each with a rate for every
slice that has enough rows to tell, and measures: their widest gaps are the demographic parity difference (of answers), the equal
opportunity difference (of true positives) and the equalised odds difference (of true and of false positives; Hardt, Price and Srebro
2016, "Equality of Opportunity in Supervised Learning"), with the formulas of Fairlearn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from sonmat.core.proof import Measure
from sonmat.core.text import Text
from sonmat.probing.fairness import Estimate, Spread, rate_of, widest_gap
from sonmat.probing.slice_words import listed
from sonmat.probing.slices import FEWEST_ROWS, Column, Part
from sonmat.probing.tallies import ROWS_SHOWN

_CLASSES_SHOWN: Final = 4
"""Other classes that a note names."""
RateKind = Literal["answered", "true_positive", "false_positive"]


@dataclass(frozen=True)
class Labels:
    """By row; rows without an answer are in neither."""

    wanted: Mapping[str, str]
    said: Mapping[str, str | None]
    groups: Mapping[str, str | None]


@dataclass(frozen=True)
class Rate:
    part: Part
    estimate: Estimate
    hits: tuple[str, ...]
    """Rows that the class was answered to."""
    misses: tuple[str, ...]

    @property
    def items(self) -> int:
        return len(self.hits) + len(self.misses)


@dataclass(frozen=True)
class RateFamily:
    """One rate of one class, of at least two slices."""

    label: str
    kind: RateKind
    rates: tuple[Rate, ...]

    @property
    def estimates(self) -> list[Estimate]:
        return [rate.estimate for rate in self.rates]

    @property
    def apart(self) -> float:
        values = [rate.estimate.value for rate in self.rates]
        return max(values) - min(values)


@dataclass(frozen=True)
class _Criterion:
    name: str
    kinds: tuple[RateKind, ...]
    title: Text
    note: Text
    higher_is_better: bool | None = False


_CRITERIA: Final = (
    _Criterion(
        "demographic_parity",
        ("answered",),
        Text(en="demographic parity difference", ko="인구통계적 동등성 차이"),
        Text(
            en="How much more often a class is answered in one slice than in another, right or not; the references themselves "
            "differ by {:.1%} in this class.",
            ko="맞든 틀리든 한 집단에서 어떤 클래스로 답하는 비율의 차이입니다. 이 클래스는 정답 자체도 {:.1%} 차이가 납니다.",
        ),
        # Where classes are not equally frequent in all groups, right answers are not, either.
        higher_is_better=None,
    ),
    _Criterion(
        "equal_opportunity",
        ("true_positive",),
        Text(en="equal opportunity difference", ko="기회 균등 차이"),
        Text(
            en="How much more often rows of a class are recognised in one slice than in another.",
            ko="어떤 클래스의 행을 알아보는 비율이 집단 사이에서 얼마나 다른지 나타냅니다.",
        ),
    ),
    _Criterion(
        "equalised_odds",
        ("true_positive", "false_positive"),
        Text(en="equalised odds difference", ko="균등 승산 차이"),
        Text(
            en="The larger of the gaps in recognised rows and in false alarms.",
            ko="알아본 비율의 차이와 잘못 답한 비율의 차이 가운데 큰 쪽입니다.",
        ),
    ),
)


def class_measures(column: Column, classes: Sequence[str], labels: Labels, *, probe: str, arm: str) -> Iterator[Measure]:
    """The widest gap of each criterion, in the class that is worst; nothing of one that no class has enough rows for."""
    for criterion in _CRITERIA:
        families = rate_families(column, classes, labels, criterion.kinds)
        spread = widest_gap([family.estimates for family in families])
        if spread is not None:
            yield _difference(criterion, column, families, spread, labels, probe, arm)


def rate_families(column: Column, classes: Sequence[str], labels: Labels, kinds: Sequence[RateKind]) -> list[RateFamily]:
    """Of every class and kind that two slices at least have ten rows for."""
    return [
        RateFamily(label, kind, rates)
        for label in classes
        for kind in kinds
        if len(rates := tuple(_rates(column, labels, label, kind))) > 1
    ]


def _rates(column: Column, labels: Labels, label: str, kind: RateKind) -> Iterator[Rate]:
    counted: dict[RateKind, Callable[[str], bool]] = {
        "answered": lambda row: True,
        "true_positive": lambda row: labels.wanted[row] == label,
        "false_positive": lambda row: labels.wanted[row] != label,
    }
    for part in column.judged:
        rows = [row for row in part.rows if row in labels.wanted and counted[kind](row)]
        if len(rows) < FEWEST_ROWS:
            continue
        hits = tuple(row for row in rows if labels.said[row] == label)
        misses = tuple(row for row in rows if labels.said[row] != label)
        estimate = rate_of([labels.said[row] == label for row in rows], [labels.groups.get(row) for row in rows])
        yield Rate(part, estimate, hits, misses)


def _difference(
    criterion: _Criterion,
    column: Column,
    families: Sequence[RateFamily],
    spread: Spread,
    labels: Labels,
    probe: str,
    arm: str,
) -> Measure:
    widest = families[spread.family]
    best, worst = widest.rates[spread.best], widest.rates[spread.worst]
    shown = worst.misses if widest.kind == "true_positive" else best.hits
    classes = len({family.label for family in families})
    ends = listed(
        [rate.part.words for rate in (best, worst)],
        [f" {rate.estimate.value:.1%} (n = {rate.items:,})" for rate in (best, worst)],
    )
    own = criterion.note
    if criterion.name == "demographic_parity":
        truth = _reference_gap(column, widest.label, labels)
        own = Text(en=own.en.format(truth), ko=own.ko.format(truth))
    others = _other_classes(families, widest.label)
    return Measure(
        probe=probe,
        name=f"{criterion.name}_{column.key}",
        title=Text(en=f"{criterion.title.en}, {column.title.en}", ko=f"{criterion.title.ko}, {column.title.ko}"),
        arm=arm,
        value=spread.value,
        low=spread.low,
        high=spread.high,
        items=sum(rate.items for rate in widest.rates),
        higher_is_better=criterion.higher_is_better,
        rows=shown[:ROWS_SHOWN],
        note=Text(
            en=f"{own.en} Of the worst of {classes} classes, '{widest.label}': {ends.en}.{f' Then: {others}.' if others else ''}",
            ko=f"{own.ko} 클래스 {classes}개 가운데 차이가 가장 큰 '{widest.label}': {ends.ko}."
            f"{f' 다음: {others}.' if others else ''}",
        ),
    )


def _reference_gap(column: Column, label: str, labels: Labels) -> float:
    truth = replace(labels, said=labels.wanted)
    return max((family.apart for family in rate_families(column, [label], truth, ("answered",))), default=0.0)


def _other_classes(families: Sequence[RateFamily], widest: str) -> str:
    gaps: dict[str, float] = {}
    for family in families:
        gaps[family.label] = max(gaps.get(family.label, 0.0), family.apart)
    ranked = sorted(((gap, label) for label, gap in gaps.items() if label != widest), key=lambda each: (-each[0], each[1]))
    return ", ".join(f"'{label}' {gap:.1%}" for gap, label in ranked[:_CLASSES_SHOWN])
