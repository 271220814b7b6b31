"""ROUGE-2: the mean over items of F1 by shared pairs of neighbouring words.

Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 2. On English equal to the rouge-score package without
stemming; Korean is cut into morphemes (`statistics.words`). `statistics.overlaps` says what becomes of very short texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.overlaps import compared, n_gram_f1
from sonmat.statistics.shares import share


class Rouge2:
    name = "rouge_2"
    title = Text(en="ROUGE-2", ko="ROUGE-2")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: F1 of the item, 1."""
        return compared(items, partial(n_gram_f1, order=2))

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = Rouge2()
