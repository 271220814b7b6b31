"""The plane of gain and forgetting: what each arm won in the task, against what it lost besides.

In: a proof and the arm that gains are measured from. Out: a `Plane`, or None where no forgetting was measured. Writing
models are placed by the share of general ability lost, encoders by how far their view of general sentences moved (1 − CKA).
It computes no interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sonmat.core.proof import Comparison, Measure, Proof
from sonmat.core.text import Text
from sonmat.steps.report.probed import Plane, PlanePoint


@dataclass(frozen=True)
class _Axis:
    """A measure that says what was forgotten; `upside_down` where 1 means that nothing was."""

    name: str
    title: Text
    upside_down: bool = False
    floor: str | None = None
    """Measure of what another wording alone does to the base."""


PROBE: Final = "forgetting"
AXES: Final = (
    _Axis("all", Text(en="general ability lost", ko="잃은 일반 능력")),
    _Axis(
        "cka",
        Text(en="how far its view of general sentences moved (1 − CKA)", ko="일반 문장을 보는 방식이 바뀐 정도(1 − CKA)"),
        upside_down=True,
        floor="wording_cka",
    ),
)


def plane_of(proof: Proof, against: Mapping[str, Comparison | None], reference: str | None, higher: bool) -> Plane | None:
    """The plane over the first axis that any arm was measured on.

    Args:
        against: the comparison of each arm with the reference in the headline metric.
        higher: whether the headline metric is better the higher it is.
    """
    if reference is None:
        return None
    whole = [each for each in proof.measures if each.probe == PROBE and not each.slice]
    for axis in AXES:
        found = {each.arm: each for each in whole if each.name == axis.name}
        points = [
            _point(found[arm.candidate], compared, axis, higher)
            for arm in proof.arms
            if arm.candidate in found and (compared := against.get(arm.candidate)) is not None
        ]
        if points:
            origin = PlanePoint(
                arm=reference,
                forgetting=0,
                forgetting_low=None,
                forgetting_high=None,
                gain=0,
                gain_low=None,
                gain_high=None,
            )
            others = [point for point in points if point.arm != reference]
            key = f"{PROBE}.{axis.name}"
            return Plane(
                measure=key,
                title=axis.title,
                reference=reference,
                points=(origin, *others),
                bound=next((_turned(guard.bound, axis) for guard in proof.guards if guard.measure == key), None),
                floor=next((_turned(each.value, axis) for each in whole if each.name == axis.floor), None),
            )
    return None


def _point(measure: Measure, compared: Comparison, axis: _Axis, higher: bool) -> PlanePoint:
    low, high = measure.low, measure.high
    if axis.upside_down:
        low, high = (None if each is None else 1 - each for each in (high, low))
    sign = 1 if higher else -1
    gains = sorted((sign * compared.low, sign * compared.high))
    return PlanePoint(
        arm=measure.arm,
        forgetting=_turned(measure.value, axis),
        forgetting_low=low,
        forgetting_high=high,
        gain=sign * compared.difference,
        gain_low=gains[0],
        gain_high=gains[1],
    )


def _turned(value: float, axis: _Axis) -> float:
    return 1 - value if axis.upside_down else value
