"""What every index does with scores: the best places in an order that is the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sonmat.core.errors import ModelError
from sonmat.core.text import Text


def best(scores: NDArray[np.float32], depth: int) -> list[int]:
    """Places of the `depth` highest scores, the highest first; of equal ones the first in order."""
    depth = min(depth, len(scores))
    if depth < 1:
        return []
    lowest = np.partition(scores, len(scores) - depth)[len(scores) - depth]
    # All that are as good as the last one, so that which of equals are taken does not depend on the partition.
    places = np.flatnonzero(scores >= lowest)
    return [int(place) for place in places[np.argsort(-scores[places], kind="stable")][:depth]]


def damaged_index(path: Path) -> ModelError:
    """The error for a file of an index that cannot be read."""
    return ModelError(
        Text(en=f"{path} is damaged or missing.", ko=f"{path}이(가) 손상되었거나 없습니다."),
        Text(en="Fit the candidate again (`sonmat fit`).", ko="후보를 다시 학습하세요(`sonmat fit`)."),
    )
