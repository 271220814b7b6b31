"""The smallest detectable difference is really found in about four of five simulated test sets."""

from __future__ import annotations

import numpy as np
import pytest

from sonmat.statistics import (
    Discordance,
    exact_mcnemar,
    items_needed,
    smallest_detectable_difference,
    smallest_detectable_share_difference,
)


@pytest.mark.parametrize(("discordant", "items"), [(40, 200), (120, 400), (300, 1000)])
def test_the_detectable_difference_is_found_in_about_four_of_five_test_sets(discordant: int, items: int) -> None:
    share = (discordant + 1) / (items + 2)
    difference = smallest_detectable_share_difference(discordant, items)
    generator = np.random.default_rng(0)
    chances = [(share + difference) / 2, (share - difference) / 2, 1 - share]
    draws = generator.multinomial(items, chances, size=2000)
    found = np.mean([exact_mcnemar(Discordance(int(a), int(b))) <= 0.05 for a, b, _ in draws])
    # The exact test costs some of the power that the formula promises.
    assert 0.72 <= found <= 0.84


def test_three_items_can_tell_nothing() -> None:
    assert smallest_detectable_share_difference(1, 3) == 1.0


def test_more_items_detect_smaller_differences_and_agreement_helps() -> None:
    sizes = [smallest_detectable_share_difference(items / 5, items) for items in (20, 100, 500, 5000)]
    assert sizes == sorted(sizes, reverse=True)
    assert smallest_detectable_share_difference(10, 200) < smallest_detectable_share_difference(100, 200)


def test_a_difference_of_a_general_metric_needs_two_point_eight_standard_errors() -> None:
    assert smallest_detectable_difference(0.01) == pytest.approx(0.02802, abs=1e-5)


def test_half_the_difference_needs_four_times_the_items() -> None:
    assert items_needed(100, 0.1, 0.05) == pytest.approx(4 * items_needed(100, 0.1, 0.1), abs=4)
