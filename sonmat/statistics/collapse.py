"""Whether a model says one and the same thing to everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sonmat.core.values import Json

COLLAPSED_SHARE = 0.95
"""Answers of which more than this share are the same count as collapsed, if the references vary more."""


def collapsed(references: Sequence[Json], outputs: Sequence[Json]) -> bool:
    """Whether nearly all outputs are one and the same although the references are not."""
    return _commonest_share(outputs) > COLLAPSED_SHARE >= _commonest_share(references) and any(outputs)


def _commonest_share(values: Sequence[Json]) -> float:
    counts = Counter(str(value.get("label", value.get("text", value))) for value in values)
    return max(counts.values(), default=0) / max(len(values), 1)
