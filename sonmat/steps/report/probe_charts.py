"""Plots of what probes measured: an interval in a table, slices with two arms each, the plane, reliability, quantiles on a log
scale.

In: numbers and words. Out: `Markup` of one `<svg>` each, drawn as `charts` does: positions across in per cent, down in
pixels. No colour is named here, and no mark is told from another by its colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sonmat.steps.report.charts import Format
from sonmat.steps.report.quoting import shortened
from sonmat.steps.report.svg import below, drawing, level, nice_ticks, percent, scale, tag

Scale = Callable[[float], float]
STRIP_HEIGHT: Final = 18
PLANE_HEIGHT: Final = 340
SQUARE_HEIGHT: Final = 230
_LOG_FROM: Final = 30.0
"""Ratio of the largest to the smallest value above which a scale is logarithmic."""


@dataclass(frozen=True)
class Mark:
    """A value with its interval, ends that are not known as None; `words` is what hovering shows."""

    value: float
    low: float | None
    high: float | None
    kind: str
    words: str
    strong: bool = False


@dataclass(frozen=True)
class SliceRow:
    """A slice: its name, what stands at the right end, what it is pointed out as, and a mark for each arm."""

    name: str
    figure: str
    flag: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class Spot:
    """A numbered place on the plane with the ends of both its intervals."""

    number: str
    x: Mark
    y: Mark
    kind: str
    words: str
    strong: bool = False


@dataclass(frozen=True)
class Rule:
    """A line across the plane at x, with its words; what lies beyond it is shaded if `forbids`."""

    x: float
    words: str
    forbids: bool


def strip(marks: Sequence[Mark], shown: Mark, title: str) -> Markup:
    """One of `marks` on the scale of them all, to stand in a line of a table."""
    x = _common_scale(marks)
    y = STRIP_HEIGHT / 2
    parts = [tag("line", x1=0, x2="100%", y1=y, y2=y, class_="rail"), *_interval(shown, x, y)]
    parts.append(tag("circle", cx=percent(x(shown.value)), cy=y, r=4.5, class_="point"))
    kind = f"strip {shown.kind} strong" if shown.strong else f"strip {shown.kind}"
    return drawing(title, STRIP_HEIGHT, parts, kind)


def slice_rows(title: str, rows: Sequence[SliceRow], format_tick: Format, bounded: bool) -> Markup:
    """Every slice on one axis: its name and figure above, a line for each arm below."""
    ends = [each for row in rows for each in _ends(row.marks)]
    low, high = _widened(min(ends), max(ends), bounded)
    ticks = nice_ticks(low, high, 5)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    x = scale(low, high)
    tall = [28 + 14 * len(row.marks) for row in rows]
    bottom = sum(tall) + 2
    parts = [
        tag("line", x1=percent(x(tick)), x2=percent(x(tick)), y1=0, y2=bottom, class_="grid")
        + below(x(tick), bottom, format_tick(tick))
        for tick in ticks
    ]
    top = 0
    for row, height in zip(rows, tall, strict=True):
        parts.append(_slice_row(row, top, x))
        top += height
    return drawing(title, bottom + 24, parts, "forest slices")


def plane(title: str, spots: Sequence[Spot], rules: Sequence[Rule], formats: tuple[Format, Format]) -> Markup:
    """Spots with a cross of both intervals; both zeros are drawn as axes.

    Args:
        formats: of a tick of x and of y.
    """
    xs = _ends(spot.x for spot in spots) + [rule.x for rule in rules] + [0.0]
    ys = [*_ends(spot.y for spot in spots), 0.0]
    x_low, x_high = _widened(min(xs), max(xs), False)
    y_low, y_high = _widened(min(ys), max(ys), False)
    x, y_share = scale(x_low, x_high), scale(y_low, y_high)

    def y(value: float) -> float:
        return round(PLANE_HEIGHT * (1 - y_share(value) / 100), 1)

    parts = [_forbidden(x(rule.x)) for rule in rules if rule.forbids]
    parts += [level(y(tick), formats[1](tick)) for tick in nice_ticks(y_low, y_high, 5) if y_low <= tick <= y_high]
    parts += [
        tag("line", x1=percent(x(tick)), x2=percent(x(tick)), y1=0, y2=PLANE_HEIGHT, class_="grid")
        + below(x(tick), PLANE_HEIGHT, formats[0](tick))
        for tick in nice_ticks(x_low, x_high, 5)
        if x_low <= tick <= x_high
    ]
    parts.append(tag("line", x1=0, x2="100%", y1=y(0), y2=y(0), class_="zero"))
    parts.append(tag("line", x1=percent(x(0)), x2=percent(x(0)), y1=0, y2=PLANE_HEIGHT, class_="zero"))
    parts += [_rule(rule, x(rule.x), 14 + 17 * place) for place, rule in enumerate(rules)]
    parts += [_spot(spot, x, y) for spot in sorted(spots, key=lambda spot: spot.strong)]
    return drawing(title, PLANE_HEIGHT + 24, parts, "axes plane")


def reliability(title: str, marks: Sequence[tuple[float, Mark]], format_tick: Format) -> Markup:
    """Shares of right answers by confidence, both from 0 to 1, over the diagonal on which they are equal."""
    ticks = (0.0, 0.5, 1.0)
    parts = [level(SQUARE_HEIGHT * (1 - tick), format_tick(tick)) for tick in ticks]
    parts += [below(100 * tick, SQUARE_HEIGHT, format_tick(tick)) for tick in ticks]
    parts.append(tag("line", x1=0, y1=SQUARE_HEIGHT, x2="100%", y2=0, class_="diagonal"))
    for confidence, mark in marks:
        at, ends = percent(100 * confidence), [SQUARE_HEIGHT * (1 - (each or 0.0)) for each in (mark.low, mark.high)]
        parts.append(tag("line", x1=at, x2=at, y1=round(ends[0], 1), y2=round(ends[1], 1), class_=f"whisker {mark.kind}"))
        top = round(SQUARE_HEIGHT * (1 - mark.value), 1)
        parts.append(tag("circle", cx=at, cy=top, r=4.5, class_=f"dot {mark.kind}", children_title=mark.words))
    return drawing(title, SQUARE_HEIGHT + 24, parts, "axes reliability")


def quantiles(title: str, rows: Sequence[tuple[str, str, Sequence[Mark]]], format_tick: Format) -> Markup:
    """Of every arm its quantiles on a logarithmic axis: name and figures above, a dot, a diamond, a triangle below.

    Args:
        rows: name, what stands at the right end, and marks in the order of their quantiles.
    """
    ends = [each for _, _, marks in rows for each in _ends(marks) if each > 0]
    low, high = math.log10(min(ends)) - 0.08, math.log10(max(ends)) + 0.12
    place = scale(low, high)

    def x(value: float) -> float:
        return place(math.log10(max(value, 10**low)))

    bottom = 48 * len(rows) + 2
    decades = [10.0**power for power in range(math.ceil(low), math.floor(high) + 1)]
    parts = [
        tag("line", x1=percent(x(tick)), x2=percent(x(tick)), y1=0, y2=bottom, class_="grid")
        + below(x(tick), bottom, format_tick(tick))
        for tick in decades or [10**low]
    ]
    for number, (name, figure, marks) in enumerate(rows):
        parts.append(_quantile_row(name, figure, marks, 48 * number, x))
    return drawing(title, bottom + 24, parts, "forest quantiles")


def _slice_row(row: SliceRow, top: int, x: Scale) -> str:
    flag = tag("tspan", f" · {row.flag}", class_="flag") if row.flag else ""
    name = tag("tspan", shortened(row.name, 30))
    parts = [tag("text", name + flag, x=0, y=top + 16, class_="name", raw=True)]
    parts.append(tag("text", row.figure, x="100%", y=top + 16, class_="value", text_anchor="end"))
    for place, mark in enumerate(row.marks):
        y = top + 29 + 14 * place
        shape = _shape("square" if place == 0 and len(row.marks) > 1 else "dot", x(mark.value), y, mark.words)
        kind = f"span {mark.kind} strong" if mark.strong else f"span {mark.kind}"
        parts.append(tag("g", "".join(_interval(mark, x, y)) + shape, class_=kind, raw=True))
    return "".join(parts)


def _quantile_row(name: str, figure: str, marks: Sequence[Mark], top: int, x: Scale) -> str:
    y = top + 34
    parts = [tag("text", shortened(name, 30), x=0, y=top + 16, class_="name", children_title=name)]
    parts.append(tag("text", figure, x="100%", y=top + 16, class_="value", text_anchor="end"))
    ends = [x(mark.value) for mark in marks]
    parts.append(tag("line", x1=percent(min(ends)), x2=percent(max(ends)), y1=y, y2=y, class_="rail"))
    for place, mark in enumerate(marks):
        parts += _interval(mark, x, y)
        parts.append(_shape(("dot", "diamond", "triangle")[min(place, 2)], x(mark.value), y, mark.words))
    kind = f"span {marks[0].kind} strong" if marks[0].strong else f"span {marks[0].kind}"
    return tag("g", "".join(parts), class_=kind, raw=True)


def _interval(mark: Mark, x: Scale, y: float) -> list[str]:
    """The line from end to end; an end that is not known is an arrow, and nothing at all where neither is known."""
    if mark.low is None and mark.high is None:
        return []
    left = x(mark.low) if mark.low is not None else x(mark.value)
    right = x(mark.high) if mark.high is not None else x(mark.value)
    parts = [tag("line", x1=percent(left), x2=percent(right), y1=y, y2=y, class_="interval")]
    if mark.low is not None:
        parts.append(tag("line", x1=percent(left), x2=percent(left), y1=y - 4, y2=y + 4, class_="end"))
    if mark.high is not None:
        parts.append(tag("line", x1=percent(right), x2=percent(right), y1=y - 4, y2=y + 4, class_="end"))
    else:
        arrow = tag("path", d="M4 0h18m-5 -4 5 4-5 4", class_="arrow")
        parts.append(tag("svg", arrow, x=percent(right), y=y, overflow="visible", raw=True))
    return parts


def _shape(shape: str, x: float, y: float, words: str) -> str:
    """A point; shapes other than a dot are drawn in pixels around their place."""
    if shape == "dot":
        return tag("circle", cx=percent(x), cy=y, r=5, class_="point", children_title=words)
    paths = {"square": "M-4 -4h8v8h-8z", "diamond": "M0 -6.5 5.5 0 0 6.5-5.5 0z", "triangle": "M0 -6 6 5h-12z"}
    drawn = tag("path", d=paths[shape], class_="point", children_title=words)
    return tag("svg", drawn, x=percent(x), y=y, overflow="visible", raw=True)


def _spot(spot: Spot, x: Scale, y: Scale) -> str:
    at_x, at_y = percent(x(spot.x.value)), y(spot.y.value)
    parts = []
    if spot.x.low is not None and spot.x.high is not None:
        parts.append(
            tag("line", x1=percent(x(spot.x.low)), x2=percent(x(spot.x.high)), y1=at_y, y2=at_y, class_="interval")
        )
    if spot.y.low is not None and spot.y.high is not None:
        parts.append(tag("line", x1=at_x, x2=at_x, y1=y(spot.y.low), y2=y(spot.y.high), class_="interval"))
    parts.append(tag("circle", cx=at_x, cy=at_y, r=11, class_="point", children_title=spot.words))
    parts.append(tag("text", spot.number, x=at_x, y=at_y, dy="0.36em", text_anchor="middle", class_="number"))
    kind = f"span {spot.kind} strong" if spot.strong else f"span {spot.kind}"
    return tag("g", "".join(parts), class_=kind, raw=True)


def _rule(rule: Rule, x: float, top: float) -> str:
    anchor, shift = ("end", -6) if x > 60 else ("start", 6)
    line = tag("line", x1=percent(x), x2=percent(x), y1=0, y2=PLANE_HEIGHT, class_="bound" if rule.forbids else "guide")
    words = tag("text", rule.words, x=percent(x), dx=shift, y=top, text_anchor=anchor, class_="best-word")
    return line + words


def _forbidden(x: float) -> str:
    return tag("rect", x=percent(x), y=0, width=percent(max(0.0, 100 - x)), height=PLANE_HEIGHT, class_="forbidden")


def _common_scale(marks: Sequence[Mark]) -> Scale:
    """From the least to the most of all marks with a little room; logarithmic where they differ by far."""
    ends = _ends(marks)
    low, high = min(ends), max(ends)
    if low > 0 and high / low > _LOG_FROM:
        logarithmic = scale(math.log10(low), math.log10(high))
        return lambda value: 4 + 0.92 * logarithmic(math.log10(max(value, low)))
    if high == low:
        return lambda _: 50.0
    plain = scale(low, high)
    return lambda value: 4 + 0.92 * plain(value)


def _ends(marks: Iterable[Mark]) -> list[float]:
    return [each for mark in marks for each in (mark.value, mark.low, mark.high) if each is not None]


def _widened(low: float, high: float, bounded: bool) -> tuple[float, float]:
    room = 0.08 * (high - low or abs(high) or 1.0)
    return (max(0.0, low - room), min(1.0, high + room)) if bounded else (low - room, high + room)
