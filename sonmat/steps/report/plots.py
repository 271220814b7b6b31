"""The plots of a report: which figures of it are drawn how, with words in the reader's language.

In: a `Report` and a `Phrasing`. Out: SVG from `charts`. How a plot looks is decided there and in the style sheet.
"""

from __future__ import annotations

from markupsafe import Markup

from sonmat.steps.report import charts, labels
from sonmat.steps.report.contents import ArmLine, Curve, Measure, Point, Report
from sonmat.steps.report.phrasing import Phrasing


class Plots:
    """Draws the plots of `report`."""

    def __init__(self, report: Report, phrasing: Phrasing) -> None:
        self.report = report
        self.phrasing = phrasing

    def values(self) -> Markup:
        """The headline metric of every arm."""
        measure = self.report.headline
        spans = [self._span(line) for line in self.report.arms]
        title = self.phrasing.say(measure.title)
        return charts.forest(title, spans, self._amount(measure), self._tick(measure), measure.percent)

    def differences(self) -> Markup | None:
        """The paired difference of every arm to the reference; None where nothing was compared."""
        measure, reference = self.report.headline, self.report.reference
        spans = [
            charts.Span(line.arm.candidate, compared.difference, compared.low, compared.high, line.arm.role, line.chosen)
            for line in self.report.arms
            if (compared := line.against) is not None
        ]
        if not spans or reference is None:
            return None
        title = self.phrasing.say(labels.DIFFERENCE, name=reference.arm.candidate)
        return charts.forest(
            title,
            spans,
            lambda value: self.phrasing.difference(value, measure),
            lambda value: self.phrasing.difference_tick(value, measure),
            bounded=False,
            guide=0.0,
        )

    def confusion(self) -> Markup | None:
        confusion = self.report.confusion
        if confusion is None or not confusion.counts:
            return None
        empty = self.phrasing.say(labels.EMPTY_LABEL)

        def describe(target: str, answer: str, count: int) -> str:
            return self.phrasing.say(labels.CONFUSION_CELL, target=target, answer=answer, count=count)

        targets = [label or empty for label in confusion.targets]
        answers = [label or empty for label in confusion.answers]

        def place(row: int, column: int) -> str | None:
            shown = self.report.side_by_side
            return shown.mixed_up(confusion.targets[row], confusion.answers[column]) if shown else None

        title = self.phrasing.say(labels.CONFUSION)
        return charts.heat_map(title, targets, answers, confusion.counts, describe, place)

    def loss(self, curve: Curve) -> Markup | None:
        series = (
            charts.Line(self.phrasing.say(labels.TRAIN), _pairs(curve.train_loss), "train-raw"),
            charts.Line(self.phrasing.say(labels.TRAIN), _pairs(_smoothed(curve.train_loss)), "train"),
            charts.Line(self.phrasing.say(labels.VALIDATION), _pairs(curve.validation_loss), "validation", marks=True),
        )
        title = self.phrasing.say(labels.CURVE_LOSS_TITLE, name=curve.candidate)
        return self._curve(title, series, curve, self.phrasing.number, self.phrasing.number)

    def measure(self, curve: Curve) -> Markup | None:
        measure = curve.measure
        if measure is None:
            return None
        name = self.phrasing.say(measure.title)
        title = self.phrasing.say(labels.CURVE_MEASURE_TITLE, measure=name, name=curve.candidate)
        line = charts.Line(name, _pairs(curve.validation_measure), "validation", marks=True)
        return self._curve(title, (line,), curve, self._amount(measure), self._tick(measure))

    def _amount(self, measure: Measure) -> charts.Format:
        return lambda value: self.phrasing.amount(value, measure)

    def _tick(self, measure: Measure) -> charts.Format:
        return lambda value: self.phrasing.tick(value, measure)

    def _span(self, line: ArmLine) -> charts.Span:
        score = line.arm.headline
        return charts.Span(line.arm.candidate, score.value, score.low, score.high, line.arm.role, line.chosen)

    def _curve(
        self, title: str, series: tuple[charts.Line, ...], curve: Curve, format_y: charts.Format, format_tick: charts.Format
    ) -> Markup | None:
        drawn = tuple(line for line in series if line.points)
        if not drawn:
            return None
        best = (float(curve.best_step), self.phrasing.say(labels.BEST_STEP, step=self.phrasing.count(curve.best_step)))
        return charts.lines(
            title,
            drawn,
            self.phrasing.count,
            format_y,
            format_tick,
            best if curve.best_step else None,
            [float(step) for step in curve.resumed_at],
        )


def _pairs(points: tuple[Point, ...]) -> tuple[tuple[float, float], ...]:
    return tuple((float(point.step), point.value) for point in points)


def _smoothed(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Exponential moving average without the pull of its start towards zero, as in Adam (Kingma & Ba 2015, section 3)."""
    keep = 0.0 if len(points) < 12 else 0.85
    mean, result = 0.0, []
    for number, point in enumerate(points, start=1):
        mean = keep * mean + (1 - keep) * point.value
        result.append(Point(step=point.step, value=mean / (1 - keep**number)))
    return tuple(result)
