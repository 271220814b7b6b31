"""The plan says how long the probes will take: what they foretell is what they ask, and more of it takes longer."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest

from sonmat.core.probing import Foretold, Probe, Setting
from sonmat.core.values import Candidate, Device, ModelFacts
from sonmat.probing.panel import items, texts
from sonmat.steps.plan.probing import probing_seconds, said
from tests.probes.arms import Arm, candidate, example, seen, setting

TRAIN = [
    example(f"a{place}", f"When does the shop number {place} open?", f"Shop {place} opens at nine.") for place in range(30)
]
TEST = [
    example(f"b{place}", f"When does his shop number {place} close?", f"Shop {place} closes at six.") for place in range(40)
]
BASE = ModelFacts(
    name="small", path="", origin="", checksum="c", family="llama", model_type="llama", parameters=10**8, hidden_size=64,
    vocabulary=1000, chat=True, languages=("en",),
)  # fmt: skip
DEVICE = Device(flops_per_second=1e11)
TOKENS = {"c": 20.0}


def world(*probes: str) -> Setting:
    return setting(TRAIN, TEST, probes=probes)


def arm(id: str = "tuned", **changes: object) -> Candidate:
    return candidate(id).model_copy(update={"base": BASE, **changes})


def probe_named(name: str) -> Probe:
    probe: Probe = import_module(f"sonmat.probes.{name}").plugin
    return probe


@pytest.mark.parametrize("name", ["safety", "leakage", "stability", "speed", "counterfactual"])
def test_a_probe_gives_as_many_rows_as_it_foretells(name: str) -> None:
    probe = probe_named(name)
    assert isinstance(probe, Foretold)
    found = seen(probe, world(name), Arm(lambda question: "maple", lambda question, reference: 1.0), arm())
    assert probe.work(world(name), arm()).rows == len(found.rows) > 0


def test_a_judge_is_foretold_by_what_it_is_sent_in_both_orders_whoever_answers() -> None:
    base, asked_elsewhere = (
        arm("base", method="zero-shot", role="base", learns=False),
        arm("big", base=None, elsewhere=True),
    )
    candidates = [base, arm(), asked_elsewhere]
    named = world("judge")
    judged = replace(
        named, candidates=candidates, recipe=named.recipe.model_copy(update={"judge": "openai:http://127.0.0.1:9/v1:m"})
    )
    found = probing_seconds(judged, candidates, DEVICE, TOKENS)
    assert found == {"tuned": 2 * len(TEST) * 3 / 4, "big": 2 * len(TEST) * 3 / 4}
    assert probing_seconds(replace(judged, recipe=named.recipe), candidates, DEVICE, TOKENS) == {}


def test_the_panel_counts_the_items_of_the_languages_that_the_base_speaks() -> None:
    probe = probe_named("forgetting")
    assert isinstance(probe, Foretold)
    own = probe.work(world(), arm())
    questions, compared = sum(each.language == "en" for each in items()), sum(each.language == "en" for each in texts())
    assert own.rows == questions + compared
    # A third of the items is put to a base again in other words.
    base = probe.work(world(), arm("base", role="base", learns=False))
    assert 1.2 * own.written_tokens < base.written_tokens < 1.5 * own.written_tokens


def test_seconds_are_told_by_candidate_and_grow_with_what_is_asked() -> None:
    one = probing_seconds(world("safety"), [arm()], DEVICE, TOKENS)
    more = probing_seconds(world("safety", "forgetting"), [arm(), arm("other")], DEVICE, TOKENS)
    assert set(more) == {"tuned", "other"}
    assert more["tuned"] == more["other"] > one["tuned"] > 0
    slower = probing_seconds(world("safety"), [arm()], Device(flops_per_second=5e10), TOKENS)
    assert slower["tuned"] == pytest.approx(2 * one["tuned"], rel=0.02)
    assert "arms" in said(more).en
    assert "탐침" in said(more).ko


def test_arms_with_the_weights_of_another_are_asked_less() -> None:
    shown = arm("few-shot", role="base", learns=True)
    found = probing_seconds(world("forgetting", "safety"), [shown, arm("base", role="base", learns=False)], DEVICE, TOKENS)
    assert 0 < found["few-shot"] < found["base"] / 2


def test_a_probe_that_stops_after_a_while_takes_no_longer() -> None:
    slow = Device(flops_per_second=1e8)
    found = probing_seconds(world("speed", "stability"), [arm()], slow, TOKENS)
    assert found["tuned"] == 2 * 60 + 90


def test_nothing_is_told_where_nothing_is_asked_here() -> None:
    assert probing_seconds(world(), [arm()], DEVICE, TOKENS) == {}
    assert probing_seconds(world("safety"), [arm(elsewhere=True), arm(base=None)], DEVICE, TOKENS) == {}
