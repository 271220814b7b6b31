"""The stability probe: an arm that answers by length or by case is found out, one that reads what is said passes."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.probes import stability
from sonmat.probes.stability import LABELLED, LONGEST_ANSWER, WRITTEN, plugin
from sonmat.probing.perturbing import NOISES
from tests.probes.arms import Arm, by_name, candidate, example, setting
from tests.probes.labels import Labeller, label_setting, labelled

TEXTS = [
    f"My {colour} parcel from the shop in {town} has {'arrived' if place % 2 else 'vanished'} today."
    for place, (colour, town) in enumerate(itertools.product(("green", "yellow", "purple", "brown"), ("Bonn", "Rome") * 10))
]
TEST = [labelled(f"test-{place}", text, "yes" if "arrived" in text else "no") for place, text in enumerate(TEXTS)]
WORLD = label_setting(TEST)
STEADY = Labeller(lambda text: "yes" if "arr" in text.lower() or "ived" in text.lower() else "no")
BY_LENGTH = Labeller(lambda text: "yes" if len(text) % 2 else "no")
BY_CASE = Labeller(lambda text: "yes" if text[0].isupper() and not text.isupper() else "no")


def measured(world: Setting, arm: Predictor, base: Predictor | None = None) -> dict[str, Measure]:
    before = Seen(candidate("base", "base"), {}, _rows(world, base)) if base else None
    return by_name(plugin.measure(world, Seen(candidate(), {}, _rows(world, arm)), before))


def _rows(world: Setting, arm: Predictor) -> list[Any]:
    return list(plugin.observe(world, candidate(), arm))


def test_an_arm_that_reads_what_is_said_passes() -> None:
    found = measured(WORLD, STEADY, STEADY)
    assert found["same"].value > 0.95
    assert found["same_again"].value == 1
    assert found["same"].items == LABELLED
    assert found["accuracy_lost"].value < 0.05
    assert all(each.change is not None and not each.change.beyond_noise for each in found.values())
    # 60 of 60 do not prove that it never happens.
    assert found["same_again"].low is not None
    assert found["same_again"].low < 1
    assert found["accuracy_lost_spaces"].high is not None
    assert found["accuracy_lost_spaces"].high > 0


def test_an_arm_that_goes_by_the_length_is_found_out() -> None:
    found = measured(WORLD, BY_LENGTH, STEADY)
    assert found["same_again"].value == 1
    assert found["same_punctuation"].value == 0
    assert found["same_upper"].value == 1
    assert found["same"].value == 0
    change = found["same"].change
    assert change is not None
    assert change.beyond_noise
    assert change.high < 0
    assert len(found["same"].rows) == 20
    assert set(found["same"].rows) <= {row.id for row in TEST}


def test_an_arm_that_goes_by_the_case_flips_under_case_alone() -> None:
    found = measured(WORLD, BY_CASE)
    assert [noise for noise in NOISES if found[f"same_{noise}"].value < 1] == ["upper", "lower"]
    assert found["same"].change is None


def test_noise_that_costs_right_answers_shows_in_the_accuracy() -> None:
    def shouted(text: str) -> str:
        return "no" if text.isupper() else STEADY.label(text)

    found = measured(WORLD, Labeller(shouted), STEADY)
    lost = found["accuracy_lost_upper"]
    assert lost.value == pytest.approx(0.5, abs=0.15)
    assert lost.change is not None
    assert lost.change.beyond_noise
    assert all({row.id: row for row in TEST}[row].target["label"] == "yes" for row in lost.rows)
    assert found["accuracy_lost_spaces"].value == 0


def test_an_arm_that_draws_lots_does_not_repeat_itself() -> None:
    drawn = itertools.cycle(["yes", "no", "no"])
    found = measured(WORLD, Labeller(lambda text: next(drawn)))
    assert found["same_again"].value < 0.8


CHAT = setting(
    [], [example(f"test-{place}", f"Where is parcel {text}", f"It is {place}.") for place, text in enumerate(TEXTS)]
)


def test_written_answers_that_change_a_word_share_the_others() -> None:
    def heard(question: str) -> str:
        return f"I am {'not ' if question.isupper() else ''}sure that it will come."

    found = measured(CHAT, Arm(heard), Arm(lambda question: "It will come."))
    assert found["same"].items == WRITTEN
    assert found["same_upper"].value == 0
    assert found["same_lower"].value == 1
    assert 0.8 < found["token_f1_upper"].value < 1
    assert found["token_f1_lower"].value == 1
    assert found["same_upper"].change is not None
    assert found["same_upper"].change.beyond_noise
    assert not any(name.startswith("accuracy") for name in found)


def test_every_arm_has_the_same_rows_and_written_answers_are_short() -> None:
    longest: list[int | None] = []

    class Watched:
        def answer(self, questions: Any) -> Any:
            longest.extend(question.max_new_tokens for question in questions)
            return Arm(lambda text: "x").answer(questions)

    rows = _rows(CHAT, Watched())
    assert set(longest) == {LONGEST_ANSWER}
    assert [row["row"] for row in rows] == [row["row"] for row in _rows(CHAT, Arm(lambda text: text))]
    assert len(rows) == WRITTEN * (2 + len(NOISES))


def test_when_the_time_is_up_the_rest_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _rows(WORLD, STEADY)
    monkeypatch.setattr(stability, "LIMIT_SECONDS", -1.0)
    rows = _rows(WORLD, STEADY)
    assert len(rows) == len(whole)
    found = measured(WORLD, STEADY)["same"]
    assert found.items == 10
    assert found.note is not None
    assert "60 were to be asked" in found.note.en


def test_rows_that_were_learnt_from_are_told() -> None:
    note = measured(label_setting(TEST, TEST), STEADY)["same"].note
    assert note is not None
    assert "learnt" in note.en


def test_whom_it_asks() -> None:
    assert isinstance(plugin.supports(WORLD, candidate()), Yes)
    assert isinstance(plugin.supports(CHAT, candidate()), Yes)
    assert isinstance(plugin.supports(CHAT, candidate("floor", "floor")), No)
    counting = candidate("floor", "floor").model_copy(update={"method": "tf-idf"})
    assert isinstance(plugin.supports(CHAT, counting), Yes), "spelling moves what counts words"
    assert isinstance(plugin.supports(CHAT, candidate().model_copy(update={"elsewhere": True})), No)
    from sonmat import plugins

    pictures = Setting(plugins.find("tasks", "image-classification"), CHAT.spec, ("en",), [], TEST, 0, CHAT.recipe)
    assert isinstance(plugin.supports(pictures, candidate()), No)
