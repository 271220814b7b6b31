"""Figures of probes as a reader of one language expects them, whatever unit they are in.

In: values in the unit that they were measured in. Out: short strings, and how a change is marked. It decides nothing: what
lies beyond noise was decided by the proof.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sonmat.core.proof import Change, Guard, Measure, Unit
from sonmat.core.text import Text
from sonmat.steps.report import labels, proof_labels
from sonmat.steps.report.phrasing import Phrasing

_MINUS: Final = "\u2212"


@dataclass(frozen=True)
class Mark:
    """How a change is told without colour: a sign and words; `kind` is a class of the style sheet."""

    sign: str
    words: str
    kind: str


class Quantities:
    """Figures in the language of `phrasing`."""

    def __init__(self, phrasing: Phrasing) -> None:
        self.phrasing = phrasing

    def quantity(self, value: float, unit: Unit) -> str:
        if value < 0 and unit != "share":
            return _MINUS + self.quantity(-value, unit)
        match unit:
            case "share":
                return self.phrasing.share(value)
            case "seconds":
                return self.phrasing.duration(value)
            case "bytes":
                return self.phrasing.size(value)
            case "nats":
                return self.phrasing.number(value) + self.phrasing.say(proof_labels.NATS)
            case "tokens per second":
                return self.phrasing.say(proof_labels.TOKENS_PER_SECOND, number=self.phrasing.number(value))
            case "count":
                return self.phrasing.count(value) if value == int(value) else self.phrasing.number(value)
            case _:
                return self.phrasing.number(value)

    def difference(self, value: float, unit: Unit) -> str:
        """Signed; of shares in percentage points."""
        if unit == "share":
            return self.phrasing.points(value) + self.phrasing.say(labels.POINTS)
        return ("+" if value > 0 else "") + self.quantity(value, unit)

    def span(self, measure: Measure) -> str:
        """The interval, as far as there is one; '' where there is none."""
        low, high = (None if each is None else self.quantity(each, measure.unit) for each in (measure.low, measure.high))
        if low is not None and high is not None:
            return f"{low} – {high}"
        if low is not None:
            return self.phrasing.say(proof_labels.FROM_UP, low=low)
        return self.phrasing.say(proof_labels.UP_TO, high=high) if high is not None else ""

    def change_span(self, change: Change, unit: Unit) -> str:
        low, high = self.difference(change.low, unit), self.difference(change.high, unit)
        return f"{low.removesuffix(self.phrasing.say(labels.POINTS))} … {high}"

    def mark(self, measure: Measure) -> Mark | None:
        """None where the arm was not compared with a base."""
        change = measure.change
        if change is None:
            return None
        if not change.beyond_noise:
            return self._mark("", proof_labels.LEVEL, "level")
        if measure.higher_is_better is None:
            return self._mark("◆", proof_labels.MOVED, "moved")
        if measure.higher_is_better == (change.difference > 0):
            return self._mark("▲", proof_labels.BETTER, "good")
        return self._mark("▼", proof_labels.WORSE, "bad")

    def bound(self, guard: Guard, unit: Unit) -> str:
        """A default guard bounds what tuning made worse, in the unit of the measure."""
        told = self.quantity(guard.bound, unit)
        if guard.by == "user":
            return told
        harm = self.difference(guard.bound, unit).removeprefix("+")
        return self.phrasing.say(proof_labels.BOUND_HARM, bound=harm)

    def direction(self, higher_is_better: bool | None) -> str:
        words: dict[bool | None, Text] = {True: proof_labels.HIGHER, False: proof_labels.LOWER, None: proof_labels.EITHER}
        return self.phrasing.say(words[higher_is_better])

    def filters(self) -> dict[str, Callable[..., object]]:
        """What templates may call."""
        return {
            "quantity": self.quantity,
            "quantity_difference": self.difference,
            "span": self.span,
            "change_span": self.change_span,
            "change_mark": self.mark,
            "guard_bound": self.bound,
            "direction": self.direction,
        }

    def _mark(self, sign: str, words: Text, kind: str) -> Mark:
        return Mark(sign, self.phrasing.say(words), kind)
