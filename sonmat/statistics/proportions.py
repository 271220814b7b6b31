"""Intervals of shares of right answers: of one arm, and of the difference of two arms on the same items.

In: counts. Out: `Interval`. Both have a width even when every answer is right, where resampling would give none.
`docs/statistics.md` shows their simulated coverage. Items must be independent; for groups of items see `intervals`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import ndtri


@dataclass(frozen=True)
class Interval:
    """Both end points, in the unit of what was measured."""

    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high

    def including(self, value: float) -> Interval:
        """The smallest interval that holds this one and `value`."""
        return Interval(min(self.low, value), max(self.high, value))


def wilson_interval(right: float, items: int, level: float = 0.95) -> Interval:
    """The score interval of a share (Wilson 1927, JASA 22:209; Brown, Cai, DasGupta 2001, Statistical Science 16:101).

    Args:
        right: right answers, 0 to `items`; need not be whole, so that it can bound a mean of shares.
    """
    share = right / items
    z = normal_quantile(level)
    shrink = 1 + z * z / items
    centre = (share + z * z / (2 * items)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / items + (z / (2 * items)) ** 2)
    return Interval(max(0.0, centre - half), min(1.0, centre + half)).including(share)


def paired_share_interval(a_only: float, b_only: float, items: int, level: float = 0.95) -> Interval:
    """The interval of the difference of two shares on the same items, a − b.

    Adjusted Wald interval of Bonett and Price (2012, J. Educational and Behavioral Statistics 37:479), recommended by
    Fagerland, Lydersen and Laake (2014, Statistics in Medicine 33:2850): with p = (a_only + 1) / (items + 2) and
    q = (b_only + 1) / (items + 2), p − q ± z · sqrt((p + q − (p − q)²) / (items + 2)).

    Args:
        a_only: items that only arm a answered rightly.
        b_only: items that only arm b answered rightly.
    """
    p, q = (a_only + 1) / (items + 2), (b_only + 1) / (items + 2)
    half = normal_quantile(level) * math.sqrt((p + q - (p - q) ** 2) / (items + 2))
    return Interval(max(-1.0, p - q - half), min(1.0, p - q + half)).including((a_only - b_only) / items)


def normal_quantile(level: float) -> float:
    """How many standard errors an interval of this level reaches to either side: 1.96 for 0.95."""
    return float(ndtri(0.5 + level / 2))
