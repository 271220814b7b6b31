"""An answer made of labels' shares, as every classifier that is no neural network gives it. In: shares. Out: a prediction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sonmat.core.proof import Prediction
from sonmat.inference.classification import scores_of


def answer_from_shares(row: str, shares: Mapping[str, float], labels: Sequence[str], seconds: float) -> Prediction:
    """The label of the highest share; labels of the task that are not among `shares` have none. Of equals the first in order."""
    scores = scores_of(labels, [shares.get(label, 0.0) for label in labels])
    best = max(sorted(shares), key=lambda label: shares[label])
    return Prediction(row=row, output={"label": best, "scores": scores}, confidence=shares[best], seconds=seconds)
