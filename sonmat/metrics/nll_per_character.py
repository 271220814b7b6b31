"""Negative log-likelihood of the reference texts in nats per character; lower is better.

Per character and not per token, so that models with different tokenizers can be compared. An item whose model cannot say how
likely the reference is has no value (a row of NaN).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share


class NllPerCharacter:
    name = "nll_per_character"
    title = Text(en="negative log-likelihood per character", ko="글자당 음의 로그 가능도")
    higher_is_better = False
    percent = False
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: nats, characters of the reference."""
        rows = [
            (np.nan, np.nan) if item.reference_nll is None else (item.reference_nll, len(item.target["text"]))
            for item in items
        ]
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = NllPerCharacter()
