"""The choice of a prompt: by validation rows alone, within its budget, the same again, and continued after a pause."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sonmat.core.errors import Paused
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, Question
from sonmat.core.values import Example, Json
from sonmat.prompting.choosing import Tries, answers_needed, choose_prompt, rungs, sample_of
from sonmat.prompting.predictor import PromptedPredictor, label_output, mean_shares
from sonmat.prompting.prompt import Prompt
from tests.prompting.tiny_talker import examples, label_job

GOOD_SHARES = {"bad": 0.1, "good": 0.6, "very odd": 0.3}


@dataclass
class Oracle:
    """Stands for the loaded base: a prompt is right as often as its instruction says, on rows that depend on nothing else."""

    asked: list[tuple[str, str]]

    def predictor(self, prompt: Prompt) -> Any:
        return _Answering(float(prompt.instruction or 0.0), self.asked)


@dataclass
class _Answering:
    skill: float
    asked: list[tuple[str, str]]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in questions:
            assert question.reference is not None
            self.asked.append((str(self.skill), question.row))
            lucky = (int(question.row.removeprefix("row")) * 37 % 100) / 100 < self.skill
            yield Prediction(row=question.row, output=question.reference if lucky else {"label": "none"}, seconds=0.0)


def prompts(*skills: float) -> list[Prompt]:
    return [Prompt(), *(Prompt(instruction=str(skill)) for skill in skills)]


def choice(job: FitJob, tried: list[Prompt], rows: int) -> tuple[Tries, list[tuple[str, str]]]:
    asked: list[tuple[str, str]] = []
    oracle: Any = Oracle(asked)
    return choose_prompt(job, tried, rows, oracle), asked


@pytest.fixture
def job(tmp_path: Path) -> FitJob:
    return replace(label_job(tmp_path, "best-prompt"), validation=examples(100, first=200))


def test_the_best_prompt_wins_and_the_first_is_tried_as_long_as_it(job: FitJob) -> None:
    tries, asked = choice(job, prompts(0.3, 0.9, 0.5, 0.2, 0.6, 0.1, 0.4), rows=64)
    assert tries.tried[0].prompt.instruction == "0.9"
    assert tries.tried[0].rows == 64
    (plain,) = [each for each in tries.tried if each.prompt == Prompt()]
    assert plain.rows == 64
    assert {each.prompt.instruction for each in tries.tried} == {None, "0.3", "0.9", "0.5", "0.2", "0.6", "0.1", "0.4"}
    assert len(asked) == len(set(asked)), "no row is asked twice in the same words"
    assert len(asked) <= answers_needed(8, 64)


def test_only_validation_rows_are_asked(job: FitJob) -> None:
    _, asked = choice(job, prompts(0.3, 0.9), rows=64)
    assert {row for _, row in asked} <= {example.id for example in job.validation}


def test_prompts_that_are_as_good_lose_against_the_one_before(job: FitJob) -> None:
    assert choice(job, prompts(0.0, 0.0), rows=32)[0].tried[0].prompt == Prompt()


def test_the_same_seed_chooses_the_same_and_another_samples_other_rows(job: FitJob, tmp_path: Path) -> None:
    again = replace(job, work=tmp_path / "again")
    assert choice(job, prompts(0.3, 0.9), 20)[0] == choice(again, prompts(0.3, 0.9), 20)[0]
    one, other = (sample_of(job.validation, 20, seed) for seed in (0, 1))
    assert [row.id for row in one] != [row.id for row in other]


def test_a_choice_that_was_paused_goes_on_where_it_was(job: FitJob, tmp_path: Path) -> None:
    whole, asked = choice(job, prompts(0.3, 0.9, 0.5), 40)
    calls = 0

    def pause() -> bool:
        nonlocal calls
        calls += 1
        return calls == 25

    halted = replace(job, work=tmp_path / "halted", should_pause=pause)
    with pytest.raises(Paused):
        choice(halted, prompts(0.3, 0.9, 0.5), 40)
    resumed, rest = choice(halted, prompts(0.3, 0.9, 0.5), 40)
    assert resumed == whole
    assert len(rest) == len(asked) - 25


def test_one_prompt_or_no_row_is_no_choice(job: FitJob) -> None:
    tries, asked = choice(job, prompts(), 64)
    assert (tries.tried[0].rows, asked) == (0, [])
    assert choice(replace(job, validation=()), prompts(0.5), 64)[0].tried[0].prompt == Prompt()


@pytest.mark.parametrize(("rows", "expected"), [(5, [5]), (16, [16]), (40, [16, 32, 40]), (64, [16, 32, 64])])
def test_samples_double(rows: int, expected: list[int]) -> None:
    assert rungs(rows) == expected


def test_the_budget_is_an_upper_bound_that_grows_with_prompts_and_rows() -> None:
    assert answers_needed(1, 64) == 64
    assert answers_needed(14, 64) == 14 * 16 + 8 * 16 + 5 * 32
    assert answers_needed(14, 0) == 0


def test_every_beginning_of_a_sample_holds_labels_as_evenly_as_may_be() -> None:
    rare = [example for example in examples(90) if example.target["label"] == "bad"][:4]
    rows: list[Example] = [*(example for example in examples(90) if example.target["label"] != "bad"), *rare]
    first = [example.target["label"] for example in sample_of(rows, 12, seed=3)]
    assert {label: first.count(label) for label in set(first)} == {"bad": 4, "good": 4, "very odd": 4}


def test_calibration_takes_off_what_a_model_likes_to_say() -> None:
    shares: list[dict[str, float]] = [GOOD_SHARES, {"bad": 0.05, "good": 0.8, "very odd": 0.15}]
    plain = label_output(Prompt(answer="likeliest"), GOOD_SHARES)
    assert (plain["label"], plain["scores"]) == ("good", GOOD_SHARES)
    calibrated = label_output(Prompt(answer="calibrated", mean_shares=mean_shares(shares)), GOOD_SHARES)
    assert calibrated["label"] == "very odd" or calibrated["label"] == "bad"
    assert sum(calibrated["scores"].values()) == pytest.approx(1, abs=1e-5)
    assert mean_shares(shares)["good"] == pytest.approx(0.7)


def test_both_ways_of_reading_likelihoods_are_computed_once(job: FitJob, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []

    def shares_of(self: PromptedPredictor, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, Json, float]]:
        for place in range(len(prompts)):
            computed.append(place)
            yield place, GOOD_SHARES, 0.0

    monkeypatch.setattr(PromptedPredictor, "shares_of", shares_of)
    monkeypatch.setattr(PromptedPredictor, "prompts_of", lambda self, inputs: [[0]] * len(inputs))

    class Base:
        def predictor(self, prompt: Prompt) -> PromptedPredictor:
            nothing: Any = None
            return PromptedPredictor(nothing, nothing, job.task, job.spec, job.device, 4, prompt)

    base: Any = Base()
    tries = choose_prompt(job, [Prompt(answer="likeliest"), Prompt(answer="calibrated")], 16, base)
    assert len(computed) == 16
    calibrated = next(each.prompt for each in tries.tried if each.prompt.answer == "calibrated")
    assert calibrated.mean_shares == pytest.approx(GOOD_SHARES)
