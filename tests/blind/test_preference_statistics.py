"""Figures about votes, against SciPy's and by simulation of every outcome."""

from __future__ import annotations

import itertools

import pytest
from scipy.stats import binom, binomtest

from sonmat.statistics import Discordance, exact_mcnemar
from sonmat.statistics.preference import (
    clopper_pearson_interval,
    smallest_detectable_preference,
    votes_needed,
    votes_that_decide,
)

COUNTS = [(won, lost) for won, lost in itertools.product((0, 1, 5, 17, 40), repeat=2) if won + lost]


@pytest.mark.parametrize(("won", "lost"), COUNTS)
def test_p_value_and_interval_are_those_of_scipy_and_agree_with_one_another(won: int, lost: int) -> None:
    oracle = binomtest(won, won + lost, 0.5)
    ends = oracle.proportion_ci(0.95, method="exact")
    interval = clopper_pearson_interval(won, won + lost)
    p_value = exact_mcnemar(Discordance(won, lost))
    assert p_value == pytest.approx(oracle.pvalue, abs=1e-12)
    assert (interval.low, interval.high) == pytest.approx((ends.low, ends.high), abs=1e-12)
    assert interval.holds(0.5) == (p_value > 0.05)


@pytest.mark.parametrize("votes", [6, 7, 20, 41, 100])
def test_the_smallest_detectable_preference_is_found_in_80_per_cent_of_cases(votes: int) -> None:
    share = smallest_detectable_preference(votes)
    assert share is not None
    found = sum(binom.pmf(won, votes, share) for won in range(votes + 1) if binomtest(won, votes).pvalue <= 0.05)
    # The wrong side wins hardly ever, and counts in the sum.
    assert found == pytest.approx(0.8, abs=2e-3)


def test_five_votes_can_show_nothing() -> None:
    assert votes_that_decide(0) is None
    assert votes_that_decide(5) is None
    assert smallest_detectable_preference(5) is None
    assert votes_that_decide(6) == 6


def test_as_many_votes_decide_as_make_a_p_value_of_5_per_cent() -> None:
    for votes in range(1, 90):
        deciding = votes_that_decide(votes)
        enough = [won for won in range(votes + 1) if won > votes / 2 and 2 * binom.cdf(votes - won, votes, 0.5) <= 0.05]
        assert deciding == (min(enough) if enough else None)


@pytest.mark.parametrize("share", [0.95, 0.8, 0.65, 0.4])
def test_from_the_votes_needed_on_the_power_stays_above_80_per_cent(share: float) -> None:
    needed = votes_needed(share)
    assert needed is not None

    def power(votes: int) -> float:
        deciding = votes_that_decide(votes)
        return float(binom.sf((deciding or votes + 1) - 1, votes, max(share, 1 - share)))

    assert power(needed - 1) < 0.8
    assert all(power(votes) >= 0.8 for votes in range(needed, needed + 60))


def test_no_number_of_votes_shows_that_there_is_no_preference() -> None:
    assert votes_needed(0.5) is None
    assert votes_needed(0.5005) is None
