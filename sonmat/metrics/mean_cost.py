"""Mean cost: what an answer costs on average by the costs that the user gave errors; lower is better, 0 where all is right.

An item without costs has no value (a row of NaN), so that arms are judged by costs only where somebody has set them. An output that is
no label costs as much as the worst error at that item.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.decision import COST_METRIC
from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share


class MeanCost:
    name = COST_METRIC
    title = Text(en="mean cost of an answer", ko="답변 하나의 평균 비용")
    higher_is_better = False
    percent = False
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: cost, 1."""
        rows = [
            (np.nan, np.nan) if item.costs is None else (item.costs.of(item.target["label"], item.output.get("label")), 1.0)
            for item in items
        ]
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = MeanCost()
