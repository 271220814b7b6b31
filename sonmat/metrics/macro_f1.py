"""Macro-F1: the mean over classes of F1 = 2 · right / (items of the class + answers of the class).

The classes are those that occur among the targets, so a class without test items neither helps nor hurts by itself; an answer
that names no class of the test set is a miss of the true class. Equal to scikit-learn's
`f1_score(targets, outputs, labels=sorted(set(targets)), average="macro", zero_division=0)`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged
from sonmat.core.text import Text
from sonmat.statistics.shares import share


class MacroF1:
    name = "macro_f1"
    title = Text(en="macro-F1", ko="매크로 F1")
    higher_is_better = True
    percent = True
    right_or_wrong = False

    def statistics(self, items: Sequence[Judged]) -> NDArray[np.float64]:
        """Columns: for every class in turn right, of the class, answered as the class; classes in the order of names."""
        classes = sorted({item.target["label"] for item in items})
        places = {label: place for place, label in enumerate(classes)}
        counts = np.zeros((len(items), 3, len(classes)))
        for row, item in zip(counts, items, strict=True):
            target, answer = places[item.target["label"]], places.get(item.output.get("label"))
            row[1, target] = 1
            if answer is not None:
                row[2, answer] = 1
                row[0, answer] = answer == target
        return counts.reshape(len(items), -1)

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        right, of_class, answered = np.moveaxis(sums.reshape(*sums.shape[:-1], 3, -1), -2, 0)
        f1 = share(2 * right, of_class + answered, empty=0.0)
        # A resample that drew no item of a class says nothing about that class.
        present = of_class > 0
        return share((f1 * present).sum(axis=-1), present.sum(axis=-1))


plugin = MacroF1()
