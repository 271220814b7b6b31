"""Numbers, times, sizes and sentences as a reader of one language expects them.

In: values in base units (shares, seconds, bytes). Out: short strings. It decides nothing and knows no run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from sonmat.core.proof import Comparison, Score
from sonmat.core.text import Language, Text
from sonmat.steps.report import labels
from sonmat.steps.report.contents import Measure

_MINUS: Final = "\u2212"
_NO_BREAK: Final = "\u00a0"


class Phrasing:
    """Speaks `language`."""

    def __init__(self, language: Language) -> None:
        self.language = language

    def say(self, text: Text, **words: object) -> str:
        """The sentence in the reader's language, with the names in braces filled in; markup if one of them is."""
        sentence = text.in_language(self.language)
        if any(isinstance(word, Markup) for word in words.values()):
            return Markup.escape(sentence).format(**words)
        return sentence.format(**words) if words else sentence

    def count(self, number: float) -> str:
        return f"{number:,.0f}"

    def number(self, value: float) -> str:
        """Three significant digits, whole numbers as they are."""
        if value == 0:
            return "0"
        size = abs(value)
        if size >= 1000:
            return _signed(f"{value:,.0f}")
        if size < 0.001:
            return _signed(f"{value:.1e}")
        return _signed(f"{value:.3g}")

    def share(self, value: float) -> str:
        return _signed(f"{100 * value:.1f}") + self._per_cent()

    def amount(self, value: float, measure: Measure) -> str:
        """A value of a metric: a share as per cent, else a plain number."""
        return self.share(value) if measure.percent else self.number(value)

    def difference(self, value: float, measure: Measure) -> str:
        """A signed difference; of shares in percentage points."""
        if not measure.percent:
            return ("+" if value > 0 else "") + self.number(value)
        return self.points(value) + self.say(labels.POINTS)

    def points(self, value: float) -> str:
        """A signed difference of shares in percentage points, without the unit; what rounds to nothing has no sign."""
        points = round(100 * value, 1)
        return _signed(f"{points:+.1f}") if points else "0.0"

    def tick(self, value: float, measure: Measure) -> str:
        """A round value on an axis, without decimals that say nothing."""
        return _signed(f"{100 * value:g}") + self._per_cent() if measure.percent else self.number(value)

    def difference_tick(self, value: float, measure: Measure) -> str:
        plus = "+" if value > 0 else ""
        return plus + (_signed(f"{100 * value:g}") if measure.percent else self.number(value))

    def capital(self, text: Text, **words: object) -> str:
        """The sentence with a capital letter first, for names that stand alone; 'chrF' stays as it is."""
        sentence = self.say(text, **words)
        first = sentence.split(" ")[0]
        return sentence[:1].upper() + sentence[1:] if first.islower() else sentence

    def interval(self, score: Score, measure: Measure) -> str:
        return f"{self.amount(score.low, measure)} – {self.amount(score.high, measure)}"

    def difference_interval(self, comparison: Comparison, measure: Measure) -> str:
        low = self.difference(comparison.low, measure)
        if measure.percent:
            low = low.removesuffix(self.say(labels.POINTS))
        return f"{low} … {self.difference(comparison.high, measure)}"

    def p_value(self, comparison: Comparison) -> str:
        """The adjusted value where there is one; '' without a test."""
        value = comparison.p_value if comparison.adjusted_p_value is None else comparison.adjusted_p_value
        if value is None:
            return ""
        told = "< 0.001" if value < 0.001 else f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"
        return f"p {told}".replace(" ", _NO_BREAK)

    def duration(self, seconds: float) -> str:
        """Two units at most, from microseconds to hours."""
        if seconds < 1:
            return self._small_duration(seconds)
        if seconds < 60:
            return f"{seconds:.3g}{self._unit(labels.SECONDS)}"
        whole = round(seconds)
        if whole < 3600:
            return self._two_units(whole, 60, labels.MINUTES, labels.SECONDS)
        return self._two_units(round(whole / 60), 60, labels.HOURS, labels.MINUTES)

    def size(self, size_bytes: float) -> str:
        """Decimal units, as disks and models are sold."""
        value, units = float(size_bytes), iter(("B", "kB", "MB", "GB", "TB"))
        unit = next(units)
        while value >= 999.5 and unit != "TB":
            value, unit = value / 1000, next(units)
        return f"{value:.3g}{_NO_BREAK}{unit}"

    def parameters(self, count: int) -> str:
        for scale, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
            if count >= scale:
                return f"{count / scale:.3g}{letter}"
        return str(count)

    def change(self, planned: float, actual: float) -> str:
        """How far the actual value lies from the planned one, in whole per cent; beyond tenfold as a multiple."""
        if planned <= 0:
            return ""
        ratio = actual / planned
        if ratio >= 10:
            return f"×{ratio:,.0f}"
        per_cent = round(100 * (ratio - 1))
        return ("+" if per_cent > 0 else "") + _signed(str(per_cent)) + self._per_cent()

    def level(self, level: float) -> str:
        """A confidence level without decimals that say nothing."""
        return f"{100 * level:.3g}{self._per_cent()}"

    def date(self, iso_date: str) -> str:
        year, month, day = (int(part) for part in iso_date.split("-"))
        if self.language == "ko":
            return f"{year}년 {month}월 {day}일"
        return f"{day} {_MONTHS[month - 1]} {year}"

    def filters(self) -> dict[str, Callable[..., str]]:
        """What templates may call."""
        names = (
            "say",
            "capital",
            "count",
            "number",
            "share",
            "amount",
            "difference",
            "interval",
            "difference_interval",
            "p_value",
            "level",
            "duration",
            "size",
            "parameters",
            "change",
            "date",
        )
        return {name: getattr(self, name) for name in names}

    def _per_cent(self) -> str:
        return "%" if self.language == "ko" else f"{_NO_BREAK}%"

    def _small_duration(self, seconds: float) -> str:
        if seconds >= 0.001:
            return f"{1000 * seconds:.3g}{_NO_BREAK}ms"
        return f"{1e6 * seconds:.3g}{_NO_BREAK}µs" if seconds > 0 else f"0{_NO_BREAK}ms"

    def _two_units(self, amount: int, per_unit: int, large: Text, small: Text) -> str:
        whole, rest = divmod(amount, per_unit)
        told = f"{whole}{self._unit(large)}"
        return f"{told}{_NO_BREAK}{rest}{self._unit(small)}" if rest else told

    def _unit(self, unit: Text) -> str:
        """Korean writes the unit at once after the number; English leaves a space."""
        return unit.ko if self.language == "ko" else _NO_BREAK + unit.en


_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _signed(written: str) -> str:
    return written.replace("-", _MINUS)
