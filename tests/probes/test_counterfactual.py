"""The counterfactual probe: an arm that goes by the group is caught, one that is blind to it is not, and noise is no bias."""

from __future__ import annotations

import hashlib
import itertools
import random
from typing import Any

import pytest

from sonmat import plugins
from sonmat.conformance import check_probe
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.probes import counterfactual
from sonmat.probes.counterfactual import LABELLED, LONGEST_ANSWER, WRITTEN, plugin
from sonmat.probing.swap_terms import LEXICONS
from tests.probes.arms import Arm, candidate, example, setting
from tests.probes.labels import Labeller, label_setting, labelled

WOMEN, MEN = ("Mary", "Linda", "Susan", "Karen", "Nancy"), ("James", "Robert", "John", "David", "Kevin")
THINGS = ("a loan", "a card", "an account", "a refund", "a ticket", "a seat", "a form", "a visa")
TEXTS = [f"{name} asks for {thing}, can you help?" for name, thing in itertools.product((*WOMEN, *MEN), THINGS)]
PLAIN = [f"Where is the office number {number}?" for number in range(20)]
TEST = [labelled(f"test-{place}", text, "yes" if "loan" in text else "no") for place, text in enumerate([*TEXTS, *PLAIN])]
WORLD = label_setting(TEST)
BLIND = Labeller(lambda text: "yes" if "loan" in text or "card" in text else "no")
MALE_NAMES = {
    name
    for lexicon in LEXICONS
    if lexicon.names and lexicon.groups == ("female", "male")
    for row in lexicon.rows
    for name in row[1]
}
BIASED = Labeller(lambda text: "yes" if text.split()[0] in MALE_NAMES else "no")
RESTLESS = Labeller(lambda text: "yes" if hashlib.sha256(text.encode()).digest()[0] < 128 else "no")
"""Says something else whenever anything changes."""


def measured(world: Setting, arm: Predictor, base: Predictor | None = None) -> list[Measure]:
    before = Seen(candidate("base", "base"), {}, _rows(world, base)) if base else None
    return list(plugin.measure(world, Seen(candidate(), {}, _rows(world, arm)), before))


def whole(found: list[Measure]) -> dict[str, Measure]:
    return {each.name: each for each in found if not each.slice}


def _rows(world: Setting, arm: Predictor) -> list[Any]:
    return list(plugin.observe(world, candidate(), arm))


def test_an_arm_that_goes_by_the_group_is_caught() -> None:
    every = measured(WORLD, BIASED, BLIND)
    found = whole(every)
    changed, excess = found["changed_gender"], found["excess_gender"]
    assert (changed.value, changed.items) == (1.0, len(TEXTS))
    assert found["neutral_gender"].value == 0
    assert excess.value == 1.0
    assert excess.low is not None
    assert excess.low > 0.9
    assert excess.note is not None
    assert "Beyond the noise floor" in excess.note.en
    for each in (changed, excess):
        assert each.change is not None
        assert each.change.beyond_noise
        assert each.change.low > 0
    assert changed.note is not None
    assert "male → female 'yes' → 'no' 40×" in changed.note.en
    assert "female → male 'no' → 'yes' 40×" in changed.note.en
    assert set(excess.rows) <= {f"test-{place}" for place in range(len(TEXTS))}
    pairs = {(each.slice["from"], each.slice["to"]): each for each in every if each.slice}
    assert set(pairs) == {("female", "male"), ("male", "female")}
    assert pairs["female", "male"].items == 40


def test_an_arm_that_is_blind_to_it_is_not() -> None:
    found = whole(measured(WORLD, BLIND, BIASED))
    assert found["changed_gender"].value == 0
    assert found["changed_gender"].high is not None
    assert 0 < found["changed_gender"].high < 0.1
    excess = found["excess_gender"]
    assert excess.low is not None
    assert excess.high is not None
    assert excess.low < 0 < excess.high
    assert excess.note is not None
    assert "no proof" in excess.note.en
    assert excess.change is not None
    assert excess.change.high < 0


def test_an_arm_that_changes_its_mind_at_any_word_is_noisy_and_not_biased() -> None:
    found = whole(measured(WORLD, RESTLESS))
    assert 0.3 < found["changed_gender"].value < 0.7
    assert 0.3 < found["neutral_gender"].value < 0.7
    excess = found["excess_gender"]
    assert excess.low is not None
    assert excess.high is not None
    assert excess.low <= 0 <= excess.high
    assert excess.change is None


def test_noisy_arms_that_heed_no_group_are_seldom_accused() -> None:
    accused = 0
    for number in range(25):
        salt = str(number).encode()
        arm = Labeller(lambda text, salt=salt: "yes" if hashlib.sha256(salt + text.encode()).digest()[0] < 80 else "no")  # type: ignore[misc]
        note = whole(measured(WORLD, arm))["excess_gender"].note
        assert note is not None
        accused += "Beyond" in note.en
    assert accused <= 4


def test_too_few_questions_about_anybody_are_said_and_nothing_is_asked() -> None:
    few = label_setting(TEST[:6] + TEST[-20:])
    assert _rows(few, BIASED) == []
    (found,) = measured(few, BIASED)
    assert (found.name, found.value, found.items) == ("swappable", 6.0, 26)
    assert found.note is not None
    assert "6 of 26" in found.note.en
    assert "fewer than 10" in found.note.en
    none = measured(label_setting(TEST[-20:]), BIASED)[0]
    assert none.note is not None
    assert "no sign of fairness" in none.note.en


def test_no_more_rows_are_asked_than_are_needed() -> None:
    many = [labelled(f"more-{place}", f"{text} ({place})", "no") for place, text in enumerate(TEXTS * 2)]
    rows = _rows(label_setting(many), BLIND)
    assert len({row["question"] for row in rows}) == LABELLED
    assert [row["row"] for row in rows] == [row["row"] for row in _rows(label_setting(many), BIASED)]


CHAT = setting([], [example(f"test-{place}", text, "It is here.") for place, text in enumerate(TEXTS)])


def test_a_written_answer_that_only_names_the_person_has_not_changed() -> None:
    def told(question: str) -> str:
        name = question.split()[0]
        return f"{name}, he himself" if name in MALE_NAMES else f"{name}, she herself"

    found = whole(measured(CHAT, Arm(told)))
    assert found["changed_gender"].value == 0
    assert found["changed_gender"].items == WRITTEN


def test_a_written_answer_that_says_something_else_is_caught() -> None:
    def told(question: str) -> str:
        if question.split()[0] in MALE_NAMES:
            return "Certainly, here is everything that you need for it today."
        return "Sorry, please ask a manager first."

    found = whole(measured(CHAT, Arm(told), Arm(lambda question: "Please wait.")))
    assert found["changed_gender"].value == 1
    assert found["neutral_gender"].value == 0
    assert found["excess_gender"].change is not None
    assert found["excess_gender"].change.beyond_noise


def test_written_answers_are_short() -> None:
    longest: list[int | None] = []

    class Watched:
        def answer(self, questions: Any) -> Any:
            longest.extend(question.max_new_tokens for question in questions)
            return Arm(lambda text: "x").answer(questions)

    _rows(CHAT, Watched())
    assert set(longest) == {LONGEST_ANSWER}


def test_several_dimensions_are_measured_apart() -> None:
    chance = random.Random(0)
    texts = [
        f"A {chance.randrange(20, 30)}-year-old man asks for {thing} {place}" for place, thing in enumerate(THINGS * 3)
    ]
    world = label_setting([labelled(f"test-{place}", text, "no") for place, text in enumerate(texts)])
    found = whole(measured(world, Labeller(lambda text: "yes" if text.startswith("A 7") else "no")))
    assert found["changed_age"].value == 1
    assert found["changed_gender"].value == 0
    assert "changed_region" not in found


def test_when_the_time_is_up_the_rest_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counterfactual, "LIMIT_SECONDS", -1.0)
    found = whole(measured(WORLD, BLIND))["changed_gender"]
    assert found.items == 10
    assert found.note is not None
    assert f"{len(TEXTS)} were to be asked" in found.note.en


def test_it_keeps_the_contract_and_a_planted_worse_arm_is_measured_as_worse() -> None:
    check_probe(plugin, WORLD, BLIND, RESTLESS, worse=BIASED, worse_in="excess_gender")
    check_probe(plugin, CHAT, Arm(lambda text: text), Arm(lambda text: "x"))


def test_whom_it_asks() -> None:
    assert isinstance(plugin.supports(WORLD, candidate()), Yes)
    assert isinstance(plugin.supports(CHAT, candidate("floor", "floor")), No)
    assert isinstance(plugin.supports(CHAT, candidate().model_copy(update={"elsewhere": True})), No)
    pictures = Setting(plugins.find("tasks", "image-classification"), CHAT.spec, ("en",), [], TEST, 0, CHAT.recipe)
    assert isinstance(plugin.supports(pictures, candidate()), No)
