"""Simulates how often 95 % intervals hold the truth, and how often equal arms are declared different.

Run: `python -m benchmarks.interval_coverage --simulations 1000`. Out: the tables of `docs/statistics.md` in Markdown.

Items of three classes are drawn (balanced, or 70 : 20 : 10), and every arm answers each rightly with a given probability, else
with one of the wrong labels. The true macro-F1 comes from 400,000 items. `used` is what the product does; the other methods are
the alternatives that were considered.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from sonmat.core.protocols import Judged, Metric
from sonmat.plugins import find
from sonmat.statistics import (
    Discordance,
    Interval,
    Sample,
    difference_interval,
    exact_mcnemar,
    holm,
    measure,
    paired_samples,
    swap_test,
    value_interval,
)

SIZES = (20, 50, 200)
PRIORS = {"balanced": (1 / 3, 1 / 3, 1 / 3), "70:20:10": (0.7, 0.2, 0.1)}
QUALITIES = ((0.7, 0.7), (0.9, 0.9), (0.97, 0.97), (0.9, 0.7))
METRICS: tuple[Metric, ...] = (find("metrics", "accuracy"), find("metrics", "macro_f1"))
RESAMPLES = 2_000
LABELS = ("a", "b", "c")


@dataclass(frozen=True)
class World:
    """Where simulated items come from."""

    prior: tuple[float, ...]
    qualities: tuple[float, ...]

    def draw(self, items: int, generator: np.random.Generator) -> list[list[Judged]]:
        """The same items as answered by every arm."""
        targets = generator.choice(len(LABELS), items, p=self.prior)
        answers = []
        for quality in self.qualities:
            wrong = (targets + generator.integers(1, len(LABELS), items)) % len(LABELS)
            answers.append(np.where(generator.random(items) < quality, targets, wrong))
        return [_judged(targets, given) for given in answers]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=1000)
    simulations: int = parser.parse_args().simulations
    print("| interval of | metric | items | " + " | ".join(("used", "percentile", "normal")) + " |")
    print("|---|---|---|---|---|---|")
    for (kind, metric, items), found in coverage(simulations).items():
        cells = [f"{100 * np.mean(shares):.1f} (worst {100 * min(shares):.1f})" for shares in found.values()]
        print(f"| {kind} | {metric} | {items} | {' | '.join(cells)} |")
    print("\n| arms | metric | items | declared different |\n|---|---|---|---|")
    for (arms, metric, items), shares in false_winners(simulations).items():
        print(f"| {arms} | {metric} | {items} | {100 * np.mean(shares):.1f} % (worst {100 * max(shares):.1f} %) |")


def coverage(simulations: int) -> dict[tuple[str, str, int], dict[str, list[float]]]:
    """By kind, metric and items: for each method its coverage in every world."""
    found: dict[tuple[str, str, int], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for world in _worlds():
        truths = _truths(world)
        for items in SIZES:
            held: dict[tuple[str, str, int], dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
            generator = np.random.default_rng(items)
            for _ in range(simulations):
                arms = world.draw(items, generator)
                for metric in METRICS:
                    a, b = _samples(metric, arms, int(generator.integers(2**31)))
                    truth_a, truth_b = truths[metric.name]
                    for method, interval in _of_one(metric, a).items():
                        held["one arm", metric.name, items][method].append(_holds(interval, truth_a))
                    for method, interval in _of_difference(metric, a, b).items():
                        held["difference", metric.name, items][method].append(_holds(interval, truth_a - truth_b))
            for key, methods in held.items():
                for method, hits in methods.items():
                    found[key][method].append(float(np.mean(hits)))
    return dict(sorted(found.items(), key=lambda entry: (entry[0][0] != "one arm", entry[0][1], entry[0][2])))


def false_winners(simulations: int) -> dict[tuple[int, str, int], list[float]]:
    """By arms, metric and items: in every world of equally good arms, how often any was named a winner."""
    found: dict[tuple[int, str, int], list[float]] = defaultdict(list)
    for arms in (2, 4):
        for prior in PRIORS.values():
            for quality in (0.7, 0.9):
                world = World(prior, (quality,) * arms)
                for metric in METRICS:
                    for items in SIZES:
                        generator = np.random.default_rng(items)
                        named = [_names_a_winner(metric, world.draw(items, generator), seed) for seed in range(simulations)]
                        found[arms, metric.name, items].append(float(np.mean(named)))
    return found


def _worlds() -> Iterator[World]:
    for prior in PRIORS.values():
        for qualities in QUALITIES:
            yield World(prior, qualities)


def _truths(world: World) -> dict[str, list[float]]:
    arms = world.draw(400_000, np.random.default_rng(0))
    return {metric.name: [measure(metric.value, metric.statistics(arm)) for arm in arms] for metric in METRICS}


def _samples(metric: Metric, arms: list[list[Judged]], seed: int) -> list[Sample]:
    statistics = {str(number): metric.statistics(arm) for number, arm in enumerate(arms)}
    return list(paired_samples(metric.value, statistics, seed, resamples=RESAMPLES).values())


def _of_one(metric: Metric, sample: Sample) -> dict[str, Interval]:
    used = value_interval(sample, share=metric.percent, right_or_wrong=metric.right_or_wrong)
    return {"used": used, **_alternatives(sample.value, sample.resampled)}


def _of_difference(metric: Metric, a: Sample, b: Sample) -> dict[str, Interval]:
    used = difference_interval(a, b, share=metric.percent, right_or_wrong=metric.right_or_wrong)
    return {"used": used, **_alternatives(a.value - b.value, a.resampled - b.resampled)}


def _alternatives(value: float, resampled: NDArray[np.float64]) -> dict[str, Interval]:
    low, high = np.quantile(resampled, (0.025, 0.975))
    half = 1.96 * float(resampled.std())
    return {"percentile": Interval(float(low), float(high)), "normal": Interval(value - half, value + half)}


def _holds(interval: Interval, truth: float) -> bool:
    return interval.low - 1e-9 <= truth <= interval.high + 1e-9


def _names_a_winner(metric: Metric, arms: list[list[Judged]], seed: int) -> bool:
    """The judge's rule: Holm over all pairs, and the interval at Holm's level on one side of zero."""
    statistics = [metric.statistics(arm) for arm in arms]
    samples = _samples(metric, arms, seed)
    pairs = list(combinations(range(len(arms)), 2))
    p_values = []
    for a, b in pairs:
        if metric.right_or_wrong:
            ahead = samples[a].outcomes - samples[b].outcomes
            p_values.append(exact_mcnemar(Discordance(int((ahead > 0).sum()), int((ahead < 0).sum()))))
        else:
            p_values.append(swap_test(metric.value, statistics[a], statistics[b], seed=seed, resamples=RESAMPLES))
    for (a, b), step in zip(pairs, holm(p_values), strict=True):
        interval = difference_interval(
            samples[a], samples[b], share=metric.percent, right_or_wrong=metric.right_or_wrong, level=step.level
        )
        if step.adjusted_p_value <= 0.05 and not interval.holds(0.0):
            return True
    return False


def _judged(targets: NDArray[np.intp], answers: NDArray[np.intp]) -> list[Judged]:
    return [
        Judged(input={}, target={"label": LABELS[target]}, output={"label": LABELS[answer]})
        for target, answer in zip(targets.tolist(), answers.tolist(), strict=True)
    ]


if __name__ == "__main__":
    main()
