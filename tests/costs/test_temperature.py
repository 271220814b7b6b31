"""Temperature scaling: SciPy's own minimum, planted over-confidence mended, and no harm where there is nothing to mend."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from scipy.stats import norm

from sonmat.statistics.temperature import PRIOR, best_temperature, mean_nll, scaled


def rows(count: int, seed: int, sure: float = 1.0, labels: int = 4) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Log-probabilities times `sure` (1: exactly as right as they say) and right labels drawn from the probabilities themselves."""
    generator = np.random.default_rng(seed)
    honest = log_softmax(generator.normal(0, 2.0, size=(count, labels)), axis=1)
    right = np.array([generator.choice(labels, p=np.exp(row)) for row in honest])
    return log_softmax(sure * honest, axis=1), right


def test_the_temperature_is_the_minimum_that_scipy_finds_by_another_way() -> None:
    shares, right = rows(150, seed=1, sure=2.0)

    def loss(log_temperature: NDArray[np.float64]) -> float:
        nats = -log_softmax(shares / np.exp(log_temperature[0]), axis=1)[np.arange(len(right)), right].sum()
        return float(nats - norm.logpdf(log_temperature[0], scale=PRIOR))

    oracle = float(np.exp(minimize(loss, [0.0], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x[0]))
    assert best_temperature(shares, right) == pytest.approx(oracle, rel=1e-4)


@pytest.mark.parametrize("sure", [0.4, 1.0, 3.0])
def test_planted_over_and_underconfidence_is_found(sure: float) -> None:
    shares, right = rows(3_000, seed=2, sure=sure)
    assert best_temperature(shares, right) == pytest.approx(sure, rel=0.08)


def test_a_planted_overconfidence_is_mended_on_rows_that_were_not_seen() -> None:
    temperature = best_temperature(*rows(300, seed=3, sure=4.0))
    shares, right = rows(2_000, seed=4, sure=4.0)
    honest = mean_nll(*rows(2_000, seed=4))
    assert mean_nll(shares, right) > honest + 0.3
    assert mean_nll(shares, right, temperature) < honest + 0.02


def test_few_rows_that_are_all_right_make_no_certainty() -> None:
    shares = np.log(np.full((12, 2), [0.8, 0.2]))
    temperature = best_temperature(shares, np.zeros(12, dtype=np.intp))
    confidence = float(np.exp(scaled(shares, temperature))[0, 0])
    # Without its prior the temperature would be at its bound, and the confidence 1.
    assert 0.8 < confidence < 0.98


def test_a_calibrated_model_is_hardly_harmed_by_a_few_dozen_rows() -> None:
    shares, right = rows(4_000, seed=5)
    harms = [
        mean_nll(shares, right, best_temperature(*rows(30, seed=100 + seed))) - mean_nll(shares, right)
        for seed in range(40)
    ]
    assert 0 <= np.mean(harms) < 0.02


def test_no_temperature_changes_the_order_of_labels() -> None:
    shares, _ = rows(50, seed=6)
    for temperature in (0.05, 0.7, 20.0):
        assert (scaled(shares, temperature).argsort(axis=1) == shares.argsort(axis=1)).all()
        assert np.exp(scaled(shares, temperature)).sum(axis=1) == pytest.approx(np.ones(50))
