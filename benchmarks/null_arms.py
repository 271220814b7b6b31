"""How often two identical arms are declared equal: whole proofs by the real `judge` over arms that differ by chance alone.

    python -m benchmarks.null_arms --simulations 200

An arm answers an item rightly with a chance that belongs to the item, the same for both arms (some items are easy and some hard, as in
life), so the arms are equally good and no lead is real. Declared equal: the headline metric names no winner, and the verdict does not
say to fine-tune. Each metric is a family of its own with 5 % error, so a winner in any of two is named more often; that is told
besides. And arms that truly differ by the margin are called equivalent: how often, for it must be rare (5 %).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sonmat.core.proof import Prediction, Proof
from sonmat.core.text import verbatim
from sonmat.core.values import Candidate, Estimate, Example, Source
from sonmat.plugins import find
from sonmat.statistics.resampling import Floats
from sonmat.steps.prove.judge import MARGIN, Evidence, judge

LABELS = ("a", "b", "c")
METRICS = ("accuracy", "macro_f1")


@dataclass(frozen=True)
class Null:
    """Of simulated proofs of two identical arms."""

    simulations: int
    declared_equal: int
    """No winner in the headline metric, and no call to fine-tune."""
    without_winner: int
    """No winner in any of the metrics."""
    tuned_chosen: int
    equivalent: int
    """Shown to be as good within the margin."""

    @property
    def share_equal(self) -> float:
        return self.declared_equal / self.simulations


def simulated_null(items: int, quality: float, simulations: int, seed: int, metrics: Sequence[str] = METRICS) -> Null:
    """`simulations` proofs of a base and a tuned arm of the same quality."""
    generator = np.random.default_rng(seed)
    equal = without = chosen = equivalent = 0
    for _ in range(simulations):
        proof = _proof(items, quality, quality, generator, metrics)
        winners = {each.metric for each in proof.comparisons if each.better != "neither"}
        equal += proof.headline not in winners and not proof.verdict.fine_tune
        without += not winners
        chosen += proof.verdict.use == "tuned"
        equivalent += proof.comparisons[0].equivalent
    return Null(simulations, equal, without, chosen, equivalent)


def simulated_margin(items: int, quality: float, simulations: int, seed: int) -> int:
    """In how many of the proofs arms that truly differ by exactly the margin are called equivalent."""
    generator = np.random.default_rng(seed)
    proofs = (_proof(items, quality, quality - MARGIN, generator, METRICS[:1]) for _ in range(simulations))
    return sum(proof.comparisons[0].equivalent for proof in proofs)


def _proof(items: int, quality: float, other: float, generator: np.random.Generator, metrics: Sequence[str]) -> Proof:
    targets = [LABELS[place] for place in generator.integers(len(LABELS), size=items)]
    # Beta(8q, 8(1 − q)): mean q, and items of very different difficulty.
    chances = generator.beta(8 * quality, 8 * (1 - quality), size=items)
    examples = [
        Example(id=f"row-{place}", input={}, target={"label": target}, source=Source(file="made", row=place + 1))
        for place, target in enumerate(targets)
    ]
    evidence = [
        _evidence("base", targets, chances, generator),
        _evidence("tuned", targets, chances * other / quality, generator),
    ]
    return judge(evidence, examples, [find("metrics", name) for name in metrics], labels=LABELS, seed=0, seal="made")


def _evidence(role: str, targets: Sequence[str], chances: Floats, generator: np.random.Generator) -> Evidence:
    right = generator.random(len(targets)) < chances
    shifts = generator.integers(1, len(LABELS), size=len(targets))
    answers = [
        target if hit else LABELS[(LABELS.index(target) + shift) % len(LABELS)]
        for target, hit, shift in zip(targets, right, shifts, strict=True)
    ]
    candidate = Candidate.model_validate(
        {
            "id": role, "method": role, "role": role, "reason": verbatim("made"),
            "estimate": Estimate(peak_bytes=1, seconds=1, basis=verbatim("made")),
        }
    )  # fmt: skip
    rows = [Prediction(row=f"row-{place}", output={"label": answer}, seconds=0.0) for place, answer in enumerate(answers)]
    return Evidence(candidate, rows, seconds_per_answer=0.01, peak_bytes=1, fit_seconds=0.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=200)
    wanted = parser.parse_args().simulations
    print(
        "| items | quality | declared equal | no winner in two metrics | tuned chosen | equivalent | equivalent at the margin |"
    )
    print("|---|---|---|---|---|---|---|")
    for items, quality in ((30, 0.7), (100, 0.7), (100, 0.9), (400, 0.8), (1500, 0.9)):
        null = simulated_null(items, quality, wanted, seed=items)
        at_margin = simulated_margin(items, quality, wanted, seed=items + 1)
        shares = (null.declared_equal, null.without_winner, null.tuned_chosen, null.equivalent, at_margin)
        print(
            f"| {items} | {quality:.0%} | " + " | ".join(f"{100 * each / wanted:.1f} %" for each in shares) + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
