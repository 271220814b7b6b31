"""How often the gain by twice the rows lies in its interval: `python -m benchmarks.curve_coverage [--simulations N]`.

Trainings are simulated whose true accuracy follows error = a + b·n⁻ᶜ, on parts of an eighth, a quarter and a half of the rows twice
each and on all of them once: each training has an error of its own about the curve, and each test item its own difficulty, so that
trainings on one test set err on the same items. The truth is what twice the rows gain on average. Prints a Markdown table: coverage
of the 95 % interval, its mean width, and how often it is said that more rows help, hardly help, or that it cannot be told.
"""

from __future__ import annotations

import argparse
from collections import Counter

import numpy as np
from scipy.special import ndtr

from sonmat.checking.trained_curve import Scale, Training, trained_curve

WORLDS = (
    # a, b, c, standard deviation of trainings
    (0.05, 0.0, 0.5, 0.01),
    (0.30, 0.0, 0.5, 0.03),
    (0.05, 2.0, 0.5, 0.01),
    (0.05, 2.0, 0.5, 0.03),
    (0.10, 5.0, 0.7, 0.01),
    (0.00, 1.0, 0.2, 0.02),
    (0.20, 60.0, 1.2, 0.02),
)
SHARES = (1 / 8, 1 / 8, 1 / 4, 1 / 4, 1 / 2, 1 / 2, 1.0)
SAME_ITEMS = 0.7
"""Correlation of two trainings on an item, on the scale of a probit."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--simulations", type=int, default=200)
    parser.add_argument("--items", type=int, nargs="+", default=[100, 300])
    parser.add_argument("--rows", type=int, default=800)
    asked = parser.parse_args()
    print("| a | b | c | trainings ± | items | true gain | covered | width | helps | hardly | open |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for world in WORLDS:
        for items in asked.items:
            print(_line(world, items, asked.rows, asked.simulations), flush=True)


def _line(world: tuple[float, float, float, float], items: int, rows: int, simulations: int) -> str:
    a, b, c, spread = world
    truth = b * (rows**-c - (2 * rows) ** -c)
    said: Counter[str] = Counter()
    held, widths = 0, []
    for number in range(simulations):
        found = trained_curve(_ACCURACY, _trainings(world, items, rows, number), None, seed=number)
        assert found is not None, "seven trainings are enough"
        held += found.gain.low - 1e-12 <= truth <= found.gain.high + 1e-12
        widths.append(found.gain.high - found.gain.low)
        said[found.says] += 1
    shares = " | ".join(f"{100 * said[each] / simulations:.0f} %" for each in ("helps", "hardly", "open"))
    return (
        f"| {a} | {b} | {c} | {spread} | {items} | {100 * truth:.1f} | {100 * held / simulations:.1f} % | "
        f"{100 * np.mean(widths):.1f} | {shares} |"
    )


def _trainings(world: tuple[float, float, float, float], items: int, rows: int, seed: int) -> list[Training]:
    a, b, c, spread = world
    chance = np.random.default_rng((seed, items))
    hard = chance.standard_normal(items)
    found = []
    for share in SHARES:
        size = round(share * rows)
        error = float(np.clip(a + b * size**-c + spread * chance.standard_normal(), 0.001, 0.999))
        own = np.sqrt(1 - SAME_ITEMS) * chance.standard_normal(items)
        right = ndtr(np.sqrt(SAME_ITEMS) * hard + own) > error
        found.append(Training(size, np.stack([right, np.ones(items)], axis=1).astype(np.float64)))
    return found


_ACCURACY = Scale(value=lambda sums: sums[..., 0] / sums[..., 1], higher_is_better=True, share=True)

if __name__ == "__main__":
    main()
