"""Intervals of mean costs: they hold what they say by simulation, and have a width where a dear error has not happened yet."""

from __future__ import annotations

import numpy as np
import pytest

from sonmat.core.decision import COST_METRIC, Costs
from sonmat.core.proof import Proof
from sonmat.plugins import find
from sonmat.statistics.costs import correlation, cost_difference_interval, cost_interval
from sonmat.statistics.proportions import wilson_interval
from sonmat.steps.prove.judge import judge
from tests.prove_judge.worlds import TITLES, evidence_of, examples_of

DEAR = Costs(labels=("a", "b", "c"), given={"c": 20.0})


def test_errors_of_one_cost_have_wilsons_interval_of_their_share() -> None:
    costs = np.array([5.0] * 12 + [0.0] * 88)
    interval, share = cost_interval(costs, np.full(100, 5.0), 100), wilson_interval(12, 100)
    assert (interval.low, interval.high) == pytest.approx((5 * share.low, 5 * share.high))


def test_no_error_at_all_leaves_room_for_the_dearest() -> None:
    interval = cost_interval(np.zeros(100), np.full(100, 20.0), 100)
    assert interval.low == 0
    assert interval.high == pytest.approx(20 * wilson_interval(0, 100).high)


def test_grouped_items_have_wider_intervals() -> None:
    costs = np.tile([0.0, 0.0, 1.0, 20.0], 25)
    worst = np.full(100, 20.0)
    assert cost_interval(costs, worst, 20).width > 1.5 * cost_interval(costs, worst, 100).width


@pytest.mark.parametrize(("cheap", "dear"), [(0.1, 0.05), (0.05, 0.2), (0.3, 0.02)])
def test_the_interval_holds_the_true_mean_cost_in_at_least_94_of_100_test_sets(cheap: float, dear: float) -> None:
    generator, held, bootstrap = np.random.default_rng(0), 0, 0
    truth = 0.9 * cheap + 0.1 * 20 * dear
    for _ in range(600):
        worst = np.where(generator.random(120) < 0.1, 20.0, 1.0)
        costs = np.where(generator.random(120) < np.where(worst > 1, dear, cheap), worst, 0.0)
        held += cost_interval(costs, worst, 120).holds(truth)
        error = costs.std(ddof=1) / np.sqrt(120)
        bootstrap += abs(costs.mean() - truth) <= 1.98 * error
    assert held >= 0.94 * 600
    # What a plain interval of the mean would do with rare dear errors.
    assert bootstrap < held


def test_the_difference_of_two_arms_holds_the_true_one_in_at_least_94_of_100_test_sets() -> None:
    generator, held = np.random.default_rng(1), 0
    for _ in range(600):
        dear = generator.random(120) < 0.15
        miss_a, miss_b = dear & (generator.random(120) < 0.1), dear & (generator.random(120) < 0.25)
        false_a, false_b = ~dear & (generator.random(120) < 0.2), ~dear & (generator.random(120) < 0.05)
        a = np.where(miss_a, 20.0, np.where(false_a, 1.0, 0.0))
        b = np.where(miss_b, 20.0, np.where(false_b, 1.0, 0.0))
        worst = np.where(dear, 20.0, 1.0)
        ends = cost_interval(a, worst, 120), cost_interval(b, worst, 120)
        interval = cost_difference_interval(*ends, (a.mean(), b.mean()), correlation(a, b))
        truth = (0.15 * 0.1 * 20 + 0.85 * 0.2) - (0.15 * 0.25 * 20 + 0.85 * 0.05)
        held += interval.holds(truth)
    assert held >= 0.94 * 600


def proven(**answers: list[str]) -> Proof:
    targets = (["a"] * 6 + ["b"] * 3 + ["c"]) * 20
    metrics = [find("metrics", name) for name in (COST_METRIC, "macro_f1", "accuracy")]
    evidence = [evidence_of(name, said) for name, said in answers.items()]
    return judge(evidence, examples_of(targets), metrics, labels=DEAR.labels, seed=0, seal="s", titles=TITLES, costs=DEAR)


def test_costs_decide_the_verdict_lower_being_better() -> None:
    cautious = (["a"] * 4 + ["c"] * 2 + ["b"] * 3 + ["c"]) * 20
    accurate = (["a"] * 6 + ["b"] * 3 + ["a"]) * 20
    found = proven(floor=["a"] * 200, full=cautious, lora=accurate)
    assert found.headline == COST_METRIC
    by_name = {arm.candidate: arm for arm in found.arms}
    assert by_name["full"].headline.value == pytest.approx(0.2)
    assert by_name["lora"].headline.value == pytest.approx(2.0)
    assert by_name["floor"].headline.value == pytest.approx(2.3)
    accuracy = {name: arm.scores[2].value for name, arm in by_name.items()}
    assert accuracy["lora"] > accuracy["full"]
    assert found.verdict.use == "full"
    assert found.verdict.fine_tune
    assert "mean cost of an answer" in found.verdict.sentence.en
    assert "below the floor" in found.verdict.sentence.en


def test_an_arm_that_never_erred_is_not_said_to_cost_nothing_for_sure() -> None:
    targets = (["a"] * 6 + ["b"] * 3 + ["c"]) * 20
    found = proven(full=targets, lora=targets)
    (full, _) = (arm.headline for arm in found.arms)
    assert (full.value, full.low) == (0, 0)
    # Nearly all of it is what twenty dear items leave open.
    assert full.high == pytest.approx(20 * 0.1 * wilson_interval(0, 20).high, rel=0.01)
    (comparison,) = [each for each in found.comparisons if each.metric == COST_METRIC]
    assert comparison.better == "neither"
    assert comparison.low < 0 < comparison.high
    assert not comparison.equivalent
    assert found.smallest_detectable > 0.1


def test_swapped_arms_have_mirrored_differences() -> None:
    a, b = np.array([0.0] * 80 + [1.0] * 15 + [20.0] * 5), np.array([0.0] * 90 + [20.0] * 10)
    worst = np.full(100, 20.0)
    ends = cost_interval(a, worst, 100), cost_interval(b, worst, 100)
    alike = correlation(a, b)
    one = cost_difference_interval(*ends, (a.mean(), b.mean()), alike)
    other = cost_difference_interval(ends[1], ends[0], (b.mean(), a.mean()), alike)
    assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
