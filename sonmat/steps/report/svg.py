"""What plots are made of: escaped tags, the frame of a drawing, scales, axes.

In: numbers and words. Out: strings of SVG, escaped. Horizontal positions are per cent and vertical ones pixels, so that a plot fills
its column at any width while its letters keep their size. No colour is named here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from xml.sax.saxutils import escape, quoteattr

from markupsafe import Markup

from sonmat.steps.report.quoting import printable


def drawing(title: str, height: float, parts: Sequence[str], kind: str, min_width: int = 0) -> Markup:
    style = f"min-width:{min_width}px" if min_width else None
    body = f"<title>{escape(printable(title))}</title>" + "".join(parts)
    # Every part was escaped when its tag was made.
    return Markup(
        tag(
            "svg",
            body,
            xmlns="http://www.w3.org/2000/svg",
            width="100%",
            height=round(height),
            role="img",
            aria_label=title,
            class_=f"chart {kind}",
            style=style,
            raw=True,
        )
    )


def tag(name: str, content: str = "", *, raw: bool = False, children_title: str = "", **attributes: object) -> str:
    """One element; `content` is text unless `raw`, and `children_title` what hovering shows."""
    told = "".join(
        f" {key.rstrip('_').replace('_', '-')}={quoteattr(printable(str(value)))}"
        for key, value in attributes.items()
        if value is not None
    )
    hint = f"<title>{escape(printable(children_title))}</title>" if children_title else ""
    return f"<{name}{told}>{hint}{content if raw else escape(printable(content))}</{name}>"


def percent(value: float) -> str:
    return f"{round(value, 3):g}%"


def scale(low: float, high: float) -> Callable[[float], float]:
    """Positions in per cent."""
    span = high - low or 1.0
    return lambda value: 100 * (value - low) / span


def nice_ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers at a step of 1, 2 or 5 times a power of ten that lie from just below `low` to at most `high`."""
    span = high - low or abs(high) or 1.0
    rough = span / about
    magnitude = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * magnitude for factor in (1, 2, 5, 10) if factor * magnitude >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, max(last, first + 1) + 1)]


def level(y: float, words: str) -> str:
    line = tag("line", x1=0, x2="100%", y1=round(y, 1), y2=round(y, 1), class_="grid")
    return line + tag("text", words, x=-8, y=round(y, 1), dy="0.35em", text_anchor="end", class_="tick")


def below(x: float, bottom: float, words: str) -> str:
    anchor = "start" if x < 3 else "end" if x > 97 else "middle"
    return tag("text", words, x=percent(x), y=bottom + 17, text_anchor=anchor, class_="tick")
