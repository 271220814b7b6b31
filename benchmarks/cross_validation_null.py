"""How often cross-validation names a winner between two equally good methods: `python -m benchmarks.cross_validation_null`.

Two classes; each of two arms sees five features of its own, drawn alike, and learns by least squares. Neither method is better,
but on any one data set one of them is luckier in all folds at once, because training rows overlap. That luck is what tests
for independent rows take for a winner. Printed are the shares of simulated data sets with a winner, and how often the interval
of one arm holds its expected accuracy, with the correction of Nadeau and Bengio and without.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from sonmat import plugins
from sonmat.core.protocols import Judged
from sonmat.statistics.cross_validation import Turns
from sonmat.steps.prove.judge import _Trial

FEATURES = 5
SIGNAL = 0.4
"""Distance of the two classes in each feature, in standard deviations: about 67 % right with endless training rows."""
SIZES = (40, 80, 150, 190)


class Plain(Turns):
    """Turns that are taken for independent."""

    @property
    def spread(self) -> float:
        return 1.0


def main(simulations: int, seed: int) -> None:
    print(
        "| rows | repetitions | metric | declared different: corrected | uncorrected | interval holds: corrected | uncorrected |"
    )
    print("|---|---|---|---|---|---|---|")
    for rows in SIZES:
        repeats = 2 if rows < 100 else 1
        expected = _expected_accuracy(round(rows * 0.8), np.random.default_rng(seed))
        wins, held = simulated(rows, repeats, simulations, expected, seed)
        for name in ("accuracy", "macro_f1"):
            shares = [wins[name, kind] / simulations for kind in (Turns, Plain)]
            kept = [held[name, kind] / (2 * simulations) for kind in (Turns, Plain)]
            cells = [f"{100 * share:.1f} %" for share in (*shares, *kept)]
            print(
                f"| {rows} | {repeats} | {name} | {' | '.join(cells if name == 'accuracy' else [*cells[:2], '', ''])} |",
                flush=True,
            )


def simulated(
    rows: int,
    repeats: int,
    simulations: int,
    expected: float,
    seed: int,
    metrics: Sequence[str] = ("accuracy", "macro_f1"),
) -> tuple[Counter[tuple[str, type[Turns]]], Counter[tuple[str, type[Turns]]]]:
    """Data sets with a winner, and intervals of one arm that hold `expected`, by metric and correction."""
    wins: Counter[tuple[str, type[Turns]]] = Counter()
    held: Counter[tuple[str, type[Turns]]] = Counter()
    measured = [plugins.find("metrics", name) for name in metrics]
    for simulation in range(simulations):
        generator = np.random.default_rng([seed, rows, simulation])
        labels, features = _world(rows, generator)
        judged = {
            arm: [
                _out_of_fold(labels, features[arm], generator_of_folds)
                for generator_of_folds in _fold_orders(rows, repeats, generator)
            ]
            for arm in ("a", "b")
        }
        for metric, kind in product(measured, (Turns, Plain)):
            trial = _Trial(metric, judged, None, seed, kind(5, repeats))
            (comparison,) = trial.comparisons([("a", "b")])
            wins[metric.name, kind] += comparison.better != "neither"
            for arm in ("a", "b"):
                score = trial.score(arm)
                held[metric.name, kind] += score.low <= expected <= score.high
    return wins, held


def _fold_orders(rows: int, repeats: int, generator: np.random.Generator) -> list[NDArray[np.int64]]:
    return [generator.permutation(np.arange(rows) % 5) for _ in range(repeats)]


def _world(rows: int, generator: np.random.Generator) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    labels = np.arange(rows) % 2
    shift = (labels - 0.5)[:, None] * SIGNAL
    return labels, {arm: generator.normal(size=(rows, FEATURES)) + shift for arm in ("a", "b")}


def _out_of_fold(labels: NDArray[np.int64], features: NDArray[np.float64], fold_of: NDArray[np.int64]) -> Sequence[Judged]:
    answers = np.empty(len(labels), dtype=np.int64)
    for fold in range(5):
        tested = fold_of == fold
        answers[tested] = _learnt(labels[~tested], features[~tested], features[tested])
    return [
        Judged(input={}, target={"label": "np"[label]}, output={"label": "np"[answer]})
        for label, answer in zip(labels.tolist(), answers.tolist(), strict=True)
    ]


def _learnt(labels: NDArray[np.int64], features: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.int64]:
    """Answers of a least-squares classifier."""
    design = np.column_stack([features, np.ones(len(features))])
    weights, *_ = np.linalg.lstsq(design, labels - 0.5, rcond=None)
    return (np.column_stack([asked, np.ones(len(asked))]) @ weights > 0).astype(np.int64)


def _expected_accuracy(rows: int, generator: np.random.Generator) -> float:
    """Mean over 2,000 training sets of this size, each tested on 1,000 rows."""
    right = []
    for _ in range(2000):
        labels, features = _world(rows, generator)
        asked_labels, asked = _world(1000, generator)
        right.append(float((_learnt(labels, features["a"], asked["a"]) == asked_labels).mean()))
    return float(np.mean(right))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.simulations, given.seed)
