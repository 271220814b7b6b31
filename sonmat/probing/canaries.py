"""Whether a model knows its training rows better than rows that it never saw: exposure, and who can tell members from others.

In: training and other rows. Out: questions for likelihoods, and two figures from them.

- Exposure (Carlini et al. 2019, "The secret sharer", section 4): among a target and `VARIANTS` changed copies of it, log2 of their
  number less log2 of the target's rank by likelihood. Copies have other digits where there are digits, else two words exchanged;
  real sentences beat such copies anyhow, so what counts is training rows less other rows.
- Membership (the calibrated attack of Carlini et al. 2022, "Membership inference attacks from first principles", with the untuned
  base as the one reference model): the chance that a training row gained more likelihood by tuning than a row that it never saw.

Rows are drawn by the seed. Some dozen rows show gross memorising only; a figure near chance is no proof of privacy.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sonmat.core.protocols import Question
from sonmat.core.values import Example, Json
from sonmat.probing.answers import written
from sonmat.reading.sameness import evened

ROWS: Final = 40
"""Of the training part and of the others each, for membership."""
CHANGED_ROWS: Final = 12
"""Of them, with changed copies."""
VARIANTS: Final = 7
_FEWEST_ROWS: Final = 8
_LONGEST: Final = 240
"""Letters of a target that are asked for: memory shows in its beginning, and likelihoods take time."""
_SHORTEST: Final = 12
_DIGITS: Final = re.compile(r"\d")
_WORD: Final = re.compile(r"\S+")


@dataclass(frozen=True)
class Canaries:
    members: tuple[Example, ...]
    """Rows that the arm was trained on."""
    others: tuple[Example, ...]
    """Rows of the test set, which it was not."""


def draw_canaries(train: Sequence[Example], test: Sequence[Example], seed: int) -> Canaries | None:
    """Rows of both parts with targets long enough; None where there are too few, as in a cross-validation.

    A target that stands in both parts tells nothing and is left out.
    """
    learnt = {evened(written(example.target)) for example in train}
    ids = {example.id for example in train}
    tested = {evened(written(example.target)) for example in test}
    members = _drawn([example for example in train if evened(written(example.target)) not in tested], seed)
    others = _drawn(
        [example for example in test if example.id not in ids and evened(written(example.target)) not in learnt], seed
    )
    return Canaries(members, others) if min(len(members), len(others)) >= _FEWEST_ROWS else None


def canary_questions(canaries: Canaries, seed: int) -> Iterator[Question]:
    """Every row's own target, and the changed copies of the first ones."""
    for part, rows in (("member", canaries.members), ("other", canaries.others)):
        for number, example in enumerate(rows):
            target = _beginning(example)
            copies = variants(target, f"{seed}/{example.id}") if number < CHANGED_ROWS else []
            for variant, text in enumerate([target, *copies]):
                yield Question(f"{part}/{example.id}/{variant}", example.input, reference={"text": text}, write=False)


def exposures(rows: Sequence[Json], part: str) -> dict[str, float]:
    """Exposure in bits of every row of `part` with changed copies: 0 for the least likely, 3 for the likeliest of eight."""
    found: dict[str, float] = {}
    for row, nats in _likelihoods(rows, part).items():
        own, copies = nats.get(0), [value for variant, value in nats.items() if variant]
        if own is None or len(copies) < VARIANTS:
            continue
        rank = 1 + sum(value < own for value in copies) + 0.5 * sum(value == own for value in copies)
        found[row] = math.log2(len(copies) + 1) - math.log2(rank)
    return found


@dataclass(frozen=True)
class Membership:
    """How well training rows can be told from others."""

    share: float
    """Of pairs of a training row and another in which the training row gained more; 0.5 is chance."""
    low: float
    high: float
    rows: int


def membership(own: Sequence[Json], base: Sequence[Json]) -> Membership | None:
    """The area under the ROC curve of the gain in likelihood, with the interval of Hanley and McNeil (1982, Radiology 143:29)."""
    members, others = _gains(own, base, "member"), _gains(own, base, "other")
    if min(len(members), len(others)) < _FEWEST_ROWS:
        return None
    ahead = np.sign(np.subtract.outer(np.array(members), np.array(others)))
    area = float((ahead.mean() + 1) / 2)
    # One pair added to both sides, so that a perfect separation of few rows has an interval, too.
    even = (area * len(members) * len(others) + 1) / (len(members) * len(others) + 2)
    q1, q2 = even / (2 - even), 2 * even**2 / (1 + even)
    variance = (even * (1 - even) + (len(members) - 1) * (q1 - even**2) + (len(others) - 1) * (q2 - even**2)) / (
        len(members) * len(others)
    )
    half = 1.96 * math.sqrt(variance)
    return Membership(area, max(0.0, min(area, even - half)), min(1.0, max(area, even + half)), len(members) + len(others))


def variants(target: str, seed: str) -> list[str]:
    """`VARIANTS` different copies of `target`, each a little changed; [] where it has neither digits nor words to exchange."""
    chance = random.Random(seed)
    digits = len(_DIGITS.findall(target)) >= 2
    found: list[str] = []
    for _ in range(20 * VARIANTS):
        changed = _other_digits(target, chance) if digits else _words_exchanged(target, chance)
        if changed != target and changed not in found:
            found.append(changed)
        if len(found) == VARIANTS:
            return found
    return []


def _other_digits(target: str, chance: random.Random) -> str:
    return _DIGITS.sub(lambda digit: str(chance.randrange(10)), target)


def _words_exchanged(target: str, chance: random.Random) -> str:
    words = list(_WORD.finditer(target))
    if len(words) < 4:
        return target
    a, b = sorted(chance.sample(words, 2), key=lambda word: word.start())
    return target[: a.start()] + b.group() + target[a.end() : b.start()] + a.group() + target[b.end() :]


def _drawn(examples: Sequence[Example], seed: int) -> tuple[Example, ...]:
    """Rows with changed copies first."""
    usable = [example for example in examples if len(_beginning(example)) >= _SHORTEST]
    chosen = random.Random(seed).sample(usable, min(ROWS, len(usable)))
    return tuple(sorted(chosen, key=lambda example: not variants(_beginning(example), f"{seed}/{example.id}")))


def _beginning(example: Example) -> str:
    target = written(example.target)
    return target if len(target) <= _LONGEST else target[:_LONGEST].rsplit(maxsplit=1)[0]


def _gains(own: Sequence[Json], base: Sequence[Json], part: str) -> list[float]:
    """Nats that the base needs for a row's target less those of the arm."""
    mine, before = _likelihoods(own, part), _likelihoods(base, part)
    return [before[row][0] - nats[0] for row, nats in mine.items() if 0 in nats and 0 in before.get(row, {})]


def _likelihoods(rows: Sequence[Json], part: str) -> Mapping[str, dict[int, float]]:
    """By row and variant; those that the arm could not say are left out."""
    found: dict[str, dict[int, float]] = {}
    for row in rows:
        of_part, rest = str(row["row"]).split("/", 1)
        id, variant = rest.rsplit("/", 1)
        if of_part == part and row.get("nats") is not None:
            found.setdefault(id, {})[int(variant)] = row["nats"]
    return found
