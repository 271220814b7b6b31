"""Plots: well-formed whatever they are given, faithful to the numbers, and without a colour of their own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from sonmat.steps.report import charts
from sonmat.steps.report.svg import nice_ticks

HOSTILE = "</title><script>alert(1)</script> & \"'\x00\u202e 가나다"
SVG = "{http://www.w3.org/2000/svg}"


def drawn() -> dict[str, Markup]:
    spans = [charts.Span(HOSTILE, 0.5, 0.4, 0.6, "tuned", strong=True), charts.Span("b", 0.2, 0.1, 0.3, "base")]
    series = (charts.Line(HOSTILE, ((0, 2.0), (10, 1.0)), "train"), charts.Line("v", ((5, 1.5),), "validation"))
    return {
        "forest": charts.forest(HOSTILE, spans, "{:.1f}".format, "{:g}".format, bounded=True, guide=0.0),
        "lines": charts.lines(HOSTILE, series, "{:g}".format, "{:g}".format, "{:g}".format, (5, HOSTILE), [3]),
        "heat": charts.heat_map(HOSTILE, [HOSTILE, "b"], [HOSTILE, "b", "?"], [[3, 0, 1], [0, 2, 0]], lambda *_: HOSTILE),
        "bars": charts.bars(HOSTILE, [charts.Bar(HOSTILE, (("train", 3), ("test", 1)))], "{:g}".format),
        "histogram": charts.histogram(HOSTILE, [0, 5, 10], [4, 0], "{:g}".format, lambda *_: HOSTILE),
    }


@pytest.mark.parametrize("name", ["forest", "lines", "heat", "bars", "histogram"])
def test_a_plot_is_well_formed_named_and_escaped(name: str) -> None:
    plot = drawn()[name]
    root = ElementTree.fromstring(plot)
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text == root.get("aria-label")
    assert "<script" not in plot
    assert root.get("role") == "img"


@pytest.mark.parametrize("name", ["forest", "lines", "heat", "bars", "histogram"])
def test_a_plot_names_no_colour(name: str) -> None:
    plot = drawn()[name]
    assert not re.search(r'(fill|stroke)="|#[0-9a-f]{3,6}\b|rgb|style="[^"]*color', plot)


def test_an_interval_is_drawn_where_its_numbers_say() -> None:
    plot = charts.forest("t", [charts.Span("a", 0.5, 0.25, 0.75, "tuned")], str, str, bounded=True)
    root = ElementTree.fromstring(plot)
    (line,) = [element for element in root.iter(f"{SVG}line") if element.get("class") == "interval"]
    (point,) = [element for element in root.iter(f"{SVG}circle") if element.get("class") == "point"]
    ends = [percent(line.get("x1")), percent(line.get("x2"))]
    assert percent(point.get("cx")) == pytest.approx(sum(ends) / 2, abs=0.01)
    assert 0 <= ends[0] < ends[1] <= 100


def test_only_the_diagonal_of_a_heat_map_is_in_the_colour_of_being_right() -> None:
    plot = charts.heat_map(
        "t", ["a", "b"], ["a", "b", "c"], [[3, 1, 0], [0, 2, 5]], lambda row, column, n: f"{row}{column}{n}"
    )
    root = ElementTree.fromstring(plot)
    cells = {
        str(element.findtext(f"{SVG}title")): element.get("class")
        for element in root.iter(f"{SVG}rect")
        if element.get("class") != "empty"
    }
    assert cells == {"aa3": "right", "ab1": "wrong", "bb2": "right", "bc5": "wrong"}


def test_parts_of_a_bar_fill_their_share() -> None:
    entries = [charts.Bar("a", (("train", 6), ("test", 2))), charts.Bar("b", (("train", 4), ("test", 0)))]
    root = ElementTree.fromstring(charts.bars("t", entries, str))
    widths = [percent(element.get("width")) for element in root.iter(f"{SVG}rect") if element.get("class") == "train"]
    assert widths == [75, 50]


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 8))
def test_ticks_are_round_rising_and_reach_over_the_values(low: float, span: float, about: int) -> None:
    ticks = nice_ticks(low, low + span, about)
    assert 2 <= len(ticks) <= about + 2
    assert ticks == sorted(set(ticks))
    step = ticks[1] - ticks[0]
    assert ticks[0] <= low + 1e-6 * (abs(low) + span)
    assert ticks[-1] > low + span - step * 1.001


def test_one_value_alone_can_be_drawn() -> None:
    ElementTree.fromstring(charts.forest("t", [charts.Span("a", 0.0, 0.0, 0.0, "floor")], str, str, bounded=True))
    ElementTree.fromstring(charts.lines("t", (charts.Line("a", ((0, 1.0),), "train"),), str, str, str, None))
    ElementTree.fromstring(charts.bars("t", [charts.Bar("a", (("train", 0),))], str))


def percent(told: str | None) -> float:
    assert told is not None
    return float(told.rstrip("%"))
