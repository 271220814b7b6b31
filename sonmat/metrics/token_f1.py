"""Token F1: the mean over items of F1 between the words of the answer and of the reference, their order aside.

As in SQuAD (Rajpurkar et al. 2016, section 6.1), with the words of `statistics.words`: lower case, no punctuation, Korean by
morphemes; articles are kept. Two texts without words agree if both are without.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share
from sonmat.statistics.words import words_of


class TokenF1:
    name = "token_f1"
    title = Text(en="token F1", ko="토큰 F1")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: F1 of the item, 1."""
        answers = words_of([item.output.get("text") or "" for item in items])
        references = words_of([item.target["text"] for item in items])
        rows = [(_f1(answer, reference), 1) for answer, reference in zip(answers, references, strict=True)]
        return np.array(rows, dtype=np.float64).reshape(len(items), 2)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return share(sums[..., 0], sums[..., 1])


def _f1(answer: Sequence[str], reference: Sequence[str]) -> float:
    if not answer and not reference:
        return 1.0
    shared = sum((Counter(answer) & Counter(reference)).values())
    return 2 * shared / (len(answer) + len(reference))


plugin = TokenF1()
