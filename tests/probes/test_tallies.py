"""From outcomes to measures: the intervals and tests of `statistics`, Holm over the family, groups, and the rows to show."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from sonmat.core.proof import Measure
from sonmat.core.text import verbatim
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics import wilson_interval

TITLE = verbatim("made")


def outcomes(hits: int, items: int) -> dict[str, float]:
    return {f"row-{place}": float(place < hits) for place in range(items)}


def measure(*tallies: Tally) -> list[Measure]:
    return measures_of(tallies, probe="made", arm="tuned", seed=0)


def test_a_share_has_wilson_s_interval() -> None:
    (found,) = measure(Tally("a", TITLE, outcomes(3, 20)))
    interval = wilson_interval(3, 20)
    assert (found.value, found.low, found.high, found.items) == (0.15, interval.low, interval.high, 20)
    assert found.change is None


def test_changes_are_called_real_as_mcnemar_and_holm_of_statsmodels_say() -> None:
    generator = np.random.default_rng(1)
    for _ in range(20):
        tallies, p_values = [], []
        for number in range(4):
            base = generator.integers(0, 2, 40)
            own = np.where(generator.random(40) < 0.15 * number, 1, base)
            table = [[int(((own == a) & (base == b)).sum()) for b in (0, 1)] for a in (0, 1)]
            p_values.append(mcnemar(table, exact=True).pvalue)
            tallies.append(
                Tally(
                    f"t{number}",
                    TITLE,
                    {str(place): float(value) for place, value in enumerate(own)},
                    {str(place): float(value) for place, value in enumerate(base)},
                )
            )
        expected = multipletests(p_values, method="holm")[0].tolist()
        changes = [found.change for found in measure(*tallies)]
        assert [change is not None and change.beyond_noise for change in changes] == expected
        assert all(change is not None and change.low <= change.difference <= change.high for change in changes)
        assert all(change is not None and (change.low <= 0 <= change.high) != change.beyond_noise for change in changes)


def test_two_equal_arms_are_called_different_in_at_most_one_of_twenty_families() -> None:
    generator = np.random.default_rng(2)
    called = 0
    for _ in range(200):
        tallies = [
            Tally(
                f"t{number}",
                TITLE,
                {str(place): float(value) for place, value in enumerate(generator.random(36) < 0.7)},
                {str(place): float(value) for place, value in enumerate(generator.random(36) < 0.7)},
            )
            for number in range(3)
        ]
        called += any(found.change is not None and found.change.beyond_noise for found in measure(*tallies))
    assert called <= 10


def test_items_of_one_group_do_not_count_as_many() -> None:
    own, base = outcomes(20, 40), outcomes(0, 40)
    together = {f"row-{place}": "one customer" if place < 20 else None for place in range(40)}
    (alone,) = measure(Tally("a", TITLE, own, base))
    (grouped,) = measure(Tally("a", TITLE, own, base, groups=together))
    assert alone.change is not None
    assert alone.change.beyond_noise
    assert grouped.change is not None
    assert not grouped.change.beyond_noise


def test_few_groups_cannot_make_a_change_real() -> None:
    (found,) = measure(
        Tally("a", TITLE, outcomes(40, 40), outcomes(0, 40), groups={f"row-{place}": str(place % 5) for place in range(40)})
    )
    assert found.change is not None
    assert found.change.difference == 1
    assert not found.change.beyond_noise
    assert found.change.low == 0


def test_only_items_that_both_have_make_the_change() -> None:
    base = dict.fromkeys(list(outcomes(0, 30))[:10], 0.0)
    (found,) = measure(Tally("a", TITLE, outcomes(30, 30), {**base, "elsewhere": 1.0}))
    assert found.items == 30
    assert found.change is not None
    assert found.change.difference == 1


def test_rows_that_speak_against_the_arm_come_first() -> None:
    (bad,) = measure(Tally("a", TITLE, outcomes(2, 30)))
    assert bad.rows == ("row-0", "row-1")
    (good,) = measure(Tally("a", TITLE, outcomes(28, 30), higher_is_better=True))
    assert good.rows == ("row-28", "row-29")
    values = {"a": 1.5, "b": 0.5, "c": 9.0}
    (mean,) = measure(Tally("a", TITLE, values, share=False, unit="score"))
    assert mean.rows == ("c", "a", "b")
    assert mean.value == pytest.approx(11 / 3)


def test_what_has_no_outcome_has_no_measure() -> None:
    assert measure(Tally("a", TITLE, {})) == []


def test_a_mean_between_0_and_1_has_a_width_even_where_all_are_the_same() -> None:
    same = dict.fromkeys(outcomes(0, 30), 1.0)
    (found,) = measure(Tally("a", TITLE, same, same, share=False, bounded=True))
    assert found.low == pytest.approx(wilson_interval(30, 30).low)
    assert found.change is not None
    assert found.change.low < 0 < found.change.high
