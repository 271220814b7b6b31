"""What a report shows of single test rows: every candidate's answer to a few of them, and counts over all of them.

Values only. They are chosen and counted in `items`, and drawn by the template `sections/items.html.j2`.
"""

from __future__ import annotations

from typing import Literal

from sonmat.core.text import Text
from sonmat.core.values import Json, Source, Value

Why = Literal["gain", "loss", "mistake", "lowest", "mixed_up", "differ", "measure", "random"]
"""Why a row is shown: the chosen arm gains or loses most on it, is wrong and sure of it, scores lowest, takes one label for
another, candidates disagree most, a measure of the proof names it, or it was drawn at random."""

Outcome = Literal["right", "wrong", "better", "equal", "worse", "unknown"]
"""Of a label: right or wrong. Of other answers: how its value compares with the reference arm's on the same row."""
CODES: dict[Outcome, str] = {"right": "1", "wrong": "0", "better": "1", "equal": "=", "worse": "0", "unknown": "-"}
"""One letter for each, as `Cell.outcomes` and the page's script have them."""


class ShownSource(Value):
    """A passage that an answer could rest on."""

    place: Text
    words: str


class ItemAnswer(Value):
    candidate: str
    output: Json
    outcome: Outcome
    confidence: float | None = None
    value: float | None = None
    """Of the answers' measure; None for labels."""
    sources: tuple[ShownSource, ...] = ()


class Item(Value):
    """A test row with what every candidate said to it, the recommended one first. Personal data is masked, long texts are cut."""

    number: int
    row: str
    anchor: str
    """Of the page, without '#'."""
    source: Source
    input: Json
    target: Json
    slices: tuple[int | None, ...]
    """Place of its value in each of `Items.columns`; None where it has none."""
    why: tuple[Why, ...]
    answers: tuple[ItemAnswer, ...]


class SliceColumn(Value):
    title: Text
    values: tuple[Text, ...]


class Cell(Value):
    """How many test rows share their slice values and how every arm fared on them."""

    slices: tuple[int | None, ...]
    outcomes: str
    """A letter of `CODES` an arm."""
    rows: int


class Items(Value):
    """`shown` are few, by their groups; `cells` count every test row."""

    arms: tuple[str, ...]
    """The recommended one first, then the one it is compared with, then the rest."""
    reference: str | None
    measure: str | None
    """That answers are compared by; None for labels."""
    columns: tuple[SliceColumn, ...]
    left_out: tuple[Text, ...] = ()
    """Titles of columns that would make too many cells."""
    shown: tuple[Item, ...]
    cells: tuple[Cell, ...]
    rows: int
    """Test rows in all."""
    grouped: bool = False
    """Whether some of them belong together, so that shares have no interval that counts each row as one."""
    seed: int
    """That the random rows were drawn with."""

    def anchor(self, row: str) -> str | None:
        """Where the page shows the test row `row`; None where it does not."""
        return next((item.anchor for item in self.shown if item.row == row), None)

    def mixed_up(self, target: str, answer: str) -> str | None:
        """Where the page shows a row on which the first arm took `target` for `answer`; None where it shows none."""
        for item in self.shown:
            first = item.answers[0] if item.answers else None
            if first and (item.target.get("label"), first.output.get("label")) == (target, answer) and target != answer:
                return item.anchor
        return None
