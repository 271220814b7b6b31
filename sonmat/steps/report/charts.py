"""Plots as inline SVG whose colours are the page's CSS variables, so that they follow light, dark and print.

In: numbers and words. Out: `Markup` of one `<svg>` each, escaped, with a title and an aria-label. Horizontal positions are
per cent and vertical ones pixels: a plot fills its column at any width while its letters keep their size. Axis labels may
stand outside the drawing area; the style sheet leaves the margin. No colour is named here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sonmat.steps.report.quoting import shortened, width
from sonmat.steps.report.svg import below, drawing, level, nice_ticks, percent, scale, tag

Format = Callable[[float], str]
_LETTER: Final = 7.5
"""Usual width of a small letter in pixels; Korean ones are about twice as wide."""


@dataclass(frozen=True)
class Span:
    """A value with its interval; `kind` is a class of the style sheet."""

    name: str
    value: float
    low: float
    high: float
    kind: str
    strong: bool = False


@dataclass(frozen=True)
class Line:
    """Points (x, y) joined by a line; `kind` is a class of the style sheet."""

    name: str
    points: tuple[tuple[float, float], ...]
    kind: str
    marks: bool = False


@dataclass(frozen=True)
class Bar:
    """One bar made of parts that follow one another: (kind, amount)."""

    name: str
    parts: tuple[tuple[str, float], ...]


def forest(
    title: str, spans: Sequence[Span], format_value: Format, format_tick: Format, bounded: bool, guide: float | None = None
) -> Markup:
    """Every span on one axis, named above its line; `guide` is a value to show as a dashed vertical line.

    Args:
        bounded: the values are shares, so that the axis need not go below 0 or above 1.
    """
    shown = [span.low for span in spans] + [span.high for span in spans] + ([] if guide is None else [guide])
    low, high = _widened(min(shown), max(shown), bounded)
    ticks = nice_ticks(low, high, 5)
    low, high = min(low, ticks[0]), max(high, ticks[-1])
    x = scale(low, high)
    bottom = 46 * len(spans) + 4
    parts = [_grid_line(x(tick), bottom) + below(x(tick), bottom, format_tick(tick)) for tick in ticks]
    if guide is not None:
        parts.append(tag("line", x1=percent(x(guide)), x2=percent(x(guide)), y1=0, y2=bottom, class_="guide"))
    for number, span in enumerate(spans):
        parts.append(_span(span, 46 * number, x, format_value))
    return drawing(title, bottom + 24, parts, "forest")


def lines(
    title: str,
    series: Sequence[Line],
    format_x: Format,
    format_y: Format,
    format_tick: Format,
    best: tuple[float, str] | None,
    marks: Sequence[float] = (),
) -> Markup:
    """Lines over a common x axis that begins at 0. `best` is an x value to point out and its words; `marks` are thin lines."""
    height = 180
    xs = [x for line in series for x, _ in line.points]
    ys = [y for line in series for _, y in line.points]
    ticks_y, ticks_x = nice_ticks(min(ys), max(ys), 4), nice_ticks(0, max(xs), 4)
    x = scale(0, max(xs))
    y = scale(min(*ys, ticks_y[0]), max(*ys, ticks_y[-1]))
    parts = [level(height * (1 - y(tick) / 100), format_tick(tick)) for tick in ticks_y]
    parts += [below(x(tick), height, format_x(tick)) for tick in ticks_x if tick <= max(xs)]
    parts += [
        tag("line", x1=percent(x(mark)), x2=percent(x(mark)), y1=0, y2=height, class_="mark")
        for mark in marks
        if mark <= max(xs)
    ]
    if best is not None:
        parts.append(_best(x(best[0]), height, best[1]))
    parts += [_polyline(line, x, y, height) for line in series if len(line.points) > 1]
    for line in series:
        if line.marks or len(line.points) == 1:
            parts += [
                _dot(x(px), height * (1 - y(py) / 100), f"{line.name}: {format_x(px)}, {format_y(py)}", line.kind)
                for px, py in line.points
            ]
    return drawing(title, height + 24, parts, "axes")


def heat_map(
    title: str,
    rows: Sequence[str],
    columns: Sequence[str],
    counts: Sequence[Sequence[int]],
    describe: Callable[[str, str, int], str],
    place: Callable[[int, int], str | None] = lambda row, column: None,
) -> Markup:
    """Counts as cells shaded by their share of the row; where row and column have one name, in the colour of being right.

    Args:
        place: of a row and a column, where on the page a case of it stands, for the pointer; keyboards need the list beside it.
    """
    cell = 40 if len(columns) <= 12 else 28
    top = min(110, 18 + _LETTER * 0.72 * max(width(shortened(name, 16)) for name in columns))
    wide = 100 / len(columns)
    parts = []
    for number, name in enumerate(columns):
        word = tag("text", shortened(name, 16), class_="name", transform="rotate(-42)", children_title=name)
        parts.append(tag("svg", word, x=percent(wide * (number + 0.45)), y=round(top) - 8, overflow="visible", raw=True))
    for row, (name, line) in enumerate(zip(rows, counts, strict=True)):
        y = round(top) + cell * row
        parts.append(
            tag(
                "text",
                shortened(name, 14),
                x=-10,
                y=y + cell // 2,
                class_="name",
                text_anchor="end",
                dy="0.35em",
                children_title=name,
            )
        )
        for column, count in enumerate(line):
            kind = "right" if columns[column] == name else "wrong"
            share = count / max(1, sum(line))
            words = describe(name, columns[column], count)
            drawn, anchor = _cell(wide * column, y, wide, cell, kind, share, count, words), place(row, column)
            parts.append(tag("a", drawn, href=f"#{anchor}", tabindex=-1, raw=True) if anchor else drawn)
    return drawing(
        title, round(top) + cell * len(rows) + 4, parts, "heat", min_width=len(columns) * (30 if cell == 40 else 26)
    )


def bars(title: str, entries: Sequence[Bar], format_value: Format) -> Markup:
    """One bar an entry, named above it, all on one scale."""
    largest = max(sum(amount for _, amount in entry.parts) for entry in entries) or 1
    parts = []
    for number, entry in enumerate(entries):
        y, start = 38 * number, 0.0
        total = sum(amount for _, amount in entry.parts)
        parts.append(tag("text", shortened(entry.name, 38), x=0, y=y + 13, class_="name", children_title=entry.name))
        parts.append(tag("text", format_value(total), x="100%", y=y + 13, class_="value", text_anchor="end"))
        parts.append(tag("rect", x=0, y=y + 19, width="100%", height=8, class_="track", rx=4))
        for kind, amount in entry.parts:
            wide = 100 * amount / largest
            parts.append(tag("rect", x=percent(start), y=y + 19, width=percent(wide), height=8, class_=kind))
            start += wide
    return drawing(title, 38 * len(entries), parts, "bars")


def histogram(
    title: str, edges: Sequence[int], counts: Sequence[int], format_x: Format, describe: Callable[[int, int, int], str]
) -> Markup:
    """Counts between neighbouring edges."""
    height = 130
    tallest, wide = max(counts) or 1, 100 / len(counts)
    parts = [tag("line", x1=0, x2="100%", y1=height, y2=height, class_="axis")]
    for number, count in enumerate(counts):
        tall = 0 if count == 0 else max(2.0, (height - 8) * count / tallest)
        words = describe(edges[number], edges[number + 1], count)
        parts.append(
            tag(
                "rect",
                x=percent(wide * (number + 0.06)),
                y=round(height - tall, 1),
                width=percent(wide * 0.88),
                height=round(tall, 1),
                class_="bin",
                rx=2,
                children_title=words,
            )
        )
    every = math.ceil(len(edges) / 6)
    parts += [below(wide * number, height, format_x(edge)) for number, edge in enumerate(edges) if number % every == 0]
    return drawing(title, height + 24, parts, "histogram")


def _widened(low: float, high: float, bounded: bool) -> tuple[float, float]:
    room = 0.06 * (high - low or abs(high) or 1.0)
    return (max(0.0, low - room), min(1.0, high + room)) if bounded else (low - room, high + room)


def _span(span: Span, top: float, x: Callable[[float], float], format_value: Format) -> str:
    y = top + 32
    words = f"{span.name}: {format_value(span.value)} ({format_value(span.low)} – {format_value(span.high)})"
    kind = f"{span.kind} strong" if span.strong else span.kind
    left, right = percent(x(span.low)), percent(x(span.high))
    return tag(
        "g",
        tag("text", shortened(span.name, 34), x=0, y=top + 16, class_="name", children_title=span.name)
        + tag("text", format_value(span.value), x="100%", y=top + 16, class_="value", text_anchor="end")
        + tag("line", x1=left, x2=right, y1=y, y2=y, class_="interval")
        + "".join(tag("line", x1=end, x2=end, y1=y - 5, y2=y + 5, class_="end") for end in (left, right))
        + tag("circle", cx=percent(x(span.value)), cy=y, r=6 if span.strong else 5, class_="point", children_title=words),
        class_=f"span {kind}",
        raw=True,
    )


def _cell(x: float, y: float, wide: float, cell: int, kind: str, share: float, count: int, words: str) -> str:
    box = tag(
        "rect", x=percent(x + wide * 0.03), y=y + 1, width=percent(wide * 0.94), height=cell - 2, rx=4, class_="empty"
    )
    fill = tag(
        "rect",
        x=percent(x + wide * 0.03),
        y=y + 1,
        width=percent(wide * 0.94),
        height=cell - 2,
        rx=4,
        class_=kind,
        fill_opacity=round(min(1.0, 0.12 + 0.88 * share), 3),
        children_title=words,
    )
    if count == 0:
        return box
    number = tag(
        "text", str(count), x=percent(x + wide / 2), y=y + cell // 2, dy="0.35em", text_anchor="middle", class_="count"
    )
    return box + fill + number


def _polyline(line: Line, x: Callable[[float], float], y: Callable[[float], float], height: int) -> str:
    points = " ".join(f"{10 * x(px):.1f},{1000 - 10 * y(py):.1f}" for px, py in line.points)
    drawn = tag(
        "polyline", points=points, class_=f"line {line.kind}", vector_effect="non-scaling-stroke", children_title=line.name
    )
    return tag(
        "svg",
        drawn,
        x=0,
        y=0,
        width="100%",
        height=height,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        overflow="visible",
        raw=True,
    )


def _best(x: float, height: int, words: str) -> str:
    anchor, shift = ("end", 6) if x > 50 else ("start", -6)
    line = tag("line", x1=percent(x), x2=percent(x), y1=-4, y2=height, class_="best")
    return line + tag("text", words, x=percent(x), dx=shift, y=-8, text_anchor=anchor, class_="best-word")


def _dot(x: float, y: float, words: str, kind: str) -> str:
    return tag("circle", cx=percent(x), cy=round(y, 1), r=3.5, class_=f"dot {kind}", children_title=words)


def _grid_line(x: float, bottom: float) -> str:
    return tag("line", x1=percent(x), x2=percent(x), y1=0, y2=bottom, class_="grid")
