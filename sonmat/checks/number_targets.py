"""Numbers to predict that cannot be learnt or are probably wrong: all the same, or far from all others.

For kinds whose target is one number. Far means beyond the quartiles by three times their distance (Tukey's outer fences); where
half of all values are equal, nothing is far. `Finding.data` of outliers: low, high (the fences), smallest, largest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from sonmat.core.protocols import Kind
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch

_FENCE = 3.0
_FEWEST_ROWS = 20
"""Below, quartiles are guesses."""
_SHOWN = 5


class NumberTargets:
    name = "number_targets"
    title = Text(en="Numbers to predict", ko="예측할 수치")

    def watch(self, data: Surroundings) -> Watch | None:
        field = _number_field(data.kind)
        return _Numbers(data, field) if field else None


def _number_field(kind: Kind) -> str:
    """The field of the target that holds the number; '' where the target is something else."""
    fields = kind.Target.model_fields
    numbers = [name for name, about in fields.items() if about.annotation in (int, float)]
    return numbers[0] if len(fields) == len(numbers) == 1 else ""


class _Numbers:
    def __init__(self, data: Surroundings, field: str) -> None:
        self.data = data
        self.field = field
        self.values = array("d")

    def see(self, rows: Rows) -> None:
        self.values.extend(float(example.target[self.field]) for example in rows.examples)

    def findings(self) -> Iterator[Finding]:
        values = np.frombuffer(self.values, dtype=np.float64) if self.values else np.empty(0)
        if len(values) > 1 and values.min() == values.max():
            yield self._constant(float(values[0]), len(values))
        elif len(values) >= _FEWEST_ROWS:
            first, third = np.quantile(values, (0.25, 0.75)).tolist()
            low, high = first - _FENCE * (third - first), third + _FENCE * (third - first)
            far = np.flatnonzero((values < low) | (values > high))
            if third > first and len(far):
                order = far[np.argsort(-np.abs(values[far] - (first + third) / 2), kind="stable")]
                yield self._outliers(order.tolist(), values[order].tolist(), low, high)

    def _constant(self, value: float, rows: int) -> Finding:
        return Finding(
            check=plugin.name,
            severity="blocker",
            what=Text(
                en=f"All {rows:,} rows have the target {value:g}: there is nothing to learn.",
                ko=f"{rows:,}행 모두 정답이 {value:g}입니다. 배울 것이 없습니다.",
            ),
            fix=Text(
                en="Add rows with other values, or name another column with --target.",
                ko="다른 값을 가진 행을 더하거나 --target으로 다른 열을 지정하세요.",
            ),
        )

    def _outliers(self, at: list[int], values: list[float], low: float, high: float) -> Finding:
        return Finding(
            check=plugin.name,
            severity="warning",
            what=Text(
                en=f"Targets far from all others: {len(at):,} of {len(self.values):,}. "
                f"Nearly all lie between {low:.4g} and {high:.4g}.",
                ko=f"{len(self.values):,}행 가운데 {len(at):,}행의 정답이 다른 값들과 동떨어져 있습니다. "
                f"거의 모두 {low:.4g}~{high:.4g} 사이입니다.",
            ),
            fix=Text(
                en="Look for slips (a wrong unit, a missing decimal point): a single far value can bend a whole model.",
                ko="단위나 소수점이 틀리지 않았는지 살펴보세요. 동떨어진 값 하나가 모델 전체를 휘게 할 수 있습니다.",
            ),
            rows=tuple(self.data.ids[position] for position in at),
            evidence=tuple(f"{value:g}" for value in values[:_SHOWN]),
            data={
                "low": low,
                "high": high,
                "smallest": min(self.values),
                "largest": max(self.values),
            },
        )


plugin = NumberTargets()
