"""Learning curves from a candidate's events.

In: events of kind "step", "validation" and "resumed". Out: a `Curve` of at most `MOST_POINTS` training points, or None
where the candidate was not trained step by step. A resumed run does the steps after its checkpoint again; the earlier
telling of those steps is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from sonmat.core.values import Event, Fitted, Json
from sonmat.steps.report.contents import Curve, Point
from sonmat.steps.report.vocabulary import measure_named

MOST_POINTS: Final = 300
_NOT_METRICS: Final = frozenset({"step", "epoch", "loss", "learning_rate", "seconds", "seconds_left", "done", "total"})


def learning_curve(candidate: str, events: Iterable[Event], fitted: Fitted | None) -> Curve | None:
    """The curve of one candidate."""
    steps, validations, resumed_at = _told_once(events)
    if not steps and not validations:
        return None
    metric = _metric_name(validations.values(), fitted)
    return Curve(
        candidate=candidate,
        measure=measure_named(metric) if metric else None,
        train_loss=_thinned(_points(steps, "loss")),
        validation_loss=_points(validations, "loss"),
        validation_measure=_points(validations, metric) if metric else (),
        best_step=fitted.best_step if fitted else 0,
        resumed_at=resumed_at,
        stopped=fitted.stopped if fitted else None,
    )


def _told_once(events: Iterable[Event]) -> tuple[dict[int, Json], dict[int, Json], tuple[int, ...]]:
    """Step and validation data by step, and the steps at which training went on after a stop."""
    steps: dict[int, Json] = {}
    validations: dict[int, Json] = {}
    resumed_at: list[int] = []
    for event in events:
        step = event.data.get("step")
        if not isinstance(step, int):
            continue
        if event.kind == "step":
            steps[step] = event.data
        elif event.kind == "validation":
            validations[step] = event.data
        elif event.kind == "resumed":
            steps = {number: data for number, data in steps.items() if number <= step}
            validations = {number: data for number, data in validations.items() if number <= step}
            resumed_at.append(step)
    return steps, validations, tuple(resumed_at)


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
