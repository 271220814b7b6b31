"""Token F1: the mean over items of F1 between the words of the answer and of the reference, their order aside.

As in SQuAD (Rajpurkar et al. 2016, section 6.1), with the words of `statistics.words`: lower case, no punctuation, Korean by
morphemes; articles are kept. Two texts without words agree if both are without. With words counted so, it is what others call ROUGE-1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.overlaps import compared, token_f1
from sonmat.statistics.shares import share


class TokenF1:
    name = "token_f1"
    title = Text(en="token F1", ko="토큰 F1")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: F1 of the item, 1."""
        return compared(items, token_f1)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


plugin = TokenF1()
