"""The share of replay that the validation rows speak for: `replay: tuned`.

In: a job, and how to train it with one share. Out: the model of the share that is kept. Each share of `SHARES` is trained from the
base as if the user had set it, in a folder of its own beneath the job's work. Of the shares that are not worse on the validation rows
than the best one by more than two standard errors of the paired difference (the rule of Breiman, Friedman, Olshen and Stone 1984,
section 3.4.3, with two errors for one, as for thresholds), the one is kept that moved the model least from its base: KL(base‖tuned) on
general texts that no training sees (`training.distance`). A share whose training is done is not trained again after a kill, and the
kept model is the one that a fit with that share gives.
"""

from __future__ import annotations

import gc
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from sonmat.core.protocols import Emit, FitJob, FitResult, Metric
from sonmat.core.text import Text
from sonmat.core.values import Value
from sonmat.runs.files import read_value, write_value
from sonmat.statistics.intervals import difference_standard_error, paired_samples
from sonmat.statistics.resampling import Floats, Groups
from sonmat.training.settings import SHARES

STANDARD_ERRORS: Final = 2.0
RESAMPLES: Final = 2_000
TRIAL_FILE: Final = "trial.json"


@dataclass(frozen=True)
class Trained:
    """A fit whose model is written, and what can be said of it beside others."""

    result: FitResult
    statistics: Floats
    """Of the selection metric on the validation rows, shape (rows, k)."""
    distance: float
    """From the base, in nats per token."""


class Trial(Value):
    """What the training with one share came to."""

    share: float
    statistics: tuple[tuple[float | None, ...], ...]
    """Of each validation row; None where it has no value."""
    distance: float
    steps: int
    best_step: int
    selection: dict[str, float]
    trained_parameters: int
    stopped: Text | None
    budget: Text | None


@dataclass(frozen=True)
class Weighed:
    """A share beside the others."""

    share: float
    value: float
    """The selection metric on the validation rows."""
    worse: float
    """By how much it is worse than the best share."""
    noise: float
    """Standard error of that difference."""
    distance: float

    @property
    def good_enough(self) -> bool:
        return self.worse <= STANDARD_ERRORS * self.noise


def tune_share(job: FitJob, train: Callable[[FitJob, float], Trained]) -> FitResult:
    """Fit `job` with every share, and write the model folder of the one that is kept.

    Args:
        train: fits a job with one share and measures the model.
    Raises:
        Paused: the job was asked to; what is trained so far is not trained again.
    """
    # The largest share first: a base that ends too few answers by itself is found out before anything is trained.
    trials = [_trial(job, place, train) for place in range(len(SHARES))]
    weighed = weigh(trials, job.selection, job.seed, [example.group for example in job.validation])
    best = choose(weighed)
    kept = next(trial for trial in trials if trial.share == best.share)
    job.emit(
        "replay_chosen",
        _chosen(best, weighed),
        replay=best.share,
        tried=[
            {"share": each.share, "value": each.value, "worse": each.worse, "noise": each.noise, "distance": each.distance}
            for each in weighed
        ],
    )
    shutil.copytree(job.work / _name(best.share) / "model", job.folder, dirs_exist_ok=True)
    shutil.rmtree(job.work, ignore_errors=True)
    return FitResult(
        steps=kept.steps,
        best_step=kept.best_step,
        selection=kept.selection,
        trained_parameters=kept.trained_parameters,
        stopped=kept.stopped,
        budget=_budget(best.share, len(job.validation), kept.budget),
    )


def weigh(trials: Sequence[Trial], selection: Metric, seed: int, groups: Groups | None = None) -> list[Weighed]:
    """Every share beside the best; those whose metric or distance is not finite are left out."""
    arms = {trial.share: np.array(trial.statistics, dtype=np.float64) for trial in trials}
    # Paired: rows without a value for one share count for none.
    valued = np.all([np.isfinite(each).all(axis=1) for each in arms.values()], axis=0)
    if not valued.any():
        return []
    kept = [group for group, yes in zip(groups, valued, strict=True) if yes] if groups is not None else None
    named = {_name(share): each[valued] for share, each in arms.items()}
    paired = paired_samples(selection.value, named, seed, kept, RESAMPLES)
    samples = {share: paired[_name(share)] for share in arms}
    sign = 1 if selection.higher_is_better else -1
    finite = [each for each in trials if math.isfinite(samples[each.share].value) and math.isfinite(each.distance)]
    if not finite:
        return []
    # Of equals the smaller share.
    best = samples[max(finite, key=lambda each: (sign * samples[each.share].value, -each.share)).share]
    return [
        Weighed(
            share=each.share,
            value=samples[each.share].value,
            worse=sign * (best.value - samples[each.share].value),
            noise=difference_standard_error(best, samples[each.share]),
            distance=each.distance,
        )
        for each in finite
    ]


def choose(weighed: Sequence[Weighed]) -> Weighed:
    """Of those that are good enough the nearest to the base; of equally near ones the smaller share. No replay where nothing can be
    weighed."""
    enough = [each for each in weighed if each.good_enough]
    return min(enough, key=lambda each: (each.distance, each.share), default=Weighed(0.0, math.nan, 0.0, 0.0, math.nan))


def _trial(job: FitJob, place: int, train: Callable[[FitJob, float], Trained]) -> Trial:
    share = SHARES[place]
    where = job.work / _name(share)
    job.emit("replay_share", _begins(share, place + 1), replay=share, number=place + 1, of=len(SHARES))
    if (where / TRIAL_FILE).is_file():
        known = read_value(where / TRIAL_FILE, Trial)
        job.emit("resumed", step=known.steps, replay=share)
        return known
    shutil.rmtree(where / "model", ignore_errors=True)
    (where / "model").mkdir(parents=True)
    # The model of the share before may be as large as the one that is loaded now.
    gc.collect()
    emit = _Telling(job.emit, share, SHARES[place + 1 :])
    own = replace(job, folder=where / "model", work=where / "work", cache=job.cache or job.work / "cache", emit=emit)
    done = train(own, share)
    found = Trial(
        share=share,
        statistics=tuple(tuple(None if math.isnan(each) else each for each in row) for row in done.statistics.tolist()),
        distance=done.distance,
        steps=done.result.steps,
        best_step=done.result.best_step,
        selection=dict(done.result.selection),
        trained_parameters=done.result.trained_parameters,
        stopped=done.result.stopped,
        budget=done.result.budget,
    )
    write_value(where / TRIAL_FILE, found)
    return found


class _Telling:
    """An `Emit` of one share's training: says which share it is, and counts the trainings behind it into the time left."""

    def __init__(self, emit: Emit, share: float, later: Sequence[float]) -> None:
        self.emit, self.share = emit, share
        # An epoch with a share takes 1 / (1 - share) of one without.
        self.trainings_left = sum((1 - share) / (1 - each) for each in later)
        self.pace = 0.0
        """Seconds a step."""

    def __call__(self, kind: str, message: Text | None = None, /, **data: Any) -> None:
        if kind == "progress" and message is None:
            left, still = data["seconds_left"], data["total"] - data["done"]
            self.pace = left / still if still else self.pace
            data["seconds_left"] = round(left + self.pace * data["total"] * self.trainings_left, 1)
        self.emit(kind, message, **{**data, "replay": self.share})


def _name(share: float) -> str:
    return f"replay-{share:g}"


def _begins(share: float, number: int) -> Text:
    of = len(SHARES)
    if share == 0:
        return Text(en=f"Share of replay {number} of {of}: none.", ko=f"replay 비율 {number}/{of}: 섞지 않음.")
    return Text(en=f"Share of replay {number} of {of}: {share:.0%}.", ko=f"replay 비율 {number}/{of}: {share:.0%}.")


def _chosen(best: Weighed, weighed: Sequence[Weighed]) -> Text:
    distances = ", ".join(f"{each.share:.0%} {each.distance:.3g}" for each in weighed)
    if not weighed:
        return Text(
            en="No replay is kept: the validation rows cannot tell the shares apart.",
            ko="replay를 쓰지 않습니다. 검증 행으로는 비율을 비교할 수 없습니다.",
        )
    worse = ", ".join(f"{each.share:.0%}" for each in weighed if not each.good_enough)
    worse_en = f"; worse: {worse}" if worse else ""
    worse_ko = f". 나빠진 비율: {worse}" if worse else ""
    kept = Text(en=f"Replay of {best.share:.0%} is kept", ko=f"replay 비율을 {best.share:.0%}로 정했습니다")
    if best.share == 0:
        kept = Text(en="No replay is kept", ko="replay 없이 학습한 모델을 씁니다")
    return Text(
        en=f"{kept.en}: of the shares that are no worse on the validation rows beyond noise, it moved the model least from its "
        f"base (nats per token: {distances}){worse_en}.",
        ko=f"{kept.ko}. 검증 행에서 오차 범위를 넘어 나빠지지 않은 비율 가운데 기본 모델에서 가장 덜 벗어났습니다"
        f"(토큰당 nats: {distances}){worse_ko}.",
    )


def _budget(share: float, rows: int, more: Text | None) -> Text:
    tried = ", ".join(f"{each:.0%}" for each in sorted(SHARES))
    return Text(
        en=f"Shares of replay of {tried} trained and compared on {rows} validation rows; {share:.0%} kept."
        + (f" {more.en}" if more else ""),
        ko=f"replay 비율 {tried}로 각각 학습해 검증 행 {rows}개에서 비교했고 {share:.0%}를 골랐습니다."
        + (f" {more.ko}" if more else ""),
    )
