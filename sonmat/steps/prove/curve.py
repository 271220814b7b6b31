"""More data? The arm that was tuned is trained again on parts of its rows, and answers the same sealed test set.

In: a run whose arms are judged. Out: a `LearningCurve`, or nothing. Parts are an eighth, a quarter and a half of the training rows,
each within the next, twice each with other rows and another seed; settings and validation rows are the arm's own. Each training is a
job like that of a candidate: one that was interrupted goes on, one that is done is not done again. Without the user's word it is done
only where the minutes that the user gave for fitting leave room for all of it, and where there are rows enough to see something. It
runs behind the verdict and chooses nothing, so the test set stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sonmat import plugins
from sonmat.checking.nested_parts import nested_parts
from sonmat.checking.trained_curve import RESAMPLES, Scale, TrainedCurve, Training, trained_curve
from sonmat.core.decision import Costs
from sonmat.core.probing import Setting
from sonmat.core.proof import Arm, CurvePoint, CurveSpan, LearningCurve, Prediction, Proof, Score
from sonmat.core.protocols import Emit, Judged, Metric
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Split
from sonmat.models.deciding import costs_of_run
from sonmat.runs import RunFolder, write_value
from sonmat.runs.files import read_header
from sonmat.runs.fit_keys import make_room, part_key
from sonmat.runs.folds import has_answered
from sonmat.runs.parts import TrainingPart, part_file
from sonmat.statistics import paired_samples, value_interval
from sonmat.statistics.resampling import Floats
from sonmat.steps.prove.curve_words import sentence_of
from sonmat.training.estimates import START_SECONDS

HALVINGS: Final = (3, 2, 1)
TRAININGS: Final = 2
"""On each part: how far trainings scatter can only be seen where there are several."""
FEWEST_ROWS: Final = 240
"""Training rows from which on it is measured without being asked: an eighth of them is 30."""
FEWEST_ITEMS: Final = 50
"""Test items from which on; fewer hardly tell any two trainings apart."""
_LEAST_ROWS: Final = 32
"""Training rows without which it cannot be measured at all."""
_SPANS: Final = 24


@dataclass(frozen=True)
class Wish:
    """A curve that is to be measured."""

    candidate: Candidate
    parts: tuple[TrainingPart, ...]
    left: int
    """Trainings that are not yet done,"""
    seconds: float
    """and what they will take."""


def wanted_curve(folder: RunFolder, setting: Setting, proof: Proof) -> Wish | Text | None:
    """What is to be trained; why not, where the user asked for it; None where nobody did and it is not worth it."""
    if setting.recipe.curve is False:
        return None
    asked = bool(setting.recipe.curve)
    split = folder.split()
    candidate = _tuned(folder, proof)
    refusal = _refusal(candidate, split)
    if candidate is None or refusal is not None:
        return refusal if asked else None
    few = len(split.train) < FEWEST_ROWS or len(split.test) < FEWEST_ITEMS
    if few and not asked:
        return None
    parts = _parts(folder, setting, candidate)
    left = [_seconds(folder, candidate, part) for part in parts if not _is_done(folder, candidate, part)]
    wish = Wish(candidate, parts, len(left), sum(left))
    return wish if asked or wish.seconds <= _seconds_left(folder, setting) else None


def measure_curve(
    folder: RunFolder, setting: Setting, proof: Proof, wish: Wish, run_job: Callable[[str], None], emit: Emit
) -> LearningCurve:
    """Do what is not yet done of the trainings and draw the curve.

    Raises:
        Paused: Ctrl-C.
        SonmatError: a training or its answers failed.
    """
    for number, part in enumerate(wish.parts, start=1):
        if _is_done(folder, wish.candidate, part):
            continue
        title = _title(part, len(setting.train))
        emit("candidate", title, candidate=part.name, number=number, of=len(wish.parts))
        key = part_key(folder, wish.candidate, part)
        make_room(folder, part.name, key)
        write_value(part_file(folder, part.name), part, key)
        header = read_header(folder.candidate_folder(part.name) / "fitted.json")
        if header is None or header.inputs != key or not (folder.candidate_folder(part.name) / "model").exists():
            run_job(f"fit/{part.name}")
        run_job(f"answer/{part.name}")
    return _drawn(folder, setting, proof, wish)


def announced(wish: Wish, rows: int) -> Text:
    """What is about to be done, and how long it will take."""
    minutes, times = max(1, round(wish.seconds / 60)), len(wish.parts)
    done = times - wish.left
    more_en, more_ko = (f", {done} of them done already", f"(그중 {done}번은 이미 했습니다)") if done else ("", "")
    return Text(
        en=f"What would more rows bring? {wish.candidate.id} is trained on parts of its {rows:,} rows, {times} times in all{more_en} "
        f"(about {minutes} min).",
        ko=f"행을 더하면 나아질까요? {wish.candidate.id}을(를) 학습 행 {rows:,}개의 일부로 모두 {times}번 다시 학습합니다{more_ko}. "
        f"약 {minutes}분 걸립니다.",
    )


# ── what to train ───────────────────────────────────────────────────────────────────────────────────────────────────


def _tuned(folder: RunFolder, proof: Proof) -> Candidate | None:
    """The arm in use, if it was tuned on these rows; else the best that was."""
    planned = {each.id: each for each in folder.plan().candidates}
    metric = plugins.find("metrics", proof.headline)
    sign = 1 if metric.higher_is_better else -1
    order = sorted(proof.arms, key=lambda arm: (arm.candidate != proof.verdict.use, -sign * arm.headline.value))
    ours = [planned[arm.candidate] for arm in order if arm.candidate in planned]
    return next((each for each in ours if each.role == "tuned" and each.learns and each.over is None), None)


def _refusal(candidate: Candidate | None, split: Split) -> Text | None:
    if candidate is None:
        return Text(en="no arm was tuned on these rows.", ko="이 데이터로 미세조정한 후보가 없습니다.")
    if split.folds:
        return Text(
            en="in a cross-validation each row is both learnt from and tested on; it takes a test set of its own (--folds 0).",
            ko="교차 검증에서는 모든 행이 학습과 테스트에 함께 쓰입니다. 테스트 데이터를 따로 떼어야 합니다(--folds 0).",
        )
    if len(split.train) < _LEAST_ROWS:
        return Text(
            en=f"{len(split.train)} training rows are too few to take an eighth of them.",
            ko=f"학습 행이 {len(split.train)}개라 8분의 1만 쓰기에는 너무 적습니다.",
        )
    return None


def _parts(folder: RunFolder, setting: Setting, candidate: Candidate) -> tuple[TrainingPart, ...]:
    """The smallest first, so that the longest training comes last."""
    links = [cluster for finding in folder.audit().findings for cluster in finding.clusters]
    shares = [0.5**halvings for halvings in HALVINGS]
    found = {}
    for number in range(1, TRAININGS + 1):
        seed = setting.seed + number
        for halvings, ids in zip(HALVINGS, nested_parts(setting.train, links, shares, seed), strict=True):
            found[halvings, number] = TrainingPart(
                candidate=candidate.id, number=number, halvings=halvings, train=ids, seed=seed
            )
    return tuple(found[halvings, number] for halvings in HALVINGS for number in range(1, TRAININGS + 1))


def _is_done(folder: RunFolder, candidate: Candidate, part: TrainingPart) -> bool:
    """Whether a training on these very rows has answered."""
    header = read_header(folder.candidate_folder(part.name) / "fitted.json")
    return header is not None and header.inputs == part_key(folder, candidate, part) and has_answered(folder, part.name)


def _seconds(folder: RunFolder, candidate: Candidate, part: TrainingPart) -> float:
    """By what training on all rows and answering took. Validation does not shrink with the part: an eighth counts as a quarter."""
    share = max(0.5**part.halvings, 0.25)
    return 2 * START_SECONDS + share * folder.fitted(candidate.id).seconds + folder.measured(candidate.id).seconds


def _seconds_left(folder: RunFolder, setting: Setting) -> float:
    """Of the user's minutes those that fitting the candidates has left."""
    spent = sum(folder.fitted(each.id).seconds for each in folder.plan().candidates if _was_fitted(folder, each))
    return 60 * setting.recipe.minutes - spent


def _was_fitted(folder: RunFolder, candidate: Candidate) -> bool:
    return candidate.learns and (folder.candidate_folder(candidate.id) / "fitted.json").exists()


def _title(part: TrainingPart, rows: int) -> Text:
    few, again = len(part.train), part.number > 1
    return Text(
        en=f"Learning curve: {few:,} of {rows:,} rows{', other ones' if again else ''}",
        ko=f"학습 곡선: {rows:,}행 중 {few:,}행{'(다른 행)' if again else ''}",
    )


# ── what came of it ─────────────────────────────────────────────────────────────────────────────────────────────────


def _drawn(folder: RunFolder, setting: Setting, proof: Proof, wish: Wish) -> LearningCurve:
    metric, costs = plugins.find("metrics", proof.headline), costs_of_run(folder)
    arm = next(each for each in proof.arms if each.candidate == wish.candidate.id)
    sizes = {part.name: len(part.train) for part in wish.parts} | {arm.candidate: len(setting.train)}
    statistics = {name: _statistics(metric, setting.test, list(folder.predictions(name)), costs) for name in sizes}
    groups = [example.group for example in setting.test]
    grouped = None if all(group is None for group in groups) else groups
    scale = Scale(metric.value, metric.higher_is_better, metric.percent)
    trainings = [Training(rows, statistics[name]) for name, rows in sizes.items()]
    found = trained_curve(scale, trainings, grouped, setting.seed)
    samples = paired_samples(metric.value, statistics, setting.seed, grouped, RESAMPLES)
    points = [CurvePoint(rows=len(setting.train), score=arm.headline, training=arm.candidate)]
    for part in wish.parts:
        sample = samples[part.name]
        interval = value_interval(sample, share=metric.percent, right_or_wrong=metric.right_or_wrong)
        score = Score(metric=metric.name, value=sample.value, low=interval.low, high=interval.high, items=len(setting.test))
        points.append(CurvePoint(rows=sizes[part.name], score=score, training=part.name))
    return _curve(metric, arm, tuple(sorted(points, key=lambda point: point.rows)), found, len(setting.train))


def _curve(
    metric: Metric, arm: Arm, points: tuple[CurvePoint, ...], found: TrainedCurve | None, rows: int
) -> LearningCurve:
    if found is None:
        return LearningCurve(
            arm=arm.candidate, metric=metric.name, points=points, rows=rows, sentence=sentence_of(metric, None, rows)
        )
    return LearningCurve(
        arm=arm.candidate,
        metric=metric.name,
        points=points,
        fitted=tuple(_span(metric, found, round(at)) for at in np.geomspace(points[0].rows, 2 * rows, _SPANS)),
        rows=rows,
        gain=found.gain.value,
        low=found.gain.low,
        high=found.gain.high,
        says=found.says,
        sentence=sentence_of(metric, found, rows),
    )


def _span(metric: Metric, found: TrainedCurve, rows: int) -> CurveSpan:
    error = found.error(rows)
    if not metric.higher_is_better:
        return CurveSpan(rows=rows, value=error.value, low=error.low, high=error.high)
    whole = 1.0 if metric.percent else 0.0
    return CurveSpan(rows=rows, value=whole - error.value, low=whole - error.high, high=whole - error.low)


def _statistics(metric: Metric, test: Sequence[Example], predictions: Sequence[Prediction], costs: Costs | None) -> Floats:
    answers = {prediction.row: prediction for prediction in predictions}
    return metric.statistics(
        [
            Judged(
                example.input,
                example.target,
                answers[example.id].output,
                answers[example.id].confidence,
                answers[example.id].reference_nll,
                costs,
            )
            for example in test
        ]
    )
