"""The learning curve of the audit as the report draws it.

In: the audit's findings, the one of the check `enough` among them. Out: an `EnoughCurve`. It fits nothing; that is the check's
business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sonmat.core.values import Finding
from sonmat.steps.report.contents import CurvePoint, EnoughCurve
from sonmat.steps.report.vocabulary import measure_named

CHECK: Final = "enough"


def enough_curve(findings: Sequence[Finding]) -> EnoughCurve | None:
    """The curve, or None where the audit made none."""
    finding = next((each for each in findings if each.check == CHECK and each.data.get("points")), None)
    if finding is None:
        return None
    measure = measure_named("macro_f1")
    return EnoughCurve(
        measure=measure.title,
        percent=measure.percent,
        measured=tuple(map(_point, finding.data["points"])),
        fitted=tuple(map(_point, finding.data["curve"])),
        rows=finding.data["rows_now"],
        explanation=finding.what,
    )


def _point(told: Mapping[str, Any]) -> CurvePoint:
    """The check tells errors; people read what was got right."""
    return CurvePoint(rows=told["rows"], value=1 - told["error"], low=1 - told["high"], high=1 - told["low"])
