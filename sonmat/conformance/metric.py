"""`check_metric`: holds a metric, built-in or third-party, to its contract.

In: the plug-in, and items to try it on if the general ones do not suit it. Out: nothing, or an `AssertionError` that says which
promise is broken and on what. The general items have a label and a text at once, so that metrics of either kind run on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.decision import Costs
from sonmat.core.protocols import Judged, Metric
from sonmat.plugins import missing_members

_PAIRS: Final[tuple[tuple[str, str, str, str], ...]] = (
    ("sun", "sun", "The cat sat on the mat.", "The cat sat on the mat."),
    ("sun", "rain", "The cat sat on the mat.", "A dog lay on the mat"),
    ("rain", "rain", "오늘은 비가 많이 옵니다.", "오늘 비가 옵니다."),
    ("rain", "snow", "내일은 맑겠습니다.", "모르겠어요!"),
    ("snow", "snow", "Schnee fällt über Köln.", "Schnee fällt auf Köln, glaube ich."),
    ("snow", "", "이 문장에는 답이 없습니다.", ""),
    ("fog", "no such label", "a", "b" * 400),
    ("sun", "sun", "我喜欢下雪。", "我喜欢雪。"),
    ("rain", "rain", "one two three", "three two one"),
    ("fog", "fog", "👍", "👍👍"),
)
"""Target label, answered label, reference text, answered text."""

CASES: Final[tuple[Judged, ...]] = tuple(
    Judged(
        input={"text": f"question {number}"},
        target={"label": label, "text": text},
        output={"label": answered_label, "text": answered_text},
        confidence=0.5,
        reference_nll=1.5 + number,
        costs=Costs(labels=("fog", "rain", "snow", "sun"), given={"rain": 5.0, "sun": {"rain": 2.0}}),
    )
    for number, (label, answered_label, text, answered_text) in enumerate(_PAIRS)
)
"""Right, wrong, partly right and unusable answers in several scripts."""


def check_metric(metric: Metric, cases: Sequence[Judged] = CASES) -> None:
    """Raise `AssertionError` unless `metric` keeps its contract.

    Args:
        cases: at least three items with targets that are no two alike in every respect, answers of different worth among them,
            each with a `reference_nll` above zero.
    """
    _has_the_members(metric)
    _gives_one_finite_row_an_item(metric, cases)
    _is_deterministic(metric, cases)
    _weighs_items_as_if_they_were_repeated(metric, cases)
    _has_columns_that_do_not_depend_on_answers(metric, cases)
    _takes_sums_of_any_leading_shape(metric, cases)
    _counts_unusable_answers(metric, cases)
    _is_best_for_perfect_answers(metric, cases)
    if metric.right_or_wrong:
        _is_a_mean_of_right_and_wrong(metric, cases)


def _has_the_members(metric: Metric) -> None:
    lacking = missing_members(metric, "metrics")
    _expect(metric, not lacking, f"lacks {', '.join(lacking)}")
    _expect(metric, bool(metric.title.en and metric.title.ko), "has no title in one of the languages")


def _gives_one_finite_row_an_item(metric: Metric, cases: Sequence[Judged]) -> None:
    statistics = metric.statistics(cases)
    _expect(
        metric,
        statistics.ndim == 2 and len(statistics) == len(cases) and statistics.dtype == np.float64,
        f"gives statistics of shape {statistics.shape} and type {statistics.dtype} for {len(cases)} items; "
        f"expected ({len(cases)}, k) of float64",
    )
    for item, row in zip(cases, statistics, strict=True):
        _expect(metric, bool(np.isfinite(row).all()), f"gives {row} for the answer {item.output}; expected finite numbers")
    value = _value(metric, cases)
    _expect(metric, bool(np.isfinite(value)), f"gives the value {value}; expected a finite number")
    if metric.percent:
        _expect(metric, 0 <= value <= 1, f"gives {value}, although shares are kept as 0 to 1")


def _is_deterministic(metric: Metric, cases: Sequence[Judged]) -> None:
    same = np.array_equal(metric.statistics(cases), metric.statistics(cases), equal_nan=True)
    _expect(metric, same, "gives different statistics for the same items")


def _weighs_items_as_if_they_were_repeated(metric: Metric, cases: Sequence[Judged]) -> None:
    """What the bootstrap and the jackknife rest on: any item left out, and some items repeated in any order."""
    statistics = metric.statistics(cases)
    generator = np.random.default_rng(0)
    left_out = 1 - np.eye(len(cases), dtype=np.int64)
    drawn = generator.multinomial(len(cases), np.full(len(cases), 1 / len(cases)), size=10)
    for weights in np.concatenate([left_out, drawn]):
        repeated = generator.permutation(np.repeat(np.arange(len(cases)), weights))
        weighted = float(metric.value(weights @ statistics))
        measured = _value(metric, [cases[place] for place in repeated])
        _expect(
            metric,
            bool(np.isclose(weighted, measured, rtol=1e-9, atol=1e-12, equal_nan=True)),
            f"is not a function of the sum over items: items {sorted(repeated.tolist())} give {measured}, their summed "
            f"statistics {weighted}. A row may not depend on the other items or their number",
        )


def _has_columns_that_do_not_depend_on_answers(metric: Metric, cases: Sequence[Judged]) -> None:
    rows = metric.statistics(cases)
    halves = np.arange(len(cases)) % 2 == 0
    for step in (0, 1):
        # Another arm's answers: the same one to everything, and everybody's neighbour's.
        others = [replace(item, output=cases[(place - 1) * step].output) for place, item in enumerate(cases)]
        other_rows = metric.statistics(others)
        _expect(
            metric,
            rows.shape == other_rows.shape,
            f"gives {rows.shape[1]} columns for one arm's answers and {other_rows.shape[1]} for another's on the same items",
        )
        mixed = [item if half else other for item, other, half in zip(cases, others, halves, strict=True)]
        exchanged = float(metric.value(np.where(halves[:, None], rows, other_rows).sum(axis=0)))
        _expect(
            metric,
            bool(np.isclose(exchanged, _value(metric, mixed), rtol=1e-9, atol=1e-12)),
            "has columns whose meaning depends on the answers: rows of two arms cannot be exchanged",
        )


def _takes_sums_of_any_leading_shape(metric: Metric, cases: Sequence[Judged]) -> None:
    sums = metric.statistics(cases).sum(axis=0)
    for shape in ((), (3,), (2, 3)):
        values = metric.value(np.broadcast_to(sums, (*shape, len(sums))))
        _expect(
            metric,
            np.shape(values) == shape and bool(np.allclose(values, float(metric.value(sums)), rtol=1e-12)),
            f"gives shape {np.shape(values)} for sums of shape {(*shape, len(sums))}; expected {shape}",
        )


def _counts_unusable_answers(metric: Metric, cases: Sequence[Judged]) -> None:
    for output in ({}, {"label": "", "text": ""}, {"label": None, "text": None}):
        items = [*_perfect(cases), replace(cases[0], output=output)]
        statistics = metric.statistics(items)
        _expect(metric, bool(np.isfinite(statistics).all()), f"gives no finite statistics for the answer {output}")
        value, best = _value(metric, items), _value(metric, _perfect(cases))
        _expect(metric, _worse_or_equal(metric, value, best), f"gets better by an unusable answer: {best}, then {value}")
        _expect(
            metric,
            not metric.percent or value < best or not metric.higher_is_better,
            f"leaves out the answer {output}: its value stays {value}; an unusable answer is a wrong one",
        )


def _is_best_for_perfect_answers(metric: Metric, cases: Sequence[Judged]) -> None:
    best, given = _value(metric, _perfect(cases)), _value(metric, cases)
    better = "higher" if metric.higher_is_better else "lower"
    _expect(
        metric,
        _worse_or_equal(metric, given, best) and given != best,
        f"is {best} for perfect answers and {given} for others, although {better} is better",
    )
    if metric.percent and metric.higher_is_better:
        _expect(metric, bool(np.isclose(best, 1.0)), f"is {best} for perfect answers; expected 1")


def _is_a_mean_of_right_and_wrong(metric: Metric, cases: Sequence[Judged]) -> None:
    statistics = metric.statistics(cases)
    outcomes = metric.value(statistics)
    _expect(metric, set(outcomes.tolist()) <= {0.0, 1.0}, f"calls itself right/wrong and gives items {outcomes}")
    _expect(
        metric,
        bool(np.isclose(outcomes.mean(), float(metric.value(statistics.sum(axis=0))))),
        "calls itself right/wrong and is not the mean of its items",
    )


def _perfect(cases: Sequence[Judged]) -> list[Judged]:
    return [replace(item, output=dict(item.target), reference_nll=0.0, confidence=1.0) for item in cases]


def _worse_or_equal(metric: Metric, value: float, best: float) -> bool:
    return value <= best + 1e-12 if metric.higher_is_better else value >= best - 1e-12


def _value(metric: Metric, items: Sequence[Judged]) -> float:
    statistics: NDArray[np.float64] = metric.statistics(items)
    return float(metric.value(statistics.sum(axis=0)))


def _expect(metric: Metric, kept: bool, broken: str) -> None:
    if not kept:
        raise AssertionError(f"The metric '{getattr(metric, 'name', metric)}' {broken}.")
