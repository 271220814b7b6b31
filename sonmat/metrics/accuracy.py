"""Accuracy: the share of items whose label is right.

An output without a label, or with one that does not exist, is wrong; it is never left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share


class Accuracy:
    name = "accuracy"
    title = Text(en="accuracy", ko="정확도")
    higher_is_better = True
    percent = True
    right_or_wrong = True

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: right, 1."""
        rows = [(item.output.get("label") == item.target["label"], 1) for item in items]
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = Accuracy()
