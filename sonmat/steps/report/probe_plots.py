"""The plots of what probes measured: which figures of a `Report` are drawn how, with words in the reader's language.

In: a `Report` and a `Phrasing`. Out: SVG from `probe_charts`. What is drawn of two arms is the arm that the report is
about, beside its base.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from sonmat.core.proof import Measure, Unit
from sonmat.probing.slice_words import columns_of_slice, values_of_slice
from sonmat.steps.report import probe_charts as charts
from sonmat.steps.report import proof_labels
from sonmat.steps.report.anchors import anchor_of
from sonmat.steps.report.contents import Report
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.probed import ArmFigure, MeasureLine, Reliability, SliceSet
from sonmat.steps.report.quantities import Quantities


@dataclass(frozen=True)
class Place:
    """A line of the plane's key."""

    number: str
    arm: str
    gain: str
    forgotten: str


class ProbePlots:
    """Draws the plots of `report`."""

    def __init__(self, report: Report, phrasing: Phrasing) -> None:
        self.report, self.proven, self.phrasing = report, report.proven, phrasing
        self.quantities = Quantities(phrasing)
        self.kinds = {line.arm.candidate: line.arm.role for line in report.arms}
        self.first = report.told.arm.candidate

    def strip(self, line: MeasureLine, figure: ArmFigure) -> Markup | None:
        """One arm's figure on the scale of all; None where there is nothing to compare."""
        marks = [self._mark(each.measure) for each in line.figures]
        shown = self._mark(figure.measure)
        if len(marks) < 2:
            return None
        return charts.strip(marks, shown, shown.words)

    def slices(self, found: SliceSet) -> Markup:
        """Every slice with the arm that the report is about, beside its base."""
        by_slice: dict[tuple[str, ...], list[Measure]] = {}
        for measure in found.figures:
            by_slice.setdefault(tuple(measure.slice.values()), []).append(measure)
        rows = [self._slice_row(own, found, place) for place, own in enumerate(by_slice.values())]
        ends = [
            each for measure in found.figures for each in (measure.value, measure.low, measure.high) if each is not None
        ]
        bounded = found.unit == "share" and min(ends) >= 0 and max(ends) <= 1
        return charts.slice_rows(
            self._slices_title(found), rows, lambda value: self._tick(value, found.unit), bounded=bounded
        )

    def worst(self, found: SliceSet) -> str:
        """The worst slice in a sentence; '' where neither way is better, or there is only one."""
        own = [measure for measure in found.figures if measure.arm in self.compared(found)[-1:]]
        if found.higher_is_better is None or len(own) < 2:
            return ""
        return self.phrasing.say(
            proof_labels.WORST_SLICE_IS,
            name=own[0].arm,
            slice=self.slice_name(own[0]),
            value=self.quantities.quantity(own[0].value, found.unit),
            items=self.phrasing.count(own[0].items),
        )

    def part(self, found: SliceSet) -> str:
        """By what the rows are parted."""
        return self.phrasing.say(proof_labels.PART, columns=self.phrasing.say(columns_of_slice(found.figures[0].slice)))

    def slice_name(self, measure: Measure) -> str:
        return self.phrasing.say(values_of_slice(measure.slice))

    def compared(self, found: SliceSet) -> list[str]:
        """The base, if it was measured, and the arm to compare; some other arm where that has no such figures."""
        there = list(dict.fromkeys(measure.arm for measure in found.figures))
        first = self.first if self.first in there else there[-1]
        base = self.proven.bases.get(first)
        return [base, first] if base in there else [first]

    def plane(self) -> Markup | None:
        plane = self.proven.plane
        if plane is None:
            return None
        measure = self.report.headline
        spots = []
        for place, (point, key) in enumerate(zip(plane.points, self.places(), strict=True)):
            words = f"{point.arm}: {key.gain}; {key.forgotten}"
            kind = self.kinds.get(point.arm, "floor")
            spots.append(
                charts.Spot(
                    number=key.number,
                    x=charts.Mark(point.forgetting, point.forgetting_low, point.forgetting_high, kind, ""),
                    y=charts.Mark(point.gain, point.gain_low, point.gain_high, kind, ""),
                    kind=kind,
                    words=words,
                    strong=place > 0 and point.arm == self.first,
                )
            )
        rules = []
        if plane.bound is not None:
            bound = self.phrasing.share(plane.bound)
            rules.append(charts.Rule(plane.bound, self.phrasing.say(proof_labels.BOUND_LINE, bound=bound), forbids=True))
        if plane.floor is not None:
            floor = self.phrasing.share(plane.floor)
            rules.append(charts.Rule(plane.floor, self.phrasing.say(proof_labels.FLOOR_LINE, value=floor), forbids=False))
        return charts.plane(
            self.phrasing.say(proof_labels.GAIN),
            spots,
            rules,
            (lambda value: self._tick(value, "share"), lambda value: self.phrasing.difference_tick(value, measure)),
        )

    def places(self) -> list[Place]:
        """What the numbers on the plane stand for."""
        plane = self.proven.plane
        if plane is None:
            return []
        measure, places = self.report.headline, []
        for number, point in enumerate(plane.points, start=1):
            gain = self.phrasing.difference(point.gain, measure)
            forgotten = self.phrasing.share(point.forgetting)
            if point.gain_low is not None and point.gain_high is not None:
                ends = [self.phrasing.difference(each, measure) for each in (point.gain_low, point.gain_high)]
                gain += f" ({ends[0]} … {ends[1]})"
            if point.forgetting_low is not None and point.forgetting_high is not None:
                forgotten += (
                    f" ({self.phrasing.share(point.forgetting_low)} – {self.phrasing.share(point.forgetting_high)})"
                )
            places.append(Place(str(number), point.arm, gain, forgotten))
        return places

    def reliability(self, found: Reliability) -> Markup:
        share, kind = self.phrasing.share, self.kinds.get(found.arm, "floor")
        marks = []
        for each in found.bins:
            words = self.phrasing.say(
                proof_labels.CALIBRATION_BIN,
                confidence=share(each.confidence),
                right=share(each.right),
                low=share(each.low),
                high=share(each.high),
                items=self.phrasing.count(each.items),
            )
            marks.append((each.confidence, charts.Mark(each.right, each.low, each.high, kind, words)))
        title = f"{found.arm}: {self.phrasing.capital(found.title)}"
        return charts.reliability(title, marks, lambda value: self._tick(value, "share"))

    def calibration_figures(self, arm: str) -> list[tuple[str, str, str, str]]:
        """Title, value, interval and anchor of every measure of all items that the probes behind the plots have of `arm`."""
        return [
            (
                self.phrasing.capital(line.title),
                self.quantities.quantity(figure.measure.value, figure.measure.unit),
                self.quantities.span(figure.measure),
                anchor_of("measure", section.probe, line.name),
            )
            for section in self.proven.sections
            if section.probe == "calibration"
            for line in section.lines
            for figure in line.figures
            if figure.arm == arm
        ]

    def drawn(self, found: SliceSet) -> int:
        """Slices that the plot shows."""
        return len({tuple(measure.slice.values()) for measure in found.figures})

    def latency(self) -> Markup | None:
        """Quantiles of every arm; a time of zero cannot stand on a logarithmic axis."""
        rows = []
        for latency in self.proven.latencies:
            marks = [self._mark(measure) for measure in latency.quantiles if measure.value > 0]
            told = " · ".join(self.phrasing.duration(measure.value) for measure in latency.quantiles)
            if marks:
                rows.append((latency.arm, told, marks))
        if not rows:
            return None
        return charts.quantiles(self.phrasing.say(proof_labels.SPEED), rows, self.phrasing.duration)

    def _slice_row(self, own: Sequence[Measure], found: SliceSet, place: int) -> charts.SliceRow:
        by_arm = {measure.arm: measure for measure in own}
        shown = [by_arm[arm] for arm in self.compared(found) if arm in by_arm] or [own[0]]
        values = " → ".join(self.quantities.quantity(measure.value, found.unit) for measure in shown)
        worst = place == 0 and found.higher_is_better is not None and found.slices > 1
        items = self.phrasing.say(proof_labels.ITEMS, count=self.phrasing.count(shown[-1].items))
        return charts.SliceRow(
            name=f"{self.slice_name(shown[-1])} ({items})",
            figure=values,
            flag=self.phrasing.say(proof_labels.WORST_SLICE) if worst else "",
            marks=tuple(self._mark(measure) for measure in shown),
        )

    def _slices_title(self, found: SliceSet) -> str:
        return f"{self.phrasing.capital(found.title)}, {self.part(found)}"

    def _mark(self, measure: Measure) -> charts.Mark:
        span = self.quantities.span(measure)
        value = self.quantities.quantity(measure.value, measure.unit)
        return charts.Mark(
            value=measure.value,
            low=measure.low,
            high=measure.high,
            kind=self.kinds.get(measure.arm, "floor"),
            words=f"{measure.arm}: {value}" + (f" ({span})" if span else ""),
            strong=measure.arm == self.first,
        )

    def _tick(self, value: float, unit: Unit) -> str:
        return self.phrasing.share(value).replace(".0", "") if unit == "share" else self.quantities.quantity(value, unit)
