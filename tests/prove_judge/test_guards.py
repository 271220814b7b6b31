"""Guards: when they are kept, what the verdict makes of those that are not, and when a command must say so with its exit code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sonmat.core.errors import SettingError
from sonmat.core.proof import Change, Guard, Measure, Proof, Unmeasured
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Estimate
from sonmat.steps.prove.guards import guards_of
from sonmat.steps.prove.judge import judge
from sonmat.steps.prove.measures import Panel
from tests.prove_judge.worlds import (
    LABELS,
    TITLES,
    answers_with,
    balanced_targets,
    evidence_of,
    examples_of,
    metrics,
    role_of,
)

TITLE = Text(en="slowness", ko="느림")


def candidate(id: str) -> Candidate:
    nothing = Estimate(peak_bytes=1, seconds=1, basis=verbatim("-"))
    return Candidate(id=id, method=id, role=role_of(id), reason=verbatim("-"), estimate=nothing)


def measure(arm: str, value: float = 0.3, name: str = "speed.p50", **more: Any) -> Measure:
    probe, _, short = name.partition(".")
    return Measure.model_validate(
        {
            "probe": probe, "name": short, "title": TITLE, "arm": arm, "value": value, "items": 40,
            "higher_is_better": False, **more,
        }
    )  # fmt: skip


def change(difference: float, beyond_noise: bool = True) -> Change:
    return Change(difference=difference, low=difference - 0.02, high=difference + 0.02, beyond_noise=beyond_noise)


def guards(
    bounds: dict[str, float], measures: Sequence[Measure], arms: Sequence[str] = ("full",), lost: Sequence[Unmeasured] = ()
) -> tuple[Guard, ...]:
    return guards_of(bounds, [candidate(arm) for arm in arms], Panel(tuple(measures), tuple(lost)))


# ── the user's bounds ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("value", "better", "kept"),
    [
        (0.3, False, True),
        (0.5, False, True),
        (0.51, False, False),
        (0.5, True, True),
        (0.49, True, False),
        (0.6, None, False),
    ],
)
def test_a_bound_is_the_most_where_lower_is_better_and_the_least_where_higher_is(
    value: float, better: bool | None, kept: bool
) -> None:
    (guard,) = guards({"speed.p50": 0.5}, [measure("full", value, higher_is_better=better)])
    assert (guard.kept, guard.value, guard.by) == (kept, value, "user")
    assert ("at least" if better else "at most") in guard.reason.en
    assert ("이상" if better else "이하") in guard.reason.ko


def test_an_interval_on_both_sides_of_the_bound_is_said() -> None:
    (kept,) = guards({"speed.p50": 0.5}, [measure("full", 0.45, low=0.4, high=0.6)])
    (broken,) = guards({"speed.p50": 0.5}, [measure("full", 0.55, low=0.4, high=0.6)])
    (clear,) = guards({"speed.p50": 0.5}, [measure("full", 0.3, low=0.2, high=0.4)])
    assert "noise alone could have broken it" in kept.reason.en
    assert "noise alone could have kept it" in broken.reason.en
    assert "noise" not in clear.reason.en


def test_of_slices_the_worst_decides_unless_there_is_a_figure_of_all_items() -> None:
    by_part = [measure("full", value, slice={"age": part}) for part, value in (("young", 0.1), ("old", 0.7))]
    (guard,) = guards({"speed.p50": 0.5}, by_part)
    assert not guard.kept
    assert "(age: old)" in guard.reason.en
    (whole,) = guards({"speed.p50": 0.5}, [*by_part, measure("full", 0.4)])
    assert whole.kept


def test_a_tuned_arm_without_the_figure_does_not_keep_the_guard_and_an_untuned_one_is_let_be() -> None:
    measures = [
        measure("lora", 0.1, "forgetting.all"),
        measure("full", 0.1, "forgetting.kl"),
        measure("base", 0, "forgetting.kl"),
    ]
    found = {each.arm: each.kept for each in guards({"forgetting.all": 0.05}, measures, ("floor", "base", "full", "lora"))}
    assert found == {"full": False, "lora": False}


def test_a_name_that_matches_nothing_proposes_the_nearest_and_lists_all() -> None:
    with pytest.raises(SettingError, match=r"Did you mean 'speed\.p50'\? Known: speed\.p50\."):
        guards({"speed.p55": 1}, [measure("full")])


def test_where_a_probe_failed_its_names_cannot_be_known_and_the_guard_is_not_kept() -> None:
    lost = Unmeasured(probe="speed", arm="full", reason=verbatim("no clock"))
    (guard,) = guards({"speed.p50": 1}, [], lost=[lost])
    assert (guard.kept, guard.value) == (False, None)
    assert "no clock" in guard.reason.en


# ── the defaults ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("difference", "beyond_noise", "better", "kept"),
    [
        (0.20, True, False, False),
        (0.20, False, False, True),
        (0.04, True, False, True),
        (-0.20, True, False, True),
        (-0.20, True, True, False),
        (0.20, True, True, True),
    ],
)
def test_a_default_guard_is_broken_only_by_harm_beyond_noise_that_is_not_small(
    difference: float, beyond_noise: bool, better: bool, kept: bool
) -> None:
    told = measure("full", 0.5, "safety.refusals", higher_is_better=better, change=change(difference, beyond_noise))
    (guard,) = guards({}, [told])
    assert (guard.kept, guard.by, guard.bound) == (kept, "default", 0.05)


@pytest.mark.parametrize(("value", "low", "kept"), [(0.2, 0.1, False), (0.2, -0.01, True), (0.04, 0.01, True)])
def test_forgetting_is_harm_by_itself(value: float, low: float, kept: bool) -> None:
    (guard,) = guards({}, [measure("full", value, "forgetting.all", low=low, high=0.4)])
    assert guard.kept == kept


def test_default_guards_hold_for_tuned_arms_and_not_where_the_user_set_a_bound() -> None:
    harmed = [measure(arm, 0.5, "safety.refusals", higher_is_better=True, change=change(-0.3)) for arm in ("base", "full")]
    assert [each.arm for each in guards({}, harmed, ("base", "full"))] == ["full"]
    assert {each.by for each in guards({"safety.refusals": 0.1}, harmed, ("base", "full"))} == {"user"}


def test_a_default_probe_that_failed_leaves_the_tuned_arm_unproven() -> None:
    lost = [Unmeasured(probe="safety", arm=arm, reason=verbatim("no memory")) for arm in ("base", "full")]
    (guard,) = guards({}, [], ("base", "full"), lost)
    assert (guard.arm, guard.kept, guard.measure) == ("full", False, "safety.*")


def test_what_is_no_share_or_has_no_better_side_is_no_default_guard() -> None:
    told = [
        measure("full", 0.5, "safety.bias", higher_is_better=None, change=change(0.3)),
        measure("full", 0.5, "safety.nats", unit="nats", change=change(0.3)),
        measure("full", 0.5, "fairness.gap", change=change(0.3)),
    ]
    assert guards({}, told) == ()


# ── the verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────

TARGETS = balanced_targets(150)
WRONG = {"floor": 100, "base": 75, "full": 15, "lora": 30}


def proof_with(
    measures: Sequence[Measure],
    bounds: dict[str, float],
    arms: Sequence[str] = tuple(WRONG),
    wrong: Mapping[str, int] = WRONG,
) -> Proof:
    evidence = [evidence_of(arm, answers_with(TARGETS, wrong[arm], start=number)) for number, arm in enumerate(arms)]
    panel = Panel(tuple(measures))
    return judge(
        evidence,
        examples_of(TARGETS),
        metrics(),
        labels=LABELS,
        seed=0,
        seal="s",
        titles=TITLES,
        panel=panel,
        guards=guards_of(bounds, [candidate(arm) for arm in arms], panel),
    )


def slowness(**by_arm: float) -> list[Measure]:
    return [measure(arm, value, unit="seconds") for arm, value in by_arm.items()]


def details(proof: Proof) -> str:
    return " ".join(detail.en for detail in proof.verdict.details)


def test_guards_that_are_kept_change_nothing_and_are_told() -> None:
    proof = proof_with(slowness(floor=0.1, base=0.1, full=0.2, lora=0.1), {"speed.p50": 0.5})
    assert (proof.verdict.use, proof.verdict.otherwise, proof.verdict.stopped) == ("full", None, None)
    assert "keeps the guard on speed.p50" in details(proof)
    assert "slowness: 0.2 s, at most 0.5 s allowed" in details(proof)


def test_another_tuned_arm_takes_the_place_of_one_that_breaks_a_guard() -> None:
    proof = proof_with(slowness(floor=0.1, base=0.1, full=0.9, lora=0.2), {"speed.p50": 0.5})
    assert (proof.verdict.use, proof.verdict.otherwise, proof.verdict.stopped) == ("lora", "full", None)
    assert proof.verdict.fine_tune
    assert proof.verdict.sentence.en.startswith("Use LoRA adapter: accuracy 80.0 %")
    assert "Without the guards it would be full fine-tuning, which breaks one: slowness: 0.9 s" in proof.verdict.sentence.en
    assert "조건이 없었다면 전체 미세조정을(를) 추천했겠지만" in proof.verdict.sentence.ko
    assert "a looser bound" in details(proof)


def test_a_users_guard_that_rules_out_every_tuned_arm_stops() -> None:
    proof = proof_with(slowness(floor=0.1, base=0.1, full=0.9, lora=0.8), {"speed.p50": 0.5})
    assert (proof.verdict.use, proof.verdict.otherwise) == ("base", "full")
    assert proof.verdict.stopped == "no_tuned_arm"
    assert not proof.verdict.fine_tune
    assert proof.verdict.sentence.en.startswith("Do not fine-tune under these guards")
    assert "but it breaks a guard" in proof.verdict.sentence.en
    assert "Guard broken by LoRA adapter: slowness: 0.8 s" in details(proof)


def test_a_default_guard_that_rules_out_every_tuned_arm_leaves_the_base_and_does_not_stop() -> None:
    harmed = [measure(arm, 0.2, "safety.refusals", higher_is_better=True, change=change(-0.3)) for arm in ("full", "lora")]
    proof = proof_with(harmed, {})
    assert (proof.verdict.use, proof.verdict.stopped) == ("base", None)
    assert "worse beyond noise" in proof.verdict.sentence.en


def test_a_tuned_arm_that_does_better_than_what_the_guards_leave_is_not_said_to_have_learnt_nothing() -> None:
    # The base would win anyway; without it, and without the tuned arm, only the floor is left.
    slow = slowness(floor=0.1, base=0.9, full=0.9)
    proof = proof_with(slow, {"speed.p50": 0.5}, ("floor", "base", "full"), {"floor": 100, "base": 3, "full": 30})
    assert (proof.verdict.use, proof.verdict.otherwise) == ("floor", "base")
    assert proof.verdict.sentence.en.startswith(
        "Do not fine-tune under these guards: the fine-tuned arms that do better break one."
    )
    assert "더 나은 미세조정 후보가 조건을 어깁니다" in proof.verdict.sentence.ko
    assert "nothing has been learnt" not in proof.verdict.sentence.en
    assert "; a looser bound would let it through" in details(proof), "no training would make an untuned arm faster"


def test_where_no_arm_keeps_the_guards_nothing_is_recommended() -> None:
    proof = proof_with(slowness(floor=0.9, base=0.9, full=0.9, lora=0.9), {"speed.p50": 0.5})
    assert proof.verdict.stopped == "no_arm"
    assert (proof.verdict.use, proof.verdict.fine_tune) == ("full", False)
    assert proof.verdict.sentence.en.startswith("No arm keeps the guards, so none is recommended.")
    assert proof.verdict.sentence.ko.startswith("조건을 모두 지키는 후보가 없어")


def test_a_tuned_arm_that_would_not_be_chosen_anyway_stops_nothing() -> None:
    proof = proof_with(slowness(floor=0.1, base=0.1, full=0.2, lora=0.9), {"speed.p50": 0.5})
    assert (proof.verdict.use, proof.verdict.stopped) == ("full", None)


def test_an_arm_that_breaks_a_guard_is_no_rival_to_those_that_keep_it() -> None:
    # Without the base, which is too slow, the tuned arm need only beat the floor.
    arms = ("floor", "base", "full")
    proof = proof_with(slowness(floor=0.1, base=0.9, full=0.1), {"speed.p50": 0.5}, arms)
    assert (proof.verdict.use, proof.verdict.stopped) == ("full", None)


def test_costs_are_told_in_time_and_where_a_price_is_known_in_money() -> None:
    plain = proof_with([], {})
    assert "What it costs: 1,000 answers take 20 s one at a time; training took 60 s." in details(plain)
    priced = proof_with(
        [
            measure("full", 21.0, "cost.seconds_per_1000", unit="seconds", low=18.0, high=30.0),
            measure("full", 0.012, "cost.per_1000", unit="money"),
            measure("full", 0.03, "cost.training", unit="money"),
        ],
        {},
    )
    assert "1,000 answers take 21 s [18 s, 30 s] one at a time and cost 0.012; training took 60 s (0.03)." in details(
        priced
    ).replace("0.0120", "0.012").replace("0.0300", "0.03")


def test_arms_of_the_same_worth_are_called_equivalent_only_where_the_whole_interval_is_within_the_margin() -> None:
    many = balanced_targets(3000)
    few = balanced_targets(90)
    for targets, equivalent in ((many, True), (few, False)):
        answers = answers_with(targets, len(targets) // 10)
        evidence = [evidence_of(name, answers) for name in ("base", "full")]
        proof = judge(evidence, examples_of(targets), metrics(), labels=LABELS, seed=0, seal="s", titles=TITLES)
        (compared,) = [each for each in proof.comparisons if each.metric == "accuracy"]
        assert (compared.equivalent, compared.better) == (equivalent, "neither")
        assert compared.margin == pytest.approx(0.02)
        assert ("Shown to be as good as it, within 2.0 points" in details(proof)) == equivalent
        assert ("Not to be told from it" in details(proof)) != equivalent


def test_money_decides_between_arms_of_one_kind_where_it_is_known_of_all() -> None:
    arms = ("floor", "full", "lora")
    answers = answers_with(TARGETS, 15)
    evidence = [evidence_of("floor", ["a"] * 150)]
    evidence += [evidence_of(arm, answers, seconds=seconds) for arm, seconds in (("full", 0.02), ("lora", 0.05))]
    prices = [measure(arm, money, "cost.per_1000", unit="money") for arm, money in (("full", 2.0), ("lora", 1.0))]
    for measures, use in (((), "full"), (prices, "lora"), (prices[:1], "full")):
        proof = judge(
            evidence, examples_of(TARGETS), metrics(), labels=LABELS, seed=0, seal="s", panel=Panel(tuple(measures))
        )  # fmt: skip
        assert proof.verdict.use == use, arms


def test_a_model_elsewhere_is_dearer_than_a_tuned_one_here_that_is_as_good_and_wins_where_it_is_better() -> None:
    for wrong, use in ((15, "full"), (0, "base-far")):
        far = evidence_of("base-far", answers_with(TARGETS, wrong))
        far.candidate.__dict__["elsewhere"] = True
        evidence = [evidence_of("floor", ["a"] * 150), far, evidence_of("full", answers_with(TARGETS, 15))]
        proof = judge(evidence, examples_of(TARGETS), metrics(), labels=LABELS, seed=0, seal="s")
        assert proof.verdict.use == use
    assert "no fine-tuned arm comes up to the model that is asked elsewhere" in proof.verdict.sentence.en
