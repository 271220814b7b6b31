"""Speed and cost: made times give the figures that they should, and what could not be asked is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sonmat.conformance.probe import made_candidate, made_setting, reciter
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Measured, Prediction
from sonmat.core.protocols import Question
from sonmat.core.values import Fitted, Json
from sonmat.probes import speed as module
from sonmat.probes.cost import plugin as cost
from sonmat.probes.speed import ALONE, FEWEST, FIRST
from sonmat.probes.speed import plugin as speed


class Clock:
    """A clock that only predictors move."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        return self.now


class Timed:
    """Takes `seconds` for a question alone, a quarter of that for each of several; one token a second less overhead."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self.clock = clock
        self.seconds = seconds
        self.asked: list[list[Question]] = []

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        self.asked.append(list(questions))
        share = 1.0 if len(questions) == 1 else 0.25
        for question in questions:
            first = 0.1 if question.max_new_tokens == 1 else 1.0
            self.clock.now += share * first * self.seconds
            yield Prediction(row=question.row, output={"text": "x"}, seconds=1.0, tokens=10)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture(scope="module")
def setting() -> Setting:
    return made_setting("chat", rows=12)


def measured(seconds: Sequence[float] = (0.1, 0.2, 0.3)) -> Measured:
    golden = tuple(Prediction(row=str(n), output={}, seconds=each) for n, each in enumerate(seconds))
    return Measured(
        candidate="tuned-arm", seconds_per_answer=0.2, seconds=1.0, peak_bytes=5 * 10**8, golden=golden, load_seconds=2.5,
        model_bytes=3 * 10**8,
    )  # fmt: skip


def seen(rows: Sequence[Json], role: str = "tuned", **changes: Any) -> Seen:
    candidate = made_candidate(role).model_copy(update=changes)
    return Seen(candidate, {}, rows, measured(), Fitted(candidate=candidate.id, seconds=120.0, peak_bytes=1))


def by_name(measures: Sequence[Measure]) -> dict[str, Measure]:
    return {measure.name: measure for measure in measures}


def test_times_alone_to_the_first_token_and_together_are_measured_apart(clock: Clock, setting: Setting) -> None:
    predictor = Timed(clock, 1.0)
    rows = list(speed.observe(setting, made_candidate("tuned"), predictor))
    assert len(rows) == ALONE + FIRST + 1
    assert [len(each) for each in predictor.asked] == [1] * (1 + ALONE + FIRST) + [32]
    found = by_name(speed.measure(setting, seen(rows), None))
    assert found["p50"].value == found["p95"].value == pytest.approx(1.0)
    assert found["first_token"].value == pytest.approx(0.1)
    assert found["batched"].value == pytest.approx(0.25)
    assert found["tokens_per_second"].value == pytest.approx(40.0)
    assert (found["tokens_per_second"].higher_is_better, found["p50"].higher_is_better) == (True, False)
    assert (found["memory"].value, found["size"].value, found["load"].value) == (5e8, 3e8, 2.5)
    assert found["p50"].items == ALONE


def test_a_slow_model_is_asked_less_and_it_is_said(clock: Clock, setting: Setting) -> None:
    predictor = Timed(clock, 8.0)
    rows = list(speed.observe(setting, made_candidate("tuned"), predictor))
    assert len(rows) == ALONE + FIRST + 1
    found = by_name(speed.measure(setting, seen(rows), None))
    asked = sum(row["seconds"] is not None for row in rows if row["row"].startswith("alone"))
    assert FEWEST < asked < ALONE
    assert found["p95"].items == asked
    assert found["p95"].note is not None
    assert f"Only {asked} of 30 questions" in found["p95"].note.en
    # Together no more than the limit lets expect.
    assert len(predictor.asked[-1]) == 7


def test_few_times_have_no_upper_end_and_say_so(clock: Clock, setting: Setting) -> None:
    rows = list(speed.observe(setting, made_candidate("tuned"), Timed(clock, 0.5)))
    found = by_name(speed.measure(setting, seen(rows), None))
    assert found["p99"].high is None
    assert found["p99"].note is not None
    assert "Too few for an upper end" in found["p99"].note.en
    assert found["p50"].high is not None


@pytest.mark.parametrize(("own", "beyond"), [(1.0, False), (1.2, False), (1.5, True), (0.5, True)])
def test_a_difference_to_the_base_counts_only_where_it_is_more_than_two_processes_differ(
    clock: Clock, setting: Setting, own: float, beyond: bool
) -> None:
    rows = [list(speed.observe(setting, made_candidate("tuned"), Timed(clock, each))) for each in (own, 1.0)]
    change = by_name(speed.measure(setting, seen(rows[0]), seen(rows[1], "base")))["p50"].change
    assert change is not None
    assert change.difference == pytest.approx(own - 1.0)
    assert change.beyond_noise == beyond
    assert change.low <= 0 <= change.high or beyond


def test_a_classifier_has_no_first_token(clock: Clock) -> None:
    setting = made_setting("text-classification")
    rows = list(speed.observe(setting, made_candidate("tuned"), reciter(setting)))
    assert not any(row["row"].startswith("first") for row in rows)
    assert "first_token" not in by_name(speed.measure(setting, seen(rows), None))


def test_an_arm_elsewhere_is_not_asked_again_and_has_the_times_of_its_answers(clock: Clock, setting: Setting) -> None:
    predictor = Timed(clock, 1.0)
    candidate = made_candidate("base").model_copy(update={"elsewhere": True})
    rows = list(speed.observe(setting, candidate, predictor))
    assert (len(rows), predictor.asked) == (ALONE + FIRST + 1, [])
    answers = {str(n): Prediction(row=str(n), output={}, seconds=each) for n, each in enumerate((1.0, 2.0, 3.0))}
    own = replace(seen(rows, "base", elsewhere=True), answers=answers)
    found = by_name(speed.measure(setting, own, None))
    assert set(found) == {"p50", "p95", "p99"}
    assert found["p50"].value == 2.0
    assert found["p50"].note is not None
    assert "there and back" in found["p50"].note.en


def test_costs_are_times_a_price(setting: Setting) -> None:
    found = by_name(cost.measure(setting, seen([]), None))
    assert found["seconds_per_1000"].value == pytest.approx(200.0)
    assert found["per_1000"].value == pytest.approx(200.0 * 1.0 / 3600)
    assert found["training_seconds"].value == 120.0
    assert found["training"].value == pytest.approx(120.0 / 3600)
    assert {found[name].unit for name in ("per_1000", "training")} == {"money"}


def test_without_a_price_there_is_no_money_and_untuned_arms_have_no_training(setting: Setting) -> None:
    free = replace(setting, recipe=setting.recipe.model_copy(update={"price": None}))
    assert set(by_name(cost.measure(free, seen([]), None))) == {"seconds_per_1000", "training_seconds"}
    assert set(by_name(cost.measure(setting, seen([], "base"), None))) == {"seconds_per_1000", "per_1000"}
    # What another machine's owner charges cannot be told from times.
    assert set(by_name(cost.measure(setting, seen([], "base", elsewhere=True), None))) == {"seconds_per_1000"}


def test_the_cost_of_answers_has_the_interval_of_their_times(setting: Setting) -> None:
    times = np.linspace(0.1, 0.8, 8).tolist()
    own = replace(seen([]), measured=measured(times))
    found = by_name(cost.measure(setting, own, None))["seconds_per_1000"]
    assert found.low == pytest.approx(100.0)
    assert found.high == pytest.approx(800.0)
    assert found.items == 8
