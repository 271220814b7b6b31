"""How to make a label of probabilities where errors have costs, and how to scale confidences, by simulation.

`python -m benchmarks.cost_decisions` prints the tables of docs/costs-and-decisions.md, in two minutes on one core. Made models of two
classes whose true log-odds are known: calibrated, too sure, and shifted. For every number of validation rows: the mean cost on
fresh rows of each way to choose (a miss costs 20, a false alarm 1), the negative log-likelihood after temperatures with weak and
strong priors, and the coverage of the intervals of mean costs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sonmat.statistics import costs as cost_room
from sonmat.statistics import temperature as temperature_room
from sonmat.statistics.costs import choose_threshold, cost_interval
from sonmat.statistics.temperature import best_temperature, mean_nll, scaled

Floats = NDArray[np.float64]
MISS = 20.0
USUAL = 1 / (1 + MISS)
MODELS = {
    "calibrated": (0.0, 1.0),
    "shifted by +1.5": (1.5, 1.0),
    "shifted by −1.5": (-1.5, 1.0),
    "2.5 times too sure": (0.0, 2.5),
}
SIZES = (40, 100, 300, 1000)


def main() -> None:
    print("Mean cost on fresh rows, a tenth of them dear to miss")
    print(
        "| model | validation rows | most probable label | theory, raw | theory, scaled | cheapest threshold | 1 SE | 2 SE (used) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, (shift, sure) in MODELS.items():
        for rows in SIZES:
            found = np.mean([_one_choice(seed, rows, shift, sure) for seed in range(150)], axis=0)
            print(f"| {name} | {rows} | " + " | ".join(f"{each:.2f}" for each in found) + " |")
    print("\nNegative log-likelihood on fresh rows after scaling, by the standard deviation of the prior of log T")
    print("| too sure by | validation rows | not scaled | 0.25 | 0.5 (used) | 1 | none |")
    print("|---|---|---|---|---|---|---|")
    for sure in (0.5, 1.0, 2.5):
        for rows in (20, 40, 100, 300):
            found = np.mean([_one_scaling(seed, rows, sure) for seed in range(150)], axis=0)
            print(f"| {sure:g} | {rows} | " + " | ".join(f"{each:.3f}" for each in found) + " |")
    print("\nCoverage of 95 % intervals of the mean cost, 120 items, a tenth of them dear to miss")
    print("| false alarms | misses | plain t interval | these |")
    print("|---|---|---|---|")
    for cheap, dear in ((0.1, 0.05), (0.05, 0.2), (0.2, 0.4), (0.3, 0.02)):
        plain, own = _coverage(cheap, dear)
        print(f"| {cheap:.0%} | {dear:.0%} | {plain:.1%} | {own:.1%} |")


def _made(rows: int, generator: np.random.Generator, shift: float, sure: float) -> tuple[Floats, NDArray[np.intp]]:
    """Log-probabilities of (other, dear) and the true column."""
    dear = generator.random(rows) < 0.1
    seen = generator.normal(np.where(dear, 1.25, -1.25), 1.0)
    odds = sure * (np.log(0.1 / 0.9) + 2.5 * seen + shift)
    return scaled(np.stack([np.zeros(rows), odds], axis=1), 1.0), dear.astype(np.intp)


def _one_choice(seed: int, rows: int, shift: float, sure: float) -> list[float]:
    generator = np.random.default_rng(seed)
    shares, dear = _made(rows, generator, shift, sure)
    fresh, fresh_dear = _made(4_000, generator, shift, sure)
    temperature = best_temperature(shares, dear)
    raw, now = np.exp(fresh)[:, 1], np.exp(scaled(fresh, temperature))[:, 1]
    given = np.exp(scaled(shares, temperature))[:, 1]
    paid = [_cost(raw, fresh_dear, 0.5), _cost(raw, fresh_dear, USUAL), _cost(now, fresh_dear, USUAL)]
    for errors in (0.0, 1.0, 2.0):
        chosen = _with(
            cost_room, "STANDARD_ERRORS", errors,
            lambda: choose_threshold(given, np.where(dear, 0.0, 1.0), np.where(dear, MISS, 0.0), USUAL).share,
        )  # fmt: skip
        paid.append(_cost(now, fresh_dear, chosen))
    return paid


def _cost(share: Floats, dear: NDArray[np.intp], threshold: float) -> float:
    return float(np.where(share >= threshold, 1 - dear, MISS * dear).mean())


def _one_scaling(seed: int, rows: int, sure: float) -> list[float]:
    generator = np.random.default_rng(seed)
    given, fresh = _made(rows, generator, 0.0, sure), _made(4_000, generator, 0.0, sure)
    found = [mean_nll(*fresh)]
    for prior in (0.25, 0.5, 1.0, 1e3):
        found.append(mean_nll(*fresh, _with(temperature_room, "PRIOR", prior, lambda: best_temperature(*given))))
    return found


def _coverage(cheap: float, dear: float) -> tuple[float, float]:
    generator, truth = np.random.default_rng(0), 0.9 * cheap + 0.1 * MISS * dear
    plain, own = [], []
    for _ in range(4_000):
        worst = np.where(generator.random(120) < 0.1, MISS, 1.0)
        costs = np.where(generator.random(120) < np.where(worst > 1, dear, cheap), worst, 0.0)
        plain.append(abs(costs.mean() - truth) <= 1.98 * costs.std(ddof=1) / np.sqrt(120))
        own.append(cost_interval(costs, worst, 120).holds(truth))
    return float(np.mean(plain)), float(np.mean(own))


def _with(room: object, name: str, value: float, compute: Callable[[], float]) -> float:
    """What `compute` gives with another constant in `room`."""
    before = getattr(room, name)
    setattr(room, name, value)
    try:
        return compute()
    finally:
        setattr(room, name, before)


if __name__ == "__main__":
    main()
