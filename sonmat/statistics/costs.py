"""Costs of errors: the answer of least expected cost, a threshold chosen on validation rows, and intervals of mean costs.

In: probabilities and costs, as arrays. Out: answers, a threshold, `Interval`s. It knows no labels' names and no arms.

The threshold of least cost on a few hundred rows is mostly noise where errors are rare and dear: the plain minimum is worse than the
threshold of theory unless the probabilities are off by a shift that a temperature cannot mend. So the threshold of theory stays unless
another one is cheaper by more than `STANDARD_ERRORS` of the paired difference (the rule of Breiman, Friedman, Olshen and Stone 1984,
section 3.4.3, with two errors for one); docs/costs-and-decisions.md has the simulation.

A mean of costs is no mean that a bootstrap can judge while the dear errors are few or none: resamples hold none of those that have not
happened yet. The intervals here put limits to the share of items at each cost and recover the limits of the sum from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.statistics.proportions import Interval, normal_quantile, wilson_interval
from sonmat.statistics.resampling import Floats

STANDARD_ERRORS: Final = 2.0
FEWEST_OF_EACH: Final = 5
"""Validation rows with and without the watched label below which the threshold of theory stays."""


@dataclass(frozen=True)
class Threshold:
    share: float
    """Answer the watched label from here on."""
    cost: float
    """Mean cost on the validation rows."""
    usual_cost: float
    """With the threshold of theory."""


def cheapest_answers(shares: Floats, costs: Floats) -> NDArray[np.intp]:
    """By row the answer of least expected cost, Σ share of true label · its cost; of equals the more probable one.

    Args:
        shares: probabilities, shape (rows, labels).
        costs: of answers (columns) by true label (rows), shape (labels, labels).
    """
    expected = shares @ costs
    least = expected.min(axis=-1, keepdims=True)
    # The sums of equal costs differ in their last digits.
    cheapest = expected <= least + 1e-9 * np.maximum(least, 1e-9)
    return np.asarray(np.where(cheapest, shares, -1.0).argmax(axis=-1), dtype=np.intp)


def choose_threshold(share: Floats, cost_if_answered: Floats, cost_if_not: Floats, usual: float) -> Threshold:
    """The threshold nearest to the `usual` one whose cost is within noise of the cheapest.

    Args:
        share: of the watched label, 0 to 1, shape (rows,).
        cost_if_answered: what each row costs where the watched label is answered, shape (rows,).
        cost_if_not: what it costs otherwise, shape (rows,).
    """
    candidates = _candidates(share, usual)
    costs = np.stack([np.where(share >= each, cost_if_answered, cost_if_not) for each in candidates])
    means = costs.mean(axis=1)
    if len(share) < 2:
        return Threshold(usual, float(means[0]), float(means[0]))
    more = costs - costs[means.argmin()]
    error = more.std(axis=1, ddof=1) / math.sqrt(len(share))
    like_the_cheapest = more.mean(axis=1) <= STANDARD_ERRORS * error + 1e-12
    distance = np.where(like_the_cheapest, np.abs(_log_odds(candidates) - _log_odds(np.array(usual))), np.inf)
    place = int(distance.argmin())
    return Threshold(float(candidates[place]), float(means[place]), float(means[0]))


def cost_interval(costs: Floats, worst: Floats, clusters: int, level: float = 0.95) -> Interval:
    """The interval of a mean cost, wide enough for dear errors that have not happened.

    The method of variance estimates recovery for a sum of weighted shares (Zou, Huang and Zhang 2009, CSDA 53:1080), class by
    class: from Wilson's limits of the share of its items at every cost, that of its worst error included; and the normal
    variance of the mix of classes.

    Args:
        costs: of every item, shape (items,).
        worst: the most that an error may cost at that item, shape (items,); items of one worst error are one class.
        clusters: independent groups of items.
    """
    mean, items = float(costs.mean()), len(costs)
    below = above = 0.0
    for most in np.unique(worst):
        own = costs[worst == most]
        weight, independent = len(own) / items, max(1, round(len(own) * clusters / items))
        mix = weight * (float(own.mean()) - mean) ** 2 / clusters * normal_quantile(level) ** 2
        below, above = below + mix, above + mix
        for cost in np.unique([*own, most]):
            share = float((own == cost).mean())
            limits = wilson_interval(share * independent, independent, level)
            below += (weight * cost * (share - limits.low)) ** 2
            above += (weight * cost * (limits.high - share)) ** 2
    return Interval(max(0.0, mean - math.sqrt(below)), min(float(worst.max()), mean + math.sqrt(above)))


def cost_difference_interval(a: Interval, b: Interval, means: tuple[float, float], alike: float) -> Interval:
    """The interval of a − b from those of both arms (Zou and Donner 2008, Statistics in Medicine 27:1693, eq. 10).

    Args:
        means: of a and b.
        alike: correlation of the two arms' costs, −1 to 1.
    """
    down = _joined(means[0] - a.low, b.high - means[1], alike)
    up = _joined(a.high - means[0], means[1] - b.low, alike)
    difference = means[0] - means[1]
    return Interval(difference - down, difference + up)


def correlation(a: Floats, b: Floats) -> float:
    """Pearson's, between items of two arms; 0 where one of them never changes, which is the cautious side."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.clip(np.corrcoef(a, b)[0, 1], -1.0, 1.0))


def _joined(one: float, other: float, alike: float) -> float:
    return math.sqrt(max(0.0, one**2 + other**2 - 2 * alike * one * other))


def _candidates(share: Floats, usual: float) -> Floats:
    """The usual threshold first, then one between any two neighbours, one below all rows and one above."""
    seen = _log_odds(np.unique(share))
    between = (seen[1:] + seen[:-1]) / 2
    ends = np.array([seen[0] - 1.0, seen[-1] + 1.0])
    return np.concatenate([[usual], 1 / (1 + np.exp(-np.concatenate([between, ends])))])


def _log_odds(share: Floats) -> Floats:
    inside = np.clip(share, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)
