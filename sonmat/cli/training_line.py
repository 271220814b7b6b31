"""The training figures of the candidate in hand as one short line: loss, validation metric, learning rate.

In: events "budget", "step" and "validation" of the loop. Out: words. It prints nothing.
"""

from __future__ import annotations

from sonmat.core.text import Text
from sonmat.core.values import Event
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.vocabulary import measure_named

_NOT_METRICS = frozenset({"step", "epoch", "best", "collapsed", "loss", "replay"})


class TrainingLine:
    def __init__(self, phrasing: Phrasing) -> None:
        self.phrasing = phrasing
        self.begin()

    def begin(self) -> None:
        """Forget the former candidate."""
        self._step: Event | None = None
        self._seen: Event | None = None
        self._best: Event | None = None
        self._budget: Event | None = None

    def budget(self, event: Event) -> None:
        self._budget = event

    def step(self, event: Event) -> None:
        self._step = event

    def validation(self, event: Event) -> None:
        self._seen = event
        if event.data.get("best") or self._best is None:
            self._best = event

    def now(self) -> str:
        """'loss 0.53 · macro-F1 91.2% · rate 2e-05 · padding 4%'; empty where nothing trains."""
        parts = []
        if self._step is not None:
            loss, rate = self._step.data.get("loss"), self._step.data.get("learning_rate")
            parts.append(self._named(Text(en="loss", ko="손실"), f"{loss:.3g}") if loss is not None else "")
        if self._seen is not None:
            parts.append(self._metric(self._seen))
        if self._step is not None and rate is not None:
            parts.append(self._named(Text(en="rate", ko="학습률"), f"{rate:.1e}"))
        if self._step is not None and self._budget is not None:
            parts.append(self._named(Text(en="padding", ko="채움"), f"{float(self._budget.data['padding']):.0%}"))
        return " · ".join(part for part in parts if part)

    def result(self) -> str:
        """The best validation and where it was; empty if there was none."""
        if self._best is None or self._step is None:
            return ""
        step, total = self._best.data.get("step"), self._step.data.get("total")
        place = Text(en=f" at step {step} of {total}", ko=f"({total}단계 중 {step}단계)")
        best = Text(en="best validation: ", ko="가장 좋은 검증: ")
        return f"{self.phrasing.say(best)}{self._metric(self._best)}{self.phrasing.say(place)}"

    def _metric(self, event: Event) -> str:
        names = [name for name, value in event.data.items() if name not in _NOT_METRICS and isinstance(value, float)]
        if not names:
            return ""
        measure = measure_named(names[0])
        return self._named(measure.title, self.phrasing.amount(float(event.data[names[0]]), measure))

    def _named(self, name: Text, value: str) -> str:
        return f"{self.phrasing.say(name)} {value}"
