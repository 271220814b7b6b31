"""A tuned share of replay: chosen by its rule on validation rows alone, the very model of that share, continued after a kill, told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file

from sonmat import plugins
from sonmat.core.errors import Paused, SettingError
from sonmat.core.protocols import FitJob, FitResult, Workload
from sonmat.core.text import Text
from sonmat.core.values import Device, ModelFacts
from sonmat.statistics.resampling import Floats, Groups
from sonmat.training import distance, replay
from sonmat.training.general_texts import PromptAndText
from sonmat.training.replay_share import Trained, Trial, Weighed, _Telling, choose, tune_share, weigh
from sonmat.training.settings import SHARES, TrainingSettings
from tests.training import test_preserving as preserving
from tests.training.test_preserving import GENERAL, TASK, fit, general_prompts, job_on, share_known
from tests.training.tiny_jobs import Heard, tiny_job

schooled = preserving.schooled
NATS = plugins.find("metrics", "nll_per_character")
ACCURACY = plugins.find("metrics", "accuracy")


# ── the rule ────────────────────────────────────────────────────────────────────────────────────────────────────────


def trial(share: float, statistics: Sequence[Sequence[float | None]], distance: float) -> Trial:
    rows = tuple(tuple(row) for row in statistics)
    return Trial(
        share=share, statistics=rows, distance=distance, steps=4, best_step=4, selection={}, trained_parameters=1,
        stopped=None, budget=None,
    )  # fmt: skip


def nats(mean: float, rows: int = 40, spread: float = 0.1, seed: int = 0) -> list[list[float | None]]:
    """Statistics of rows of ten characters whose nats a character lie around `mean`."""
    around = np.random.default_rng(seed).normal(0, spread, rows)
    return [[10 * (mean + each), 10.0] for each in around - around.mean()]


def test_what_is_clearly_worse_is_out_and_of_the_rest_the_nearest_to_the_base_is_kept() -> None:
    tried = [trial(0.3, nats(0.9), 0.01), trial(0.1, nats(0.51, seed=1), 0.05), trial(0.0, nats(0.5, seed=2), 0.40)]
    weighed = weigh(tried, NATS, seed=0)
    assert [each.good_enough for each in weighed] == [False, True, True]
    assert choose(weighed).share == 0.1
    assert [each.worse for each in weighed] == pytest.approx([0.4, 0.01, 0.0], abs=1e-9)


def test_the_noise_is_that_of_the_paired_difference_of_rows_and_of_groups_where_there_are_any() -> None:
    one, other = nats(0.52, spread=0.3), nats(0.50, spread=0.3)
    shifted = [[row[0] + step, row[1]] for row, step in zip(other, [0.5, -0.1] * 20, strict=True)]  # type: ignore[operator]

    def noise(statistics: Sequence[Sequence[float | None]], groups: Groups | None = None) -> float:
        tried = [trial(0.3, statistics, 0.1), trial(0.0, other, 0.2)]
        return next(each.noise for each in weigh(tried, NATS, 0, groups) if each.share == 0.3)

    assert noise(one) == pytest.approx(0, abs=1e-9), "rows that are all worse by as much leave no doubt"
    differences = np.array([0.05, -0.01] * 20)
    assert noise(shifted) == pytest.approx(differences.std(ddof=1) / math.sqrt(40), rel=0.1)
    halves = [f"group {row % 2}" for row in range(40)]
    assert noise(shifted, halves) > 3 * noise(shifted), "twenty rows of one customer are not twenty"


def test_of_equally_near_ones_the_smaller_share_and_more_is_better_where_the_metric_says_so() -> None:
    right: list[list[float | None]] = [[1.0, 1.0]] * 20
    wrong: list[list[float | None]] = [[0.0, 1.0]] * 20
    equal = [trial(share, right, 0.1) for share in SHARES]
    assert choose(weigh(equal, ACCURACY, 0)).share == 0
    worse = [trial(0.3, wrong, 0.1), trial(0.1, right, 0.2), trial(0.0, right, 0.3)]
    assert choose(weigh(worse, ACCURACY, 0)).share == 0.1


def test_rows_without_a_value_count_for_no_share_and_what_cannot_be_weighed_is_no_replay() -> None:
    holed: list[list[float | None]] = [[None, None], *nats(0.5, rows=20)[1:]]
    tried = [trial(0.3, nats(0.4, rows=20), 0.1), trial(0.1, holed, 0.2), trial(0.0, nats(0.5, rows=20), 0.3)]
    assert len(weigh(tried, NATS, 0)) == 3
    nan = float("nan")
    assert [each.share for each in weigh([trial(0.3, nats(0.4), nan), trial(0.0, nats(0.5), 0.3)], NATS, 0)] == [0.0]
    assert weigh([trial(share, [[None, None]], 0.1) for share in SHARES], NATS, 0) == []
    assert choose([]).share == 0


# ── whole fits ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def general(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tiny base knows stands for general prompts, and for general texts."""
    monkeypatch.setattr(replay, "prompts", general_prompts)
    texts = tuple(
        PromptAndText(id=f"{place}", language="en", prompt=asked, text=said, provenance="test")
        for place, (asked, said) in enumerate(GENERAL.items())
    )
    monkeypatch.setattr(distance, "watched_texts", lambda: texts)


@pytest.mark.usefixtures("general")
def test_a_share_that_keeps_what_the_base_knows_is_found_and_told(schooled: Path, tmp_path: Path) -> None:
    """The task is learnt by heart with every share; without replay all that the base knew is lost."""
    heard = Heard()
    job = replace(job_on(schooled, tmp_path, TASK, replay="tuned", learning_rate=8e-3, epochs=20), emit=heard)
    result = fit(job)
    assert not job.work.exists(), "the models of the other shares take no disk"
    (event,) = heard.of("replay_chosen")
    assert [each["share"] for each in event["tried"]] == list(SHARES)
    far = {each["share"]: each["distance"] for each in event["tried"]}
    assert far[0.3] < far[0.1] < far[0.0] / 2
    assert event["replay"] == 0.3
    assert share_known(job.folder, TASK) == 1
    assert share_known(job.folder, GENERAL) >= 0.8
    assert result.budget is not None
    assert f"0%, 10%, 30% trained and compared on 4 validation rows; {event['replay']:.0%} kept" in result.budget.en


@pytest.mark.usefixtures("general")
def test_the_kept_model_is_that_of_its_share_and_a_paused_fit_continues_exactly(schooled: Path, tmp_path: Path) -> None:
    """Paused in the second of three trainings: the first is not done again, and the second goes on where it was."""
    wanted: dict[str, Any] = {"interpolate": True, "epochs": 2, "learning_rate": 1e-2}
    job, heard, later = job_on(schooled, tmp_path / "tuned", TASK, replay="tuned", **wanted), Heard(), Heard()
    with pytest.raises(Paused):
        fit(replace(job, emit=heard, should_pause=lambda: len(heard.of("step")) == 8))
    result = fit(replace(job, emit=later))
    assert [(data["replay"], data["step"]) for data in later.of("resumed")] == [(0.3, 6), (0.1, 2)]
    done = [*heard.of("step"), *later.of("step")]
    steps = {data["replay"]: data["total"] for data in done}
    assert (steps[0.3], steps[0.0]) == (6, 4)
    taken = [(data["replay"], data["step"]) for data in done]
    assert taken == [(share, step + 1) for share in SHARES for step in range(steps[share])], "each step once"
    (event,) = later.of("replay_chosen")
    plain = job_on(schooled, tmp_path / "plain", TASK, replay=event["replay"], **wanted)
    alone = fit(plain)
    assert (result.steps, result.best_step, result.selection) == (alone.steps, alone.best_step, alone.selection)
    assert {file.name for file in job.folder.iterdir()} == {file.name for file in plain.folder.iterdir()}
    (weights,) = job.folder.glob("*.safetensors")
    again = load_file(plain.folder / weights.name)
    assert all(torch.equal(tensor, again[name]) for name, tensor in load_file(weights).items())


def test_a_kill_between_measuring_and_keeping_trains_nothing_again(tmp_path: Path) -> None:
    """A share counts as trained from the moment that its file is there, whatever happens to those behind it."""
    job, asked = replace(job_of(tmp_path), selection=NATS), list[float]()

    def train(own: FitJob, share: float) -> Trained:
        asked.append(share)
        if share == 0.0 and len(asked) == 3:
            raise KeyboardInterrupt
        (own.folder / "weights").write_text(str(share))
        statistics: Floats = np.array(nats(0.5, rows=len(job.validation)), dtype=np.float64)
        return Trained(FitResult(steps=3, selection={"loss": share}), statistics, distance=1 - share)

    with pytest.raises(KeyboardInterrupt):
        tune_share(job, train)
    result = tune_share(job, train)
    assert asked == [0.3, 0.1, 0.0, 0.0]
    assert (job.folder / "weights").read_text() == "0.3"
    assert result.selection == {"loss": 0.3}


def job_of(folder: Path) -> FitJob:
    return tiny_job("chat", "full", folder)


def test_what_makes_no_sense_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    heard = Heard()
    with pytest.raises(SettingError, match="write none"):
        fit(tiny_job("text-classification", "full", tmp_path, heard, replay="tuned"))
    assert heard.events == []
    for wrong in ("tunde", -0.1, 0.95, True, None, [0.1]):
        with pytest.raises(ValidationError, match=r"a share from 0 to 0.9, or tuned") as caught:
            TrainingSettings.model_validate({"replay": wrong})
        assert len(caught.value.errors()) == 1
    assert [TrainingSettings.model_validate({"replay": each}).replay for each in (0, 0.9, "0.2", "tuned")] == [
        0.0, 0.9, 0.2, "tuned",
    ]  # fmt: skip


# ── told ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_plan_counts_every_training() -> None:
    base = ModelFacts(
        name="b", path="", origin="", checksum="", family="llama", model_type="llama", parameters=10**8, hidden_size=512,
        layers=8, vocabulary=32_000, chat=True,
    )  # fmt: skip
    workload = Workload(base, Device(flops_per_second=5e10), 800, 100, 100, 60.0, 200, 40.0)
    method = plugins.find("methods", "lora")

    def estimated(share: Any) -> Any:
        return method.estimate(method.Settings(replay=share), workload)

    alone = [estimated(share).seconds for share in SHARES]
    tuned = estimated("tuned")
    start = 12.0
    assert tuned.seconds > sum(each - start for each in alone)
    assert tuned.seconds == pytest.approx(sum(each - start for each in alone) + start, rel=0.05)
    assert tuned.peak_bytes == estimated(0.3).peak_bytes
    assert "3 trainings, one for each share of replay" in tuned.basis.en


def test_the_time_left_is_that_of_all_shares_that_are_still_to_be_trained() -> None:
    heard = Heard()
    tell = _Telling(heard, 0.3, (0.1, 0.0))
    tell("progress", done=4, total=10, seconds_left=12.0)
    tell("progress", done=10, total=10, seconds_left=0.0)
    tell("progress", Text(en="encoding", ko="부호화"), done=1, total=2, seconds_left=3.0)
    later = 20.0 * (0.7 / 0.9 + 0.7)
    assert [data["seconds_left"] for data in heard.of("progress")] == pytest.approx([12 + later, later, 3], abs=0.1)
    assert all(data["replay"] == 0.3 for data in heard.of("progress"))


def test_weighed_shares_know_whether_they_are_good_enough() -> None:
    assert Weighed(0.1, 0.5, worse=0.2, noise=0.1, distance=1).good_enough
    assert not Weighed(0.1, 0.5, worse=0.21, noise=0.1, distance=1).good_enough
