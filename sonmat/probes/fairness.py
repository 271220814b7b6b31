"""Fairness: how well the arm serves each part of the users, as far as the columns of the data name them.

In: answers to the test set. Out: for each slice the share of right answers, or the overlap with the reference where answers are
written; for each column the worst slice, the gap between best and worst, and for classes demographic parity, equal opportunity and
equalised odds. Slices with too few rows are named and not judged. Nothing is asked of the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.answers import groups_of, written
from sonmat.probing.class_rates import Labels, class_measures
from sonmat.probing.fairness import (
    ERROR,
    Estimate,
    Outcomes,
    Spread,
    mean_of,
    p_values_against_the_rest,
    widest_gap,
    worst_interval,
)
from sonmat.probing.slice_words import listed, values_of_slice
from sonmat.probing.slices import FEWEST_ROWS, Column, Part, columns_of
from sonmat.probing.tallies import ROWS_SHOWN, Tally, measures_of
from sonmat.statistics import holm
from sonmat.statistics.overlaps import n_gram_f1
from sonmat.statistics.words import words_of

_SHOWN: Final = 5
"""Slices that a note names."""
_RIGHT: Final = Text(en="right answers", ko="정답률")
_OVERLAP: Final = Text(en="words shared with the reference (F1)", ko="정답과 겹치는 낱말(F1)")


class Fairness:
    name = "fairness"
    title = Text(en="Fairness between groups", ko="집단 사이의 공정성")
    measures: tuple[str, ...] = (
        "score", "worst_*", "gap_*", "demographic_parity_*", "equal_opportunity_*", "equalised_odds_*", "too_small_*",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        fields = setting.task.Target.model_fields
        if "label" not in fields and "text" not in fields:
            return No(Text(en="its answers are neither labels nor texts.", ko="라벨이나 글로 답하지 않습니다."))
        if not columns_of(setting.test):
            return No(
                Text(
                    en="no column parts the test rows into groups; name some with --slices.",
                    ko="테스트 행을 집단으로 나누는 열이 없습니다. --slices로 열을 지정하세요.",
                )
            )
        return Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        outcomes = _outcomes(setting, own)
        columns = _answered(columns_of(setting.test), outcomes)
        scores = _Scores(setting, own, outcomes, _outcomes(setting, base) if base else None, columns)
        labels = _labels(setting, own)
        measures = list(scores.measures)
        for column in columns:
            measures += _worst_and_gap(column, scores)
            if labels is not None and not column.crossed:
                classes = setting.spec.labels
                measures += class_measures(column, classes, labels, probe=self.name, arm=own.candidate.id)
            measures += _too_small(column, own)
        return measures


_Key = tuple[str, tuple[str, ...]]
"""A column's key and the values of one of its slices."""


# ── scores of slices ────────────────────────────────────────────────────────────────────────────────────────────────


class _Scores:
    """The score of each judged slice, its change, and how it compares with the rest of its column."""

    def __init__(
        self, setting: Setting, own: Seen, outcomes: Outcomes, before: Outcomes | None, columns: Sequence[Column]
    ) -> None:
        self.outcomes, self.seed = outcomes, setting.seed
        self.title = _RIGHT if outcomes.right_or_wrong else _OVERLAP
        places = [(column, part) for column in columns for part in column.judged]
        self.adjusted = _adjusted(columns, outcomes, setting.seed)
        found = measures_of(
            [self._tally(column, part, before) for column, part in places],
            probe=plugin.name,
            arm=own.candidate.id,
            seed=setting.seed,
        )
        self.of_part = {(column.key, part.values): each for (column, part), each in zip(places, found, strict=True)}

    @property
    def measures(self) -> list[Measure]:
        return list(self.of_part.values())

    def differing(self, column: Column) -> list[Part]:
        """Slices that are not like the rest, beyond noise."""
        return [part for part in column.judged if self._p_value(column, part) <= ERROR]

    def estimates(self, column: Column) -> list[Estimate]:
        return [mean_of(self.outcomes, part.rows, self.seed) for part in column.judged]

    def _p_value(self, column: Column, part: Part) -> float:
        """1 where it was not tested."""
        return self.adjusted.get((column.key, part.values), 1.0)

    def _tally(self, column: Column, part: Part, before: Outcomes | None) -> Tally:
        p_value = self._p_value(column, part)
        return Tally(
            name="score",
            title=self.title,
            outcomes={row: self.outcomes.of_row[row] for row in part.rows},
            base=before.of_row if before else None,
            higher_is_better=True,
            share=self.outcomes.right_or_wrong,
            bounded=True,
            groups=self.outcomes.groups,
            slice=part.slice,
            note=_unlike(column, part, self.outcomes, p_value) if p_value <= ERROR else None,
        )


def _adjusted(columns: Sequence[Column], outcomes: Outcomes, seed: int) -> dict[_Key, float]:
    """Holm's p-values over all slices of all columns that have enough rows, as have the others together.

    Where a column has two slices, that is one test.
    """
    tests: list[tuple[Column, tuple[Part, ...], float]] = []
    for column in columns:
        p_values = p_values_against_the_rest([part.rows for part in column.parts], outcomes, seed)
        rows = sum(len(part.rows) for part in column.parts)
        told = [
            (part, p_value)
            for part, p_value in zip(column.parts, p_values, strict=True)
            if len(part.rows) >= column.fewest and rows - len(part.rows) >= column.fewest
        ]
        if len(told) == len(column.parts) == 2:
            tests.append((column, column.parts, p_values[0]))
        else:
            tests += [(column, (part,), p_value) for part, p_value in told]
    steps = holm([p_value for *_, p_value in tests], ERROR)
    return {
        (column.key, part.values): step.adjusted_p_value
        for (column, parts, _), step in zip(tests, steps, strict=True)
        for part in parts
    }


def _unlike(column: Column, part: Part, outcomes: Outcomes, p_value: float) -> Text:
    rest = [row for other in column.parts if other is not part for row in other.rows]
    mean = sum(outcomes.of_row[row] for row in rest) / len(rest)
    lower = sum(outcomes.of_row[row] for row in part.rows) / len(part.rows) < mean
    return Text(
        en=f"{'Below' if lower else 'Above'} the rest of {column.title.en} beyond noise, which has {mean:.1%} of {len(rest):,} "
        f"(p = {p_value:.2g} after Holm's correction over all slices).",
        ko=f"나머지({len(rest):,}개, {mean:.1%})보다 오차 범위를 넘어 {'낮습니다' if lower else '높습니다'}"
        f"(모든 집단에 대해 Holm 보정한 p = {p_value:.2g}).",
    )


# ── worst and gap ───────────────────────────────────────────────────────────────────────────────────────────────────


def _worst_and_gap(column: Column, scores: _Scores) -> list[Measure]:
    """Nothing of a column with fewer than two slices that can be judged."""
    estimates = scores.estimates(column)
    spread = widest_gap([estimates])
    if spread is None:
        return []
    worst, best = column.judged[spread.worst], column.judged[spread.best]
    low, high = scores.of_part[column.key, worst.values], scores.of_part[column.key, best.values]
    return [_worst(column, worst, low, estimates, scores), _gap(column, spread, low, high, scores)]


def _worst(column: Column, part: Part, measure: Measure, estimates: Sequence[Estimate], scores: _Scores) -> Measure:
    interval = worst_interval(estimates)
    note = Text(
        en=f"The lowest of {len(estimates)} slices, on the {len(part.rows):,} rows of '{part.words.en}'. The interval is that of the "
        "lowest true value, whichever slice has it; a change is corrected for the choice among all slices.",
        ko=f"집단 {len(estimates)}개 가운데 가장 낮은 '{part.words.ko}'의 {len(part.rows):,}개 행에서 나온 값입니다. 구간은 "
        "어느 집단이든 가장 낮은 참값에 대한 것이고, 변화는 집단을 골랐다는 점을 보정했습니다.",
    )
    title = Text(
        en=f"{scores.title.en} in the worst slice of {column.title.en} ({part.words.en})",
        ko=f"{column.title.ko}에서 가장 낮은 집단({part.words.ko})의 {scores.title.ko}",
    )
    return measure.model_copy(
        update={
            "name": f"worst_{column.key}", "title": title, "slice": {}, "low": interval.low, "high": interval.high, "note": note,
        }
    )  # fmt: skip


def _gap(column: Column, spread: Spread, worst: Measure, best: Measure, scores: _Scores) -> Measure:
    differing = scores.differing(column)
    title = Text(
        en=f"gap between the best and the worst slice of {column.title.en}",
        ko=f"{column.title.ko}에서 가장 높은 집단과 낮은 집단의 차이",
    )
    return Measure(
        probe=plugin.name,
        name=f"gap_{column.key}",
        title=title,
        arm=worst.arm,
        value=spread.value,
        # Where the tests can tell no slice from the rest, the interval says so, too.
        low=spread.low if differing else 0.0,
        high=spread.high,
        items=sum(len(part.rows) for part in column.judged),
        higher_is_better=False,
        rows=worst.rows,
        note=_gap_note(worst, best, differing),
    )


def _gap_note(worst: Measure, best: Measure, differing: Sequence[Part]) -> Text:
    more = " …" if len(differing) > _SHOWN else ""
    names = listed([part.words for part in differing[:_SHOWN]])
    told = listed(
        [values_of_slice(each.slice) for each in (best, worst)],
        [f" {each.value:.1%} (n = {each.items:,})" for each in (best, worst)],
    )
    if not differing:
        return Text(
            en=f"{told.en}. No slice differs from the rest beyond noise; a gap of some size is there by chance alone.",
            ko=f"{told.ko}. 나머지와 오차 범위를 넘어 다른 집단은 없습니다. 우연만으로도 어느 정도의 차이는 생깁니다.",
        )
    return Text(
        en=f"{told.en}. Unlike the rest beyond noise: {names.en}{more}. Whether their rows are harder, or "
        "served worse, no figure can tell.",
        ko=f"{told.ko}. 나머지와 오차 범위를 넘어 다른 집단: {names.ko}{more}. 문제가 더 어려운 것인지 덜 맞는 "
        "것인지는 수치로 알 수 없습니다.",
    )


# ── what is too small, and what came of each row ────────────────────────────────────────────────────────────────────


def _too_small(column: Column, own: Seen) -> Iterator[Measure]:
    """Only of whole columns: that two columns cross in a few rows is nothing to tell."""
    small = column.small
    if not small or column.crossed:
        return
    more = " …" if len(small) > _SHOWN else ""
    names = listed([part.words for part in small[:_SHOWN]], [f" ({len(part.rows)})" for part in small[:_SHOWN]])
    rows = tuple(row for part in small for row in part.rows)
    yield Measure(
        probe=plugin.name,
        name=f"too_small_{column.key}",
        title=Text(
            en=f"slices of {column.title.en} too small to judge", ko=f"{column.title.ko}에서 너무 작아 판단할 수 없는 집단"
        ),
        arm=own.candidate.id,
        value=len(small),
        items=len(rows),
        unit="count",
        higher_is_better=None,
        rows=rows[:ROWS_SHOWN],
        note=Text(
            en=f"With fewer than {FEWEST_ROWS} rows: {names.en}{more}. Nothing is known of how these are served.",
            ko=f"{FEWEST_ROWS}행이 안 되는 집단: {names.ko}{more}. 이 집단에 얼마나 잘 맞는지는 알 수 없습니다.",
        ),
    )


def _answered(columns: Sequence[Column], outcomes: Outcomes) -> list[Column]:
    """With those rows only that the arm has answered."""
    found = []
    for column in columns:
        parts = [replace(part, rows=tuple(row for row in part.rows if row in outcomes.of_row)) for part in column.parts]
        found.append(replace(column, parts=tuple(part for part in parts if part.rows)))
    return found


def _labels(setting: Setting, own: Seen) -> Labels | None:
    if "label" not in setting.task.Target.model_fields:
        return None
    examples = [example for example in setting.test if example.id in own.answers]
    return Labels(
        wanted={example.id: example.target["label"] for example in examples},
        said={example.id: own.answers[example.id].output.get("label") for example in examples},
        groups=groups_of(examples),
    )


def _outcomes(setting: Setting, seen: Seen) -> Outcomes:
    examples = [example for example in setting.test if example.id in seen.answers]
    outputs: Mapping[str, Json] = {example.id: seen.answers[example.id].output for example in examples}
    if "label" in setting.task.Target.model_fields:
        of_row = {example.id: float(outputs[example.id].get("label") == example.target["label"]) for example in examples}
        return Outcomes(of_row, right_or_wrong=True, groups=groups_of(examples))
    answers = words_of([written(outputs[example.id]) for example in examples])
    references = words_of([written(example.target) for example in examples])
    of_row = {
        example.id: n_gram_f1(answer, reference, 1)
        for example, answer, reference in zip(examples, answers, references, strict=True)
    }
    return Outcomes(of_row, right_or_wrong=False, groups=groups_of(examples))


plugin = Fairness()
