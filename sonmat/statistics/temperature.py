"""Temperature: the one number that log-probabilities are divided by so that confidences say how often answers are right.

In: log-probabilities of all labels and the right label, of rows that the model has not learnt from. Out: the temperature. It changes
no order of labels. Guo, Pleiss, Sun and Weinberger 2017, "On calibration of modern neural networks", section 4.2: the minimum of the
mean negative log-likelihood. That minimum is 0 or infinite where few rows are all right or all wrong, and noisy on a few dozen; so
log T has a normal prior around 0 with standard deviation `PRIOR`, which weighs nothing against a few hundred rows. By simulation it is
the prior that does no harm to a model that was right already (docs/costs-and-decisions.md).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sonmat.statistics.resampling import Floats

PRIOR: Final = 0.5
_BOUNDS: Final = (math.log(0.05), math.log(20.0))


def best_temperature(log_shares: Floats, right: NDArray[np.intp]) -> float:
    """The temperature, 0.05 to 20.

    Args:
        log_shares: natural logarithms of the probabilities, shape (rows, labels); finite.
        right: column of the right label, shape (rows,).
    """

    def loss(log_temperature: float) -> float:
        return _total_nll(log_shares, right, math.exp(log_temperature)) + (log_temperature / PRIOR) ** 2 / 2

    return float(math.exp(minimize_scalar(loss, bounds=_BOUNDS, method="bounded", options={"xatol": 1e-6}).x))


def scaled(log_shares: Floats, temperature: float) -> Floats:
    """Log-probabilities at this temperature, shape (..., labels)."""
    raw = log_shares / temperature
    raw = raw - raw.max(axis=-1, keepdims=True)
    return np.asarray(raw - np.log(np.exp(raw).sum(axis=-1, keepdims=True)), dtype=np.float64)


def mean_nll(log_shares: Floats, right: NDArray[np.intp], temperature: float = 1.0) -> float:
    """Mean negative log-likelihood of the right labels at this temperature, in nats."""
    return _total_nll(log_shares, right, temperature) / len(right)


def _total_nll(log_shares: Floats, right: NDArray[np.intp], temperature: float) -> float:
    return -float(scaled(log_shares, temperature)[np.arange(len(right)), right].sum())
