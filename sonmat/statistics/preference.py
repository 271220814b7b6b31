"""Which of two is preferred: an exact interval of the share of votes, and how clear a preference so many votes can show.

In: votes for the one and for the other, ties left out (Dixon and Mood 1946, JASA 41:557, "The statistical sign test"). Out: an
interval, and figures of power at 5 % error, two-sided. The test itself is `paired_tests.exact_mcnemar`, a fair coin thrown for each
vote; the interval holds 1/2 exactly where that test's p value is above 0.05. Votes must be independent.
"""

from __future__ import annotations

import math
from typing import Final

from scipy.special import bdtr, betainc, betaincinv

from sonmat.statistics.proportions import Interval

_TAIL: Final = 0.025
POWER: Final = 0.80
_MOST_VOTES: Final = 20_000
"""Beyond that a preference is called too small to show."""


def clopper_pearson_interval(successes: int, trials: int, level: float = 0.95) -> Interval:
    """The exact interval of a share (Clopper and Pearson 1934, Biometrika 26:404), by quantiles of beta distributions.

    Args:
        trials: at least 1.
    """
    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return Interval(low, high)


def votes_that_decide(votes: int) -> int | None:
    """How many of `votes` must fall to one side for a p value of at most 0.05; None where not even all of them are enough."""
    if votes < 1:
        return None
    losing = max(-1, math.floor(votes / 2 - 1.5 * math.sqrt(votes)))
    while losing < votes and bdtr(losing + 1, votes, 0.5) <= _TAIL:
        losing += 1
    return None if losing < 0 else votes - losing


def smallest_detectable_preference(votes: int) -> float | None:
    """The smallest true share above 1/2 that the sign test of `votes` votes finds with 80 % power; None below six votes.

    Exact: the chance that at least k of n votes fall to one side is the regularised incomplete beta function I_p(k, n − k + 1).
    """
    deciding = votes_that_decide(votes)
    return None if deciding is None else float(betaincinv(deciding, votes - deciding + 1, POWER))


def votes_needed(share: float) -> int | None:
    """Votes from which on a true preference of `share` is found with 80 % power; None for one too near 1/2 to be shown.

    The power of an exact test goes up and down with single votes; from this number on it stays above 80 %.
    """
    towards = max(share, 1 - share)
    # Normal approximation (Noether 1987, JASA 82:645), to know how far to look.
    distance = towards - 0.5
    if distance <= 0:
        return None
    likely = ((1.96 * 0.5 + 0.8416 * math.sqrt(towards * (1 - towards))) / distance) ** 2
    most = int(likely * 1.3) + 60
    if most > _MOST_VOTES:
        return None
    while most > 0 and _power(most, towards) >= POWER:
        most -= 1
    return most + 1


def _power(votes: int, share: float) -> float:
    deciding = votes_that_decide(votes)
    return 0.0 if deciding is None else float(betainc(deciding, votes - deciding + 1, share))
