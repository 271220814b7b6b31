"""The plots of the data: which figures of a `DataSummary` are drawn how, with words in the reader's language.

In: a `DataSummary` and a `Phrasing`. Out: SVG from `charts` and `data_charts`, and the keys that explain their colours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sonmat.core.text import Text
from sonmat.steps.report import charts, data_charts, labels
from sonmat.steps.report.contents import ColumnCounts, CurvePoint, DataSummary, MapPoint, Measure, RowCount
from sonmat.steps.report.phrasing import Phrasing

MOST_BARS: Final = 30
COLOURS: Final = 6
"""Classes c0 to c5 of the style sheet; what is rarer than the first of these shares one more."""


@dataclass(frozen=True)
class Key:
    """What a colour stands for."""

    kind: str
    words: str


class DataPlots:
    def __init__(self, summary: DataSummary, phrasing: Phrasing) -> None:
        self.summary = summary
        self.phrasing = phrasing
        self.colours = _colours(summary)

    def classes(self) -> Markup | None:
        return self._bars(labels.CLASS_COUNTS, self.summary.classes)

    def files(self) -> Markup | None:
        return self._bars(labels.FILE_COUNTS, self.summary.files)

    def slice(self, column: ColumnCounts) -> Markup | None:
        return self._bars(labels.SLICE_COUNTS, column.counts, column=column.column)

    def lengths(self) -> Markup | None:
        lengths = self.summary.lengths
        if lengths is None:
            return None

        def describe(low: int, high: int, rows: int) -> str:
            say = self.phrasing.count
            return self.phrasing.say(labels.LENGTH_BIN, low=say(low), high=say(high), rows=say(rows))

        title = self.phrasing.say(labels.LENGTHS)
        return charts.histogram(title, lengths.edges, lengths.counts, self.phrasing.count, describe)

    def map(self) -> Markup | None:
        if self.summary.map is None:
            return None
        dots = [
            data_charts.Dot(
                point.x, point.y, self.colours.get(_group(point), "rest"), self._told(point), bool(point.suspicious)
            )
            for point in self.summary.map.points
        ]
        return data_charts.scatter(self.phrasing.say(labels.MAP), dots)

    def map_key(self) -> list[Key]:
        """What the colours of the map stand for."""
        points = self.summary.map.points if self.summary.map else ()
        names = {
            group: group if point.label else self.phrasing.say(labels.CLUSTER, number=point.cluster + 1)
            for point in points
            if (group := _group(point)) in self.colours
        }
        keys = [Key(kind, names[group]) for group, kind in self.colours.items()]
        if any(_group(point) not in self.colours for point in points):
            keys.append(Key("rest", self.phrasing.say(labels.OTHERS)))
        return keys

    def enough(self) -> Markup | None:
        curve = self.summary.enough
        if curve is None:
            return None
        measure = Measure(name="", title=curve.measure, percent=curve.percent)
        here = (curve.rows, self.phrasing.say(labels.ROWS_NOW, rows=self.phrasing.count(curve.rows)))
        title = self.phrasing.say(labels.ENOUGH_TITLE, measure=self.phrasing.say(curve.measure))
        formats: tuple[charts.Format, charts.Format, charts.Format] = (
            self.phrasing.count,
            lambda value: self.phrasing.amount(value, measure),
            lambda value: self.phrasing.tick(value, measure),
        )
        return data_charts.banded_curve(title, _bounds(curve.measured), _bounds(curve.fitted), here, formats)

    def _bars(self, title: Text, counts: Sequence[RowCount], **names: str) -> Markup | None:
        if not counts:
            return None
        empty = self.phrasing.say(labels.EMPTY_LABEL)
        entries = [
            charts.Bar(
                count.label or empty,
                (
                    ("train", count.train),
                    ("validation", count.validation),
                    ("test", count.test),
                    ("undivided", count.undivided),
                ),
            )
            for count in counts[:MOST_BARS]
        ]
        return charts.bars(self.phrasing.say(title, **names), entries, self.phrasing.count)

    def _told(self, point: MapPoint) -> str:
        """What hovering over a row of the map shows."""
        parts = [point.words, point.label, *point.suspicious]
        return " · ".join(part for part in parts if part)


def _group(point: MapPoint) -> str:
    """What a row is coloured by: its label, or its cluster where it has none."""
    return point.label or f"\0{point.cluster}"


def _colours(summary: DataSummary) -> dict[str, str]:
    """The style class of each of the commonest groups."""
    points = summary.map.points if summary.map else ()
    commonest = Counter(map(_group, points)).most_common(COLOURS)
    return {group: f"c{number}" for number, (group, _) in enumerate(commonest)}


def _bounds(points: Sequence[CurvePoint]) -> list[data_charts.Bounds]:
    return [data_charts.Bounds(point.rows, point.value, point.low, point.high) for point in points]
