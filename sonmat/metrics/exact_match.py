"""Exact match: the share of items whose text equals the reference.

Compared in Unicode's composed form and with white space collapsed; case and punctuation count.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share
from sonmat.statistics.words import one_line


class ExactMatch:
    name = "exact_match"
    title = Text(en="exact match", ko="완전 일치율")
    higher_is_better = True
    percent = True
    right_or_wrong = True

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: equal, 1."""
        rows = [(one_line(item.output.get("text") or "") == one_line(item.target["text"]), 1) for item in items]
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = ExactMatch()
