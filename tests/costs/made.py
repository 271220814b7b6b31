"""Answers with probabilities, made for the tests of decisions: how right and how sure they are is known beforehand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sonmat.core.proof import Prediction
from sonmat.inference.classification import scores_of

LABELS = ("ham", "spam")


def log_odds(rows: int, seed: int, share: float = 0.2, apart: float = 2.5) -> tuple[list[str], NDArray[np.float64]]:
    """Labels, and the log-odds of 'spam' that a perfectly calibrated model would give: two normals `apart` from one another."""
    generator = np.random.default_rng(seed)
    spam = generator.random(rows) < share
    seen = generator.normal(np.where(spam, apart / 2, -apart / 2), 1.0)
    return ["spam" if yes else "ham" for yes in spam], np.log(share / (1 - share)) + apart * seen


def answers(odds: Sequence[float] | NDArray[np.float64]) -> list[Prediction]:
    """Argmax answers of a model with these log-odds of 'spam'; rows are called '0', '1', ..."""
    found = []
    for row, each in enumerate(odds):
        spam = 1 / (1 + np.exp(-float(each)))
        label = "spam" if spam > 0.5 else "ham"
        scores = scores_of(LABELS, [1 - spam, spam])
        found.append(
            Prediction(row=str(row), output={"label": label, "scores": scores}, confidence=max(spam, 1 - spam), seconds=0.0)
        )
    return found


def targets(labels: Sequence[str]) -> dict[str, str]:
    return {str(row): label for row, label in enumerate(labels)}
