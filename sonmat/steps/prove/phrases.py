"""Numbers of a proof as phrases in English and Korean: a score, a lead, a cost, an amount. It decides nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sonmat.core.proof import Arm, Score, Unit
from sonmat.core.protocols import Metric
from sonmat.core.text import Text, verbatim

if TYPE_CHECKING:
    from sonmat.steps.prove.verdict import Lead


class Phrases:
    """Phrases about one metric; `titles` says what to call a candidate."""

    def __init__(self, metric: Metric, titles: Mapping[str, Text]) -> None:
        self.metric = metric
        self.titles = titles

    def title(self, candidate: str) -> Text:
        return self.titles.get(candidate, verbatim(candidate))

    def name(self, arm: Arm) -> Text:
        return self.title(arm.candidate)

    def score(self, score: Score) -> Text:
        """'macro-F1 91.2 % [88.4, 93.6]'"""
        number, interval = self.number(score.value), f"[{self.number(score.low)}, {self.number(score.high)}]"
        title = self.metric.title
        if not self.metric.percent:
            return Text(en=f"{title.en} {number} {interval}", ko=f"{title.ko} {number} {interval}")
        return Text(en=f"{title.en} {number} % {interval}", ko=f"{title.ko} {number}% {interval}")

    def gap(self, lead: Lead, other: Arm) -> Text:
        """'34.1 points above the untuned base [29.9, 38.2]': `lead` is over `other`."""
        than = self.reference(other)
        raised = (lead.points > 0) == self.metric.higher_is_better
        if self.number(lead.points) == self.number(0.0):
            interval = f"[{self.number(lead.low)}, {self.number(lead.high)}]"
            return Text(en=f"level with {than.en} {interval}", ko=f"{than.ko} 대비 차이가 없습니다 {interval}")
        # The interval is told in the direction of the difference: 5.0 below [2.1, 7.9].
        low, high = (lead.low, lead.high) if lead.points > 0 else (-lead.high, -lead.low)
        interval = f"[{self.number(low)}, {self.number(high)}]"
        amount = self.amount(abs(lead.points))
        return Text(
            en=f"{amount.en} {'above' if raised else 'below'} {than.en} {interval}",
            ko=f"{than.ko}보다 {amount.ko} {'높습니다' if raised else '낮습니다'} {interval}",
        )

    def reference(self, arm: Arm) -> Text:
        title = self.name(arm)
        if arm.role == "base" and arm.learns and not arm.elsewhere:
            return Text(en=f"the untuned base, {title.en},", ko=f"미세조정하지 않은 기본 모델인 {title.ko}")
        if arm.role == "base" and not arm.elsewhere:
            return Text(en="the untuned base", ko="미세조정하지 않은 기본 모델")
        if arm.role == "floor":
            return Text(en=f"the floor, {title.en},", ko=f"기준선인 {title.ko}")
        return self.name(arm)

    def amount(self, difference: float) -> Text:
        number = self.number(difference)
        if not self.metric.percent:
            return verbatim(number)
        return Text(en=f"{number} point{'' if number == '1.0' else 's'}", ko=f"{number}%p")

    def cost(self, seconds: float) -> Text:
        said = duration(seconds)
        return Text(en=f"{said.en} per answer", ko=f"답변 하나에 {said.ko}")

    def guessing(self) -> Text:
        """Ends a sentence about an arm that is ahead without fitting the questions."""
        return Text(
            en=", but its answers fit the questions no better than the same answers shuffled",
            ko=", 하지만 답을 무작위로 섞어도 점수가 다르지 않습니다",
        )

    def number(self, value: float) -> str:
        if not self.metric.percent:
            return significant(value, 3)
        rounded = round(100 * value, 1) + 0.0
        return f"{rounded:.1f}".replace("-", "−")


def quantity(value: float, unit: Unit) -> Text:
    """A measure's value with its unit: '12.0 %', '0.35 s', '1.2 GB'."""
    if unit == "share":
        number = hundredths(value)
        return Text(en=f"{number} %", ko=f"{number}%")
    if unit == "seconds":
        return duration(value)
    if unit == "bytes":
        return verbatim(f"{significant(value / 1e9, 2)} GB" if abs(value) >= 1e9 else f"{significant(value / 1e6, 2)} MB")
    number = significant(value, 3)
    if unit == "nats":
        return Text(en=f"{number} nats", ko=f"{number}나트")
    if unit == "tokens per second":
        return Text(en=f"{number} tokens/s", ko=f"초당 {number}토큰")
    return verbatim(number)


def hundredths(value: float) -> str:
    """A share or a difference of shares times 100: '−3.5'."""
    return f"{round(100 * value, 1) + 0.0:.1f}".replace("-", "−")


def points(value: float) -> Text:
    """A difference of shares: '3.5 points'."""
    return Text(en=f"{hundredths(value)} points", ko=f"{hundredths(value)}%p")


def duration(seconds: float) -> Text:
    """'319 µs', '0.35 s', '4 min', '2.5 h'."""
    if 0 < abs(seconds) < 0.001:
        return verbatim(f"{_without_zeros(significant(1e6 * seconds, 3))} µs")
    for size, unit in ((3600, Text(en=" h", ko="시간")), (60, Text(en=" min", ko="분"))):
        if abs(seconds) >= 1.5 * size:
            number = _without_zeros(significant(seconds / size, 2))
            return Text(en=f"{number}{unit.en}", ko=f"{number}{unit.ko}")
    number = _without_zeros(significant(seconds, 2))
    return Text(en=f"{number} s", ko=f"{number}초")


def _without_zeros(number: str) -> str:
    return number.rstrip("0").rstrip(".") if "." in number else number


def joined(names: Sequence[Text]) -> Text:
    return Text(en="; ".join(name.en for name in names), ko="; ".join(name.ko for name in names))


def significant(value: float, digits: int) -> str:
    """`value` with so many significant digits and never in powers of ten."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}".replace("-", "−")
