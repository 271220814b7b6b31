"""Simulates how often the band of `checking.learning_curve` holds what more rows really gain.

Run: `python -m benchmarks.enough_coverage --simulations 60`. Out: the coverage table of `docs/label-errors.md` in Markdown.

Worlds are clouds of points of unlike difficulty. The true gain is that of the same simple model with so many rows and twice as
many, on 20,000 fresh rows, as a mean over several draws.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sonmat.checking.label_quality import learnt
from sonmat.checking.learning_curve import TEST_FOLDS, Band, fitted, growing_shares, measured
from sonmat.checks.enough import REPETITIONS

DIMENSIONS = 60
_NOTHING = 0.001
"""A tenth of a point: a band of 0.0 to 0.0 holds a gain of 0.02 points."""


@dataclass(frozen=True)
class World:
    classes: int
    apart: float
    seed: int

    def draw(self, rows: int, chance: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        centres = np.random.default_rng(self.seed).normal(0, self.apart, (self.classes, DIMENSIONS))
        labels = chance.integers(0, self.classes, rows)
        return (centres[labels] + chance.normal(0, 1, (rows, DIMENSIONS))).astype(np.float32), labels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=60)
    simulations: int = parser.parse_args().simulations
    print("| rows | classes | true gain of twice as many, points | estimated (mean) | mean half-width | in the band |")
    print("|---|---|---|---|---|---|")
    for rows in (200, 600, 2000):
        for classes, apart in ((3, 0.2), (3, 0.6), (10, 0.3)):
            world = World(classes, apart, seed=classes)
            size = rows * (TEST_FOLDS - 1) / TEST_FOLDS
            truth = _true_error(world, round(size)) - _true_error(world, round(2 * size))
            bands = [_band(world, rows, seed) for seed in range(simulations)]
            held = np.mean([band.low - _NOTHING <= truth <= band.high + _NOTHING for band in bands])
            estimated = 100 * np.mean([band.value for band in bands])
            half = 50 * np.mean([band.high - band.low for band in bands])
            print(f"| {rows:,} | {classes} | {100 * truth:.1f} | {estimated:.1f} | {half:.1f} | {held:.0%} |", flush=True)


def _band(world: World, rows: int, seed: int) -> Band:
    features, labels = world.draw(rows, np.random.default_rng(1000 + seed))
    shares = growing_shares(rows, world.classes)
    points = measured(features, labels, np.arange(rows, dtype=np.uint64), shares, REPETITIONS, seed, lambda: None)
    size = float(points.sizes[-1])
    return fitted(points.sizes, points.errors, seed).gain(size, 2 * size)


def _true_error(world: World, rows: int) -> float:
    errors = []
    for draw in range(max(4, 8000 // rows)):
        chance = np.random.default_rng(draw)
        features, labels = world.draw(rows, chance)
        fresh, truth = world.draw(20_000, chance)
        middle, spread = features.mean(axis=0), float(features.std())
        answers = learnt((features - middle) / spread, labels, world.classes)((fresh - middle) / spread).argmax(axis=1)
        scores = []
        for label in range(world.classes):
            hits = np.sum((answers == label) & (truth == label))
            scores.append(2 * hits / max(np.sum(answers == label) + np.sum(truth == label), 1))
        errors.append(1 - float(np.mean(scores)))
    return float(np.mean(errors))


if __name__ == "__main__":
    main()
