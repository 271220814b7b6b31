"""The conformance suite passes every metric here, and each of its checks is seen to fire on a planted fault."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sonmat.conformance.metric import CASES, check_metric
from sonmat.core.protocols import Judged, Metric
from sonmat.core.text import Text, verbatim
from sonmat.plugins import every

Floats = NDArray[np.float64]


class Sound:
    """Accuracy, from which each faulty metric differs in one thing."""

    name = "sound"
    title = verbatim("sound")
    higher_is_better = True
    percent = True
    right_or_wrong = True

    def statistics(self, items: Sequence[Judged]) -> Floats:
        return np.array([[self.score(item), 1.0] for item in items])

    def score(self, item: Judged) -> float:
        return float(item.output.get("label") == item.target["label"])

    def value(self, sums: Floats) -> Floats:
        return np.asarray(sums[..., 0] / np.maximum(sums[..., 1], 1e-9))


class WithoutValue:
    name = "without_value"
    title = verbatim("without value")
    higher_is_better = percent = right_or_wrong = True

    def statistics(self, items: Sequence[Judged]) -> Floats:
        return np.ones((len(items), 2))


class AveragedInTheRows(Sound):
    def statistics(self, items: Sequence[Judged]) -> Floats:
        return np.asarray(super().statistics(items) / [len(items), 1])

    def value(self, sums: Floats) -> Floats:
        return np.asarray(sums[..., 0])


class RelativeToTheBest(Sound):
    right_or_wrong = False

    def score(self, item: Judged) -> float:
        return len(item.output.get("text") or "") + 1.0

    def statistics(self, items: Sequence[Judged]) -> Floats:
        rows = super().statistics(items)
        return np.asarray(rows / [rows[:, 0].max(), 1])


class ColumnsByAnswer(Sound):
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> Floats:
        answers = sorted({str(item.output.get("label")) for item in items})
        rows = np.zeros((len(items), 2 * len(answers)))
        for row, item in zip(rows, items, strict=True):
            place = answers.index(str(item.output.get("label")))
            row[2 * place : 2 * place + 2] = self.score(item), 1
        return rows

    def value(self, sums: Floats) -> Floats:
        return np.asarray(sums[..., ::2].sum(-1) / np.maximum(sums[..., 1::2].sum(-1), 1e-9))


class Random(Sound):
    generator = np.random.default_rng(0)

    def score(self, item: Judged) -> float:
        return float(self.generator.integers(2))


class LeavesOutTheUnusable(Sound):
    def statistics(self, items: Sequence[Judged]) -> Floats:
        return np.asarray(super().statistics(items) * [[bool(item.output.get("label"))] for item in items])


class NanForTheUnusable(Sound):
    def score(self, item: Judged) -> float:
        return super().score(item) if item.output.get("label") else np.nan


class UpsideDown(Sound):
    def score(self, item: Judged) -> float:
        return 1 - super().score(item)


class InPerCent(Sound):
    def score(self, item: Judged) -> float:
        return 100 * super().score(item)


class Constant(Sound):
    def score(self, item: Judged) -> float:
        return 1.0


class OneSumOnly(Sound):
    def value(self, sums: Floats) -> Floats:
        flat = sums.reshape(-1, 2)
        return np.asarray(flat[0, 0] / flat[0, 1])


class NotRightOrWrong(Sound):
    def score(self, item: Judged) -> float:
        return super().score(item) or 0.5 * bool(item.output.get("label") == "rain")


class WithoutKorean(Sound):
    title = Text(en="sound", ko="")


class OneRowShort(Sound):
    def statistics(self, items: Sequence[Judged]) -> Floats:
        return super().statistics(items)[1:]


@pytest.mark.parametrize("metric", every("metrics"), ids=lambda metric: metric.name)
def test_every_metric_keeps_its_contract(metric: Metric) -> None:
    check_metric(metric)


def test_a_sound_third_party_metric_passes() -> None:
    check_metric(Sound())


@pytest.mark.parametrize(
    ("faulty", "complaint"),
    [
        (WithoutValue(), r"lacks value\(\)"),
        (WithoutKorean(), "no title in one of the languages"),
        (OneRowShort(), "shape"),
        (AveragedInTheRows(), "not a function of the sum"),
        (RelativeToTheBest(), "not a function of the sum"),
        (ColumnsByAnswer(), "columns for one arm"),
        (Random(), "different statistics for the same items"),
        (LeavesOutTheUnusable(), "leaves out the answer"),
        (NanForTheUnusable(), "finite"),
        (UpsideDown(), "better"),
        (InPerCent(), "shares are kept as 0 to 1"),
        (Constant(), "leaves out the answer"),
        (OneSumOnly(), "gives shape"),
        (NotRightOrWrong(), "right/wrong"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_a_planted_fault_is_found(faulty: Metric, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_metric(faulty, CASES)
