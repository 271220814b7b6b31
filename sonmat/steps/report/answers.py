"""What single answers show: mix-ups of labels, confident mistakes, gains and losses against another arm, slices.

In: test examples and the predictions of arms. Out: the parts of a `Report` that count answers and name rows, and what cuts a
text to a readable length and takes personal data out of it. It computes no interval; that is the proof's business.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from sonmat.core.decision import Costs
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Judged, Metric
from sonmat.core.values import Example
from sonmat.reading.personal import masked, masked_content
from sonmat.steps.report.contents import ConfusedPair, Confusion, Contrast, Measure, Mistakes, SliceLine
from sonmat.steps.report.vocabulary import measure_named, metric_named

LARGEST_MATRIX: Final = 25
MOST_PAIRS: Final = 15
MOST_MISTAKES: Final = 12
MOST_CONTRASTS: Final = 6
MOST_SLICES: Final = 40
LONGEST_QUOTE: Final = 4000
MOST_TURNS: Final = 20

Answers = Mapping[str, Prediction]
"""Predictions of one arm by row id."""


def kind_of_answers(examples: Sequence[Example]) -> Literal["label", "text", "other"]:
    """Whether an answer is one of some labels, written text, or something else."""
    if examples and all("label" in example.target for example in examples):
        return "label"
    if examples and all(isinstance(example.target.get("text"), str) for example in examples):
        return "text"
    return "other"


def confusion(candidate: str, examples: Sequence[Example], answers: Answers) -> Confusion | None:
    """How often each label was answered for each right label; None if nothing was answered."""
    counts = Counter(
        (label_of(example.target), label_of(answers[example.id].output)) for example in examples if example.id in answers
    )
    if not counts:
        return None
    targets = tuple(sorted({target for target, _ in counts}))
    strange = tuple(sorted({answer for _, answer in counts} - set(targets)))
    columns = targets + strange
    wrong = [(pair, count) for pair, count in counts.items() if pair[0] != pair[1]]
    wrong.sort(key=lambda entry: (-entry[1], entry[0]))
    small = len(columns) <= LARGEST_MATRIX
    return Confusion(
        candidate=candidate,
        targets=targets,
        answers=columns,
        counts=tuple(tuple(counts[target, answer] for answer in columns) for target in targets) if small else (),
        pairs=tuple(ConfusedPair(target=target, answer=answer, count=n) for (target, answer), n in wrong[:MOST_PAIRS]),
    )


def confident_mistakes(candidate: str, examples: Sequence[Example], answers: Answers) -> Mistakes | None:
    """The wrong labels that the model was surest of; None if nothing was answered."""
    answered = [example for example in examples if example.id in answers]
    if not answered:
        return None
    wrong = [example for example in answered if not is_right(example, answers)]
    ordered = sorted(wrong, key=lambda example: -_confidence(answers[example.id]))
    rows = tuple(example.id for example in ordered[:MOST_MISTAKES])
    return Mistakes(candidate=candidate, measure=None, rows=rows, count=len(wrong), answered=len(answered))


def lowest_answers(
    candidate: str, examples: Sequence[Example], answers: Answers, metrics: Sequence[str]
) -> Mistakes | None:
    """The written answers with the lowest value of the first metric that tells them apart."""
    answered = [example for example in examples if example.id in answers]
    measured = _measured(answered, (answers,), metrics)
    if measured is None:
        return None
    measure, (values,) = measured
    sign = 1 if measure.higher_is_better else -1
    order = sorted(range(len(answered)), key=lambda index: sign * values[index])[:MOST_CONTRASTS]
    rows = tuple(answered[index].id for index in order)
    return Mistakes(candidate=candidate, measure=measure, rows=rows, count=len(answered), answered=len(answered))


def contrast(
    a: str, b: str, examples: Sequence[Example], answers_a: Answers, answers_b: Answers, metrics: Sequence[str]
) -> Contrast | None:
    """Rows that arm `a` answers most better and most worse than arm `b`.

    Args:
        metrics: names to judge written answers by, best first; labels are right or wrong.
    """
    both = [example for example in examples if example.id in answers_a and example.id in answers_b]
    measured = _measured(both, (answers_a, answers_b), metrics)
    if measured is None:
        return None
    measure, (values_a, values_b) = measured
    sign = 1 if measure.higher_is_better else -1
    gains = [sign * (left - right) for left, right in zip(values_a, values_b, strict=True)]
    order = sorted(range(len(both)), key=lambda index: (-abs(gains[index]), -_confidence(answers_a[both[index].id])))

    return Contrast(
        a=a,
        b=b,
        measure=measure,
        better=tuple(both[index].id for index in order if gains[index] > 0)[:MOST_CONTRASTS],
        worse=tuple(both[index].id for index in order if gains[index] < 0)[:MOST_CONTRASTS],
        better_count=sum(gain > 0 for gain in gains),
        worse_count=sum(gain < 0 for gain in gains),
        equal_count=sum(gain == 0 for gain in gains),
    )


def slices(
    columns: Sequence[str],
    headline: str,
    examples: Sequence[Example],
    chosen: Answers,
    reference: Answers | None,
    costs: Costs | None = None,
) -> tuple[SliceLine, ...]:
    """The headline metric for each value of each column, the commonest values first.

    Args:
        costs: of errors, where the user has set them.
    """
    metric = metric_named(headline)
    if metric is None:
        return ()
    lines = []
    for column in columns:
        counts = Counter(example.slices[column] for example in examples if column in example.slices)
        for value, items in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0])):
            inside = [example for example in examples if example.slices.get(column) == value and example.id in chosen]
            if not inside:
                continue
            other = _total(metric, inside, reference, costs) if reference else None
            lines.append(
                SliceLine(
                    column=column,
                    value=masked(value),
                    items=items,
                    chosen=_total(metric, inside, chosen, costs),
                    reference=other,
                )
            )
    return tuple(lines)


def largest_slices(lines: Sequence[SliceLine]) -> tuple[SliceLine, ...]:
    """Those that a page has room for, in their order: of too many the ones with the most rows, whichever column they are of."""
    kept = sorted(range(len(lines)), key=lambda place: -lines[place].items)[:MOST_SLICES]
    return tuple(lines[place] for place in sorted(kept))


def values_by_row(
    examples: Sequence[Example], arms: Mapping[str, Answers], metrics: Sequence[str]
) -> tuple[Measure, dict[str, dict[str, float]]] | None:
    """Every arm's value on every row that it answered, by the first metric that grades all answers."""
    answered = {arm: [example for example in examples if example.id in answers] for arm, answers in arms.items()}
    for name in metrics:
        metric = metric_named(name)
        if metric is None or metric.right_or_wrong:
            continue
        values = {
            arm: dict(zip((example.id for example in rows), _each(metric, rows, arms[arm]), strict=True))
            for arm, rows in answered.items()
        }
        if all(math.isfinite(value) for of_arm in values.values() for value in of_arm.values()):
            return measure_named(name), values
    return None


def _each(metric: Metric, examples: Sequence[Example], answers: Answers) -> list[float]:
    values: list[float] = metric.value(metric.statistics(_judged(examples, answers))).tolist() if examples else []
    return values


def _measured(
    examples: Sequence[Example], arms: Sequence[Answers], metrics: Sequence[str]
) -> tuple[Measure, list[list[float]]] | None:
    """The value of each example for each arm, by rightness for labels, else by the first metric that grades answers."""
    if not examples:
        return None
    if kind_of_answers(examples) == "label":
        measure = measure_named("accuracy").model_copy(update={"percent": True})
        return measure, [[float(is_right(example, answers)) for example in examples] for answers in arms]
    named = {str(place): answers for place, answers in enumerate(arms)}
    found = values_by_row(examples, named, metrics)
    if found is None:
        return None
    measure, by_row = found
    return measure, [[values[example.id] for example in examples] for values in by_row.values()]


def _total(metric: Metric, examples: Sequence[Example], answers: Answers, costs: Costs | None) -> float:
    statistics: NDArray[np.float64] = metric.statistics(
        _judged([example for example in examples if example.id in answers], answers, costs)
    )
    return float(metric.value(np.nansum(statistics, axis=0)))


def _judged(examples: Sequence[Example], answers: Answers, costs: Costs | None = None) -> list[Judged]:
    return [
        Judged(
            input=example.input,
            target=example.target,
            output=answers[example.id].output,
            confidence=answers[example.id].confidence,
            reference_nll=answers[example.id].reference_nll,
            costs=costs,
        )
        for example in examples
    ]


def cut(content: Any, longest: int = LONGEST_QUOTE) -> Any:
    """The same content without personal data, its lists cut and its texts to `longest` characters."""
    # Masked first, because half a number is no longer known for one.
    return _cut(masked_content(content), longest)


def _cut(content: Any, longest: int) -> Any:
    if isinstance(content, str):
        return content if len(content) <= longest else content[:longest] + " […]"
    if isinstance(content, list | tuple):
        return [_cut(entry, longest) for entry in content[-MOST_TURNS:]]
    if isinstance(content, dict):
        return {key: _cut(entry, longest) for key, entry in content.items()}
    return content


def is_right(example: Example, answers: Answers) -> bool:
    """Whether the label that was answered is the right one."""
    return label_of(example.target) == label_of(answers[example.id].output)


def label_of(content: Mapping[str, Any]) -> str:
    """The label of a target or an answer; '' where it has none."""
    return str(content.get("label", ""))


def _confidence(answer: Prediction) -> float:
    return answer.confidence if answer.confidence is not None else -1.0
