"""How small a difference a test set of this size can tell from noise: at 5 % error and 80 % power.

In: items, and how often arms disagree or the standard error of their difference. Out: a difference in the metric's unit.
"""

from __future__ import annotations

import math
from typing import Final

from scipy.optimize import brentq
from scipy.special import ndtri

_ERROR: Final = float(ndtri(0.975))
_POWER: Final = float(ndtri(0.80))


def smallest_detectable_share_difference(discordant: float, items: int) -> float:
    """Smallest difference of two shares of right answers on the same items that McNemar's test finds with 80 % power.

    Solves n = ((z₀.₉₇₅ · sqrt(ψ) + z₀.₈₀ · sqrt(ψ − δ²)) / δ)² for δ (Miettinen 1968, Biometrics 24:339; Connett, Smith and
    McHugh 1987, Statistics in Medicine 6:239), ψ being the share of items on which exactly one arm is right. A difference
    cannot be larger than ψ, so ψ is taken as δ where δ is larger. 1 where `items` can tell nothing.

    Args:
        discordant: items on which exactly one arm is right. One is added, and two to the items, as Bonett and Price do, so
            that arms which happen to agree do not promise that any difference would be seen.
    """
    observed = (discordant + 1) / (items + 2)

    def surplus(difference: float) -> float:
        share = max(observed, difference)
        return math.sqrt(items) * difference - _ERROR * math.sqrt(share) - _POWER * math.sqrt(share - difference**2)

    return float(brentq(surplus, 0.0, 1.0)) if surplus(1.0) > 0 else 1.0


def smallest_detectable_difference(standard_error: float) -> float:
    """(z₀.₉₇₅ + z₀.₈₀) · standard error of the difference ≈ 2.8 · SE (Bloom 1995, Evaluation Review 19:547)."""
    return (_ERROR + _POWER) * standard_error


def items_needed(items: int, half_width: float, difference: float) -> int:
    """How many items would tell a real `difference` with 80 % power, if with `items` its interval is ± `half_width`.

    The half-width is as many standard errors as the interval's level asks; the power asks for 0.84 / 1.96 as much again, and
    both shrink with the root of the number of items.
    """
    return math.ceil(items * (half_width * (1 + _POWER / _ERROR) / difference) ** 2)
