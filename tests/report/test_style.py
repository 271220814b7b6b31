"""Colours that everybody can read: WCAG 2.2 AA in the light and the dark scheme."""

from __future__ import annotations

import re
from importlib import resources

import pytest

TEMPLATES = resources.files("sonmat.steps.report").joinpath("templates")
TEXT_ON_GROUND = [
    ("ink", "paper"), ("ink", "card"), ("ink", "well"), ("ink", "track"), ("ink", "accent-wash"),
    ("soft", "paper"), ("soft", "card"), ("soft", "well"), ("soft", "accent-wash"), ("accent", "paper"), ("accent", "card"),
    ("accent", "accent-wash"), ("wrong", "card"), ("wrong", "well"), ("wrong", "wrong-wash"), ("warn", "warn-wash"),
    ("wrong", "accent-wash"), ("on-accent", "accent"), ("ink", "heat-right"), ("ink", "heat-wrong"), ("accent", "well"),
]  # fmt: skip
MARKS_ON_GROUND = [(mark, "card") for mark in ("accent", "base", "floor", "test", "plum", "sky")]
MARKS_ON_GROUND += [(mark, "well") for mark in ("accent", "base", "floor", "test", "plum", "sky", "ink", "wrong")]


def variables(file: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})\b", TEMPLATES.joinpath(file).read_text(encoding="utf-8")))


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2, definition of 'relative luminance'."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    bright, dim = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("file", ["style.css", "dark.css"])
def test_text_and_marks_stand_out_enough(file: str) -> None:
    colours = variables(file)
    weak = {pair: ratio(colours[pair[0]], colours[pair[1]]) for pair in TEXT_ON_GROUND}
    assert {pair: value for pair, value in weak.items() if value < 4.5} == {}
    marks = {pair: ratio(colours[pair[0]], colours[pair[1]]) for pair in MARKS_ON_GROUND}
    assert {pair: value for pair, value in marks.items() if value < 3} == {}


def test_both_schemes_name_the_same_colours() -> None:
    assert variables("style.css").keys() == variables("dark.css").keys()


def test_every_colour_that_is_used_is_named() -> None:
    style = TEMPLATES.joinpath("style.css").read_text(encoding="utf-8")
    assert set(re.findall(r"var\(--([\w-]+)\)", style)) <= variables("style.css").keys() | {
        "sans",
        "mono",
        "kind",
        "shadow",
    }
