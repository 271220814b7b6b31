"""Two more plots: rows as dots on a map, and a curve with the band that it lies in.

In: numbers and words. Out: `Markup` of one `<svg>` each, drawn as `charts` does. No colour is named here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from sonmat.steps.report.charts import Format
from sonmat.steps.report.svg import below, drawing, level, nice_ticks, percent, scale, tag

MAP_HEIGHT: Final = 420
CURVE_HEIGHT: Final = 200


@dataclass(frozen=True)
class Dot:
    """A row on the map; `kind` is a class of the style sheet and `words` what hovering shows."""

    x: float
    y: float
    kind: str
    words: str
    marked: bool = False


@dataclass(frozen=True)
class Bounds:
    """A value at `x`, and between which values it lies."""

    x: float
    value: float
    low: float
    high: float


def scatter(title: str, dots: Sequence[Dot]) -> Markup:
    """Every dot, marked ones with a ring and above the others; axes have no meaning and are not drawn."""
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    x, y = scale(min(xs), max(xs)), scale(min(ys), max(ys))
    parts = [_on_map(dot, x, y) for dot in sorted(dots, key=lambda dot: dot.marked)]
    return drawing(title, MAP_HEIGHT, parts, "map")


def banded_curve(
    title: str,
    measured: Sequence[Bounds],
    fitted: Sequence[Bounds],
    here: tuple[float, str],
    formats: tuple[Format, Format, Format],
) -> Markup:
    """The fitted curve in its band, what was measured as dots with their intervals, and a line at x = `here`.

    Args:
        formats: of x, of a value, and of a tick of the values.
    """
    format_x, format_value, format_tick = formats
    shown = [*measured, *fitted]
    right = max(each.x for each in (*shown, Bounds(here[0], 0, 0, 0)))
    ticks = nice_ticks(min(each.low for each in shown), max(each.high for each in shown), 4)
    x, y = scale(0, right), scale(ticks[0], max(ticks[-1], *(each.high for each in shown)))
    parts = [level(CURVE_HEIGHT * (1 - y(tick) / 100), format_tick(tick)) for tick in ticks]
    parts += [below(x(tick), CURVE_HEIGHT, format_x(tick)) for tick in nice_ticks(0, right, 4) if 0 <= tick <= right]
    if len(fitted) > 1:
        parts.append(_band(fitted, x, y))
    place = percent(x(here[0]))
    anchor, shift = ("end", -6) if x(here[0]) > 50 else ("start", 6)
    parts.append(tag("line", x1=place, x2=place, y1=-4, y2=CURVE_HEIGHT, class_="best"))
    parts.append(tag("text", here[1], x=place, dx=shift, y=-8, text_anchor=anchor, class_="best-word"))
    for each in measured:
        at = percent(x(each.x))
        low, high = (round(CURVE_HEIGHT * (1 - y(value) / 100), 1) for value in (each.low, each.high))
        parts.append(tag("line", x1=at, x2=at, y1=low, y2=high, class_="whisker"))
        words = f"{format_x(each.x)}: {format_value(each.value)} ({format_value(each.low)} – {format_value(each.high)})"
        top = round(CURVE_HEIGHT * (1 - y(each.value) / 100), 1)
        parts.append(tag("circle", cx=at, cy=top, r=4, class_="dot", children_title=words))
    return drawing(title, CURVE_HEIGHT + 24, parts, "axes enough")


def _on_map(dot: Dot, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    # Two per cent of room on every side, so that no dot is cut.
    across, down = 2 + 0.96 * x(dot.x), MAP_HEIGHT * (0.98 - 0.0096 * y(dot.y))
    kind = f"place {dot.kind} marked" if dot.marked else f"place {dot.kind}"
    return tag(
        "circle",
        cx=percent(round(across, 2)),
        cy=round(down, 1),
        r=5 if dot.marked else 3,
        class_=kind,
        children_title=dot.words,
    )


def _band(fitted: Sequence[Bounds], x: Callable[[float], float], y: Callable[[float], float]) -> str:
    def corner(at: float, value: float) -> str:
        return f"{10 * x(at):.1f},{1000 - 10 * y(value):.1f}"

    around = [*(corner(each.x, each.high) for each in fitted), *(corner(each.x, each.low) for each in reversed(fitted))]
    middle = [corner(each.x, each.value) for each in fitted]
    drawn = tag("polygon", points=" ".join(around), class_="band")
    drawn += tag("polyline", points=" ".join(middle), class_="line validation", vector_effect="non-scaling-stroke")
    # Stretched to the plot's size, whatever that is; strokes keep their width.
    return tag(
        "svg",
        drawn,
        x=0,
        y=0,
        width="100%",
        height=CURVE_HEIGHT,
        viewBox="0 0 1000 1000",
        preserveAspectRatio="none",
        overflow="visible",
        raw=True,
    )
