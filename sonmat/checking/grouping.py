"""Deals rows into folds so that rows which say the same are never on both sides, and every class is in every fold.

In: the class of each row and a key of what it says. Out: the fold of each row. It does not look at the rows themselves.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def dealt_into_folds(classes: NDArray[np.int64], same: NDArray[np.uint64], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, 0 to `folds` − 1: rows with equal `same` share one, rows of each class are spread evenly.

    A group of rows that say the same counts for the class of its first row.
    """
    _, firsts, group_of = np.unique(same, return_index=True, return_inverse=True)
    chance = np.random.default_rng(seed)
    # Groups in the order of their classes, by chance within each: dealing them like cards spreads every class evenly.
    order = np.lexsort((chance.permutation(len(firsts)), classes[firsts]))
    fold_of_group = np.empty(len(firsts), dtype=np.int64)
    fold_of_group[order] = np.arange(len(firsts)) % folds
    return fold_of_group[group_of]
