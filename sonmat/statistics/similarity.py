"""How alike two models see the same sentences, from their vectors of them; closed formulas, nothing is trained.

In: two matrices, a row a sentence. Out: linear CKA with its interval, and how many nearest neighbours the two have in common.
Neither changes when one matrix is rotated or scaled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from sonmat.statistics.proportions import Interval
from sonmat.statistics.resampling import Floats

NEIGHBOURS: Final = 10


@dataclass(frozen=True)
class Alike:
    value: float
    interval: Interval


def linear_cka(a: Floats, b: Floats) -> Alike:
    """Centred kernel alignment with linear kernels (Kornblith et al. 2019, section 3), 1 for the same view of the sentences.

    HSIC by the unbiased estimator (Song et al. 2012, eq. 5; Nguyen, Raghu and Kornblith 2021, eq. 3), because the usual one
    comes near 1 for any two models with more dimensions than sentences. The interval is Student's t with the jackknife's error.

    Args:
        a, b: vectors of at least five sentences, shape (sentences, dimensions); the dimensions may differ.
    """
    one, other = (_off_diagonal(np.asarray(vectors - vectors.mean(axis=0), dtype=np.float64)) for vectors in (a, b))
    value = _cka(one, other)
    rows = len(a)
    kept = ~np.eye(rows, dtype=bool)
    left_out = np.array([_cka(one[np.ix_(rest, rest)], other[np.ix_(rest, rest)]) for rest in kept])
    error = math.sqrt(rows - 1) * float(left_out.std())
    half = -float(stdtrit(rows - 1, 0.025)) * error
    return Alike(value, Interval(max(-1.0, value - half), min(1.0, value + half)).including(value))


def shared_neighbours(a: Floats, b: Floats, count: int = NEIGHBOURS) -> Floats:
    """For every sentence the share of its `count` nearest others (by cosine) that are the same in both, shape (sentences,)."""
    ours, theirs = _nearest(a, count), _nearest(b, count)
    return np.array([len(set(one) & set(other)) / count for one, other in zip(ours.tolist(), theirs.tolist(), strict=True)])


def _off_diagonal(vectors: Floats) -> Floats:
    """Linear kernel without its diagonal."""
    kernel = vectors @ vectors.T
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _cka(one: Floats, other: Floats) -> float:
    scale = math.sqrt(max(0.0, _hsic(one, one)) * max(0.0, _hsic(other, other)))
    return min(1.0, _hsic(one, other) / scale) if scale > 0 else 0.0


def _hsic(one: Floats, other: Floats) -> float:
    n = len(one)
    both = one.sum() * other.sum() / ((n - 1) * (n - 2))
    rows = 2 / (n - 2) * float(one.sum(axis=0) @ other.sum(axis=0))
    return float((float((one * other).sum()) + both - rows) / (n * (n - 3)))


def _nearest(vectors: Floats, count: int) -> NDArray[np.intp]:
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)
    return np.argsort(-cosines, axis=1, kind="stable")[:, :count]
