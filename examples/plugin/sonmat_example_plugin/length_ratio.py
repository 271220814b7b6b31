"""A metric: how long answers are beside their references, 1 for equally long. Sums of characters divide once at the end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text


class LengthRatio:
    name = "length_ratio"
    title = Text(en="shorter length over longer", ko="짧은 길이 ÷ 긴 길이")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Shape (items, 2): the shorter length, the longer one, in characters and 1 for 'empty'."""
        rows = []
        for item in items:
            lengths = sorted(1 + len(str(part.get("text", part.get("label", "")))) for part in (item.target, item.output))
            rows.append(lengths)
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        ratio: NDArray[np.float64] = sums[..., 0] / sums[..., 1]
        return ratio


plugin = LengthRatio()
