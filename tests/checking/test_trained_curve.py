"""What more rows would gain a trained model, told from few trainings: planted curves, and when nothing can be told."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.curve_coverage import SHARES
from sonmat.checking.label_quality import Floats
from sonmat.checking.learning_curve import best_coefficients
from sonmat.checking.trained_curve import Scale, TrainedCurve, Training, trained_curve

ITEMS = 400


def mean(sums: Floats) -> Floats:
    return np.asarray(sums[..., 0] / sums[..., 1])


ACCURACY = Scale(mean, higher_is_better=True, share=True)
LOSS = Scale(mean, higher_is_better=False, share=False)


def right(errors: list[float], rows: int = 800) -> list[Training]:
    """Trainings on `SHARES` of the rows, whose wrong items are those of the better ones and more."""
    order = np.random.default_rng(0).permutation(ITEMS)
    found = []
    for share, error in zip(SHARES, errors, strict=True):
        outcome = (order >= round(error * ITEMS)).astype(float)
        found.append(Training(round(share * rows), np.stack([outcome, np.ones(ITEMS)], axis=1)))
    return found


def curve_of(trainings: list[Training], scale: Scale = ACCURACY) -> TrainedCurve:
    found = trained_curve(scale, trainings, None, seed=0)
    assert found is not None
    return found


def test_an_error_that_falls_steeply_goes_on_falling() -> None:
    sizes = [round(share * 800) for share in SHARES]
    found = curve_of(right([3 * size**-0.5 for size in sizes]))
    truth = 3 * (800**-0.5 - 1600**-0.5)
    assert found.says == "helps"
    assert found.gain.low <= truth <= found.gain.high
    assert found.gain.value == pytest.approx(truth, abs=0.01)
    assert found.error(800).value == pytest.approx(3 * 800**-0.5, abs=0.01)


def test_no_more_is_gained_than_is_wrong() -> None:
    """The demo's curve: its power law lies well above the error of the whole training."""
    found = curve_of(right([0.52, 0.47, 0.38, 0.35, 0.25, 0.15, 0.02]))
    assert found.error(800).value > 0.04
    assert found.gain.value == pytest.approx(0.02)
    assert found.gain.high < 0.05


def test_an_error_that_has_stopped_falling_gains_hardly_anything() -> None:
    found = curve_of(right([0.1, 0.1025, 0.1, 0.0975, 0.1, 0.1025, 0.1]))
    assert found.says == "hardly"
    assert found.gain.high < 0.02
    assert found.gain.low == 0


def test_trainings_that_scatter_more_than_they_fall_tell_nothing() -> None:
    found = curve_of(right([0.30, 0.20, 0.17, 0.31, 0.15, 0.29, 0.20]))
    assert found.says == "open"
    assert found.gain.low == 0
    assert found.gain.high > 0.02


def test_a_metric_that_falls_is_read_as_the_error_that_it_is() -> None:
    chance = np.random.default_rng(1)
    sizes = [round(share * 800) for share in SHARES]
    noise = chance.normal(0, 0.2, ITEMS)
    trainings = [Training(size, np.stack([1.0 + 9 * size**-0.5 + noise + 1, np.ones(ITEMS)], axis=1)) for size in sizes]
    found = curve_of(trainings, LOSS)
    assert found.says == "helps"
    assert found.gain.value == pytest.approx(9 * (800**-0.5 - 1600**-0.5), rel=0.1)


def test_a_metric_without_bounds_is_fitted_without_them() -> None:
    sizes = np.array([round(share * 800) for share in SHARES], dtype=float)
    falling = -5 + 20 * sizes**-0.5
    (a,), (b,), (c,) = best_coefficients(sizes, falling[None], np.ones(7), bounded=False)
    assert (a, b, c) == pytest.approx((-5, 20, 0.5))
    assert best_coefficients(sizes, falling[None], np.ones(7))[0] == 0


def test_more_doubt_between_trainings_means_a_wider_interval() -> None:
    sizes = [round(share * 800) for share in SHARES]
    smooth = [3 * size**-0.5 for size in sizes]
    moved = [error + step for error, step in zip(smooth, (0.02, -0.02, 0.02, -0.02, 0.02, -0.02, 0.0), strict=True)]
    calm, wild = curve_of(right(smooth)), curve_of(right(moved))
    assert wild.scatter > 2 * calm.scatter
    assert wild.gain.high - wild.gain.low > calm.gain.high - calm.gain.low


def test_too_few_trainings_or_sizes_give_no_curve() -> None:
    trainings = right([0.3, 0.3, 0.2, 0.2, 0.15, 0.15, 0.1])
    assert trained_curve(ACCURACY, trainings[-3:], None, 0) is None
    assert trained_curve(ACCURACY, [trainings[0], *trainings[:2], trainings[0], trainings[-1]], None, 0) is None
    undefined = Training(100, np.zeros((ITEMS, 2)))
    assert trained_curve(ACCURACY, [*trainings, undefined], None, 0) is None
