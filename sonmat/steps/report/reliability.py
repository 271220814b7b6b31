"""Whether confidences may be believed, as plots: the share of right answers at each confidence, of every arm.

In: measures, or answers where no probe has binned them. Out: `Reliability` of each arm. Any measure that is told by `bin`
and `confidence` is a reliability plot, so that one of corrected confidences appears beside the plain one. Bins hold equally
many answers; their intervals are Wilson's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sonmat.core.proof import Measure, Prediction
from sonmat.core.text import Text
from sonmat.core.values import Example
from sonmat.statistics.proportions import wilson_interval
from sonmat.steps.report.probed import ConfidenceBin, Reliability

TOLD_BY: Final = {"bin", "confidence"}
MOST_BINS: Final = 10
FEWEST: Final = 20
"""Answers below which bins say nothing."""
_PER_BIN: Final = 15
_TITLE: Final = Text(en="right answers at this confidence", ko="이 확신도에서의 정답률")


def is_of_bin(measure: Measure) -> bool:
    """Whether the measure is one bin of a reliability plot."""
    return measure.slice.keys() == TOLD_BY and measure.low is not None and measure.high is not None


def reliabilities(
    measures: Sequence[Measure],
    arms: Sequence[str],
    test: Sequence[Example],
    given: Mapping[str, Mapping[str, Prediction]],
) -> tuple[Reliability, ...]:
    """A plot of each arm that states different confidences; from answers alone where no measure has bins."""
    binned = [measure for measure in measures if is_of_bin(measure) and measure.arm in arms]
    if binned:
        keys = sorted(
            {(measure.arm, measure.name): measure for measure in binned}, key=lambda key: (arms.index(key[0]), key[1])
        )
        found = [_told([each for each in binned if (each.arm, each.name) == key]) for key in keys]
    else:
        found = [_counted(arm, _stated(test, given.get(arm, {}))) for arm in arms]
    return tuple(each for each in found if len(each.bins) > 1)


def _told(bins: Sequence[Measure]) -> Reliability:
    return Reliability(
        arm=bins[0].arm,
        title=bins[0].title,
        bins=tuple(
            ConfidenceBin(
                confidence=float(each.slice["confidence"]), right=each.value, low=each.low, high=each.high, items=each.items
            )
            for each in bins
            if each.low is not None and each.high is not None
        ),
    )


def _stated(test: Sequence[Example], answers: Mapping[str, Prediction]) -> list[tuple[float, bool]]:
    """Confidence and rightness of every label that was answered with a confidence, the least sure first."""
    return sorted(
        (min(1.0, max(0.0, answer.confidence)), answer.output.get("label") == example.target["label"])
        for example in test
        if (answer := answers.get(example.id)) is not None and answer.confidence is not None and "label" in example.target
    )


def _counted(arm: str, stated: Sequence[tuple[float, bool]]) -> Reliability:
    if len(stated) < FEWEST:
        return Reliability(arm=arm, title=_TITLE, bins=())
    count = min(MOST_BINS, max(2, len(stated) // _PER_BIN))
    bins, start = [], 0
    for number in range(1, count + 1):
        end = max(start, round(number * len(stated) / count))
        # Equal confidences are never parted.
        while 0 < end < len(stated) and stated[end][0] == stated[end - 1][0]:
            end += 1
        if end > start:
            bins.append(_bin(stated[start:end]))
        start = end
    return Reliability(arm=arm, title=_TITLE, bins=tuple(bins))


def _bin(stated: Sequence[tuple[float, bool]]) -> ConfidenceBin:
    right, items = sum(is_right for _, is_right in stated), len(stated)
    interval = wilson_interval(right, items)
    mean = sum(confidence for confidence, _ in stated) / items
    return ConfidenceBin(confidence=mean, right=right / items, low=interval.low, high=interval.high, items=items)
