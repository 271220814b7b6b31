"""Learning curves from a candidate's events.

In: events of kind "step", "validation", "resumed" and "backed_off". Out: a `Curve` of at most `MOST_POINTS` training points,
or None where the candidate was not trained step by step. A run that goes back to a checkpoint does the steps after it again;
the earlier telling of those steps is left out. Where several shares of replay were trained, the curve is that of the kept one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from sonmat.core.text import Text
from sonmat.core.values import Event, Fitted, Json
from sonmat.steps.report.contents import Curve, Point
from sonmat.steps.report.vocabulary import measure_named

MOST_POINTS: Final = 300
_NOT_METRICS: Final = frozenset(
    {"step", "epoch", "loss", "learning_rate", "seconds", "seconds_left", "done", "total", "replay"}
)


def learning_curve(candidate: str, events: Iterable[Event], fitted: Fitted | None) -> Curve | None:
    """The curve of one candidate."""
    told = _told_once(_of_the_kept_share(list(events)))
    if not told.steps and not told.validations:
        return None
    metric = _metric_name(told.validations.values(), fitted)
    return Curve(
        candidate=candidate,
        measure=measure_named(metric) if metric else None,
        train_loss=_thinned(_points(told.steps, "loss")),
        validation_loss=_points(told.validations, "loss"),
        validation_measure=_points(told.validations, metric) if metric else (),
        best_step=fitted.best_step if fitted else 0,
        resumed_at=tuple(told.resumed_at),
        back_offs=tuple(told.back_offs),
        stopped=fitted.stopped if fitted else None,
    )


def _of_the_kept_share(events: Sequence[Event]) -> Sequence[Event]:
    """Of a candidate that was trained with several shares of replay, what was told of the one that was kept; until one is, of the
    last that was trained."""
    kept = [event.data["replay"] for event in events if event.kind in ("replay_share", "replay_chosen")]
    return [event for event in events if event.data.get("replay") == kept[-1]] if kept else events


@dataclass
class _Told:
    """Step and validation data by step, and where training went back to."""

    steps: dict[int, Json] = field(default_factory=dict)
    validations: dict[int, Json] = field(default_factory=dict)
    resumed_at: list[int] = field(default_factory=list)
    back_offs: list[Text] = field(default_factory=list)

    def forget_after(self, step: int) -> None:
        self.steps = {number: data for number, data in self.steps.items() if number <= step}
        self.validations = {number: data for number, data in self.validations.items() if number <= step}


def _told_once(events: Iterable[Event]) -> _Told:
    told = _Told()
    for event in events:
        step = event.data.get("step")
        if not isinstance(step, int):
            continue
        if event.kind == "step":
            told.steps[step] = event.data
        elif event.kind == "validation":
            told.validations[step] = event.data
        elif event.kind in ("resumed", "backed_off"):
            told.forget_after(step)
            if event.kind == "resumed":
                told.resumed_at.append(step)
            elif event.message is not None:
                told.back_offs.append(event.message)
    return told


def _metric_name(validations: Iterable[Json], fitted: Fitted | None) -> str | None:
    """The metric that chose the checkpoint; else the first that validation tells."""
    told = [name for data in validations for name, value in data.items() if _is_figure(value) and name not in _NOT_METRICS]
    chosen = [name for name in (fitted.selection if fitted else {}) if name in told]
    return next(iter(chosen + told), None)


def _points(data_by_step: dict[int, Json], name: str) -> tuple[Point, ...]:
    return tuple(
        Point(step=step, value=float(data[name]))
        for step, data in sorted(data_by_step.items())
        if _is_figure(data.get(name))
    )


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _thinned(points: Sequence[Point]) -> tuple[Point, ...]:
    """Means of neighbours, so that no more than `MOST_POINTS` are left."""
    size = math.ceil(len(points) / MOST_POINTS) or 1
    groups = [points[start : start + size] for start in range(0, len(points), size)]
    return tuple(Point(step=group[-1].step, value=sum(point.value for point in group) / len(group)) for group in groups)
