"""The division that metrics end with."""

from __future__ import annotations

import numpy as np

from sonmat.statistics.resampling import Floats


def share(part: Floats, whole: Floats, empty: float = np.nan) -> Floats:
    """`part` / `whole` element by element; `empty` where `whole` is 0."""
    shares = np.full(np.broadcast_shapes(part.shape, whole.shape), empty)
    np.divide(part, whole, out=shares, where=whole != 0)
    return shares
