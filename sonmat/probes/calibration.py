"""Calibration: may the arm's confidences be believed, so that one can say 'below 70 % ask a person'?

In: answers to the test set with their confidences; nothing is asked of the model. Out: the Brier score, over-confidence, the expected
calibration error beside what chance would show, that error without bias, and the bins of a reliability plot. 'Right' is the label that
was chosen; how the rest of the confidence is spread over other labels only the likelihood looks at. Where a temperature was chosen on
validation rows, the same figures with the model's own confidences stand beside them (`*_before`). Recall and precision of classes, and
what other thresholds would cost, are told of the decision as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from sonmat.core.decision import costs_of
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.answers import groups_of
from sonmat.probing.decision_measures import (
    class_tallies,
    likelihood_tallies,
    own_confidences,
    temperatures_of,
    threshold_costs,
)
from sonmat.probing.signed_means import never_a_point
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics.calibration import FEWEST, Bin, Calibration, calibration_of
from sonmat.statistics.proportions import Interval

_NO_LABELS: Final = No(Text(en="its answers are no labels.", ko="라벨로 답하는 작업이 아닙니다."))


class Calibrated:
    name = "calibration"
    title = Text(en="Calibration", ko="확신도의 정확성")
    measures: tuple[str, ...] = (
        "brier", "brier_before", "overconfidence", "temperature", "ece", "ece_before", "error", "reliability",
        "nll", "scaling", "recall", "precision", "cost_at",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return Yes() if "label" in setting.task.Target.model_fields else _NO_LABELS

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        stated = _stated(setting, own)
        if not stated:
            return []
        before = _stated(setting, base) if base is not None else None
        costs = costs_of(setting.recipe.cost, setting.spec.labels)
        tallies = [_brier(setting, stated, before), _overconfidence(setting, stated, before)]
        found = measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)
        measures = [never_a_point(each, least=0.0 if each.name == "brier" else -1.0) for each in found]
        if len(stated) >= FEWEST:
            errors = _calibration(setting, stated)
            measures += [*_errors(own.candidate.id, errors, len(stated)), *_reliability(own.candidate.id, errors.bins)]
        decided = [*likelihood_tallies(setting, own, base), *class_tallies(setting, own, base, costs)]
        return [
            *measures,
            *_as_the_model_has_them(setting, stated, own),
            *measures_of(decided, probe=self.name, arm=own.candidate.id, seed=setting.seed),
            *threshold_costs(setting, own, costs),
        ]


def _stated(setting: Setting, seen: Seen) -> dict[str, tuple[float, float]]:
    """Confidence, and 1 where the answer is right, of every answer that has a confidence, in the order of the test set."""
    found = {}
    for example in setting.test:
        answer = seen.answers.get(example.id)
        if answer is not None and answer.confidence is not None:
            right = answer.output.get("label") == example.target["label"]
            found[example.id] = (min(1.0, max(0.0, answer.confidence)), float(right))
    return found


def _calibration(setting: Setting, stated: dict[str, tuple[float, float]]) -> Calibration:
    groups = groups_of(setting.test)
    return calibration_of(
        np.array([confidence for confidence, _ in stated.values()], dtype=np.float64),
        np.array([right for _, right in stated.values()], dtype=np.float64),
        setting.seed,
        [groups.get(row) for row in stated],
    )


def _as_the_model_has_them(setting: Setting, stated: dict[str, tuple[float, float]], own: Seen) -> list[Measure]:
    """The temperature, and what the Brier score and the ECE would be without it; nothing where none was chosen."""
    temperatures = temperatures_of(own)
    if not temperatures:
        return []
    arm, before = own.candidate.id, own_confidences(stated, own)
    span = f"{temperatures[0]:.2f}" if len(temperatures) == 1 else f"{temperatures[0]:.2f}–{temperatures[-1]:.2f}"
    brier = _brier(setting, before, None)
    unscaled = replace(
        brier,
        name="brier_before",
        title=Text(en=f"{brier.title.en}, without the temperature", ko=f"{brier.title.ko}(온도 보정 전)"),
    )
    found = [
        Measure(
            probe=Calibrated.name,
            name="temperature",
            title=Text(en="temperature of the confidences", ko="확신도의 온도"),
            arm=arm,
            value=float(np.median(temperatures)),
            items=len(stated),
            unit="score",
            higher_is_better=None,
            note=Text(
                en=f"{span}: log-probabilities are divided by it. Above 1 the model by itself was too sure, below 1 too modest. "
                "Chosen on validation rows.",
                ko=f"{span}: 로그 확률을 이 값으로 나눕니다. 1보다 크면 모델이 지나치게 확신했고, 작으면 지나치게 조심한 것입니다. "
                "검증 행으로 정했습니다.",
            ),
        ),
        *(
            never_a_point(each, least=0.0)
            for each in measures_of([unscaled], probe=Calibrated.name, arm=arm, seed=setting.seed)
        ),
    ]
    if len(stated) >= FEWEST:
        errors, title = _calibration(setting, before), f"{_ECE.en}, without the temperature"
        than = Text(en="As the model by itself says.", ko="모델이 스스로 말하는 확신도입니다.")
        text = Text(en=title, ko=f"{_ECE.ko}(온도 보정 전)")
        found.append(_error(arm, "ece_before", text, errors.expected, errors.expected_interval, len(stated), than))
    return found


def _brier(setting: Setting, own: dict[str, tuple[float, float]], base: dict[str, tuple[float, float]] | None) -> Tally:
    """Brier 1950, Monthly Weather Review 78:1, of the statement 'this answer is right'."""

    def squares(stated: dict[str, tuple[float, float]]) -> dict[str, float]:
        return {row: (confidence - right) ** 2 for row, (confidence, right) in stated.items()}

    return Tally(
        name="brier",
        title=Text(en="Brier score of the confidences", ko="확신도의 브라이어 점수"),
        outcomes=squares(own),
        base=squares(base) if base else None,
        share=False,
        unit="score",
        groups=groups_of(setting.test),
        note=Text(
            en="Mean of (confidence − right)², 0 to 1. It rewards being right as well as knowing when one is not; saying 50 % to "
            "everything scores 0.25.",
            ko="(확신도 − 정답 여부)²의 평균이며 0에서 1 사이입니다. 많이 맞힐수록, 또 틀릴 때를 잘 알수록 낮아집니다. "
            "늘 50%라고만 하면 0.25입니다.",
        ),
    )


def _overconfidence(
    setting: Setting, own: dict[str, tuple[float, float]], base: dict[str, tuple[float, float]] | None
) -> Tally:
    def excess(stated: dict[str, tuple[float, float]]) -> dict[str, float]:
        return {row: confidence - right for row, (confidence, right) in stated.items()}

    confidence = sum(stated for stated, _ in own.values()) / len(own)
    right = sum(right for _, right in own.values()) / len(own)
    return Tally(
        name="overconfidence",
        title=Text(en="confidence above the share of right answers", ko="정답률을 넘는 확신도"),
        outcomes=excess(own),
        base=excess(base) if base else None,
        # Too much and too little are both wrong.
        higher_is_better=None,
        share=False,
        groups=groups_of(setting.test),
        rows=_surest_errors(own),
        note=Text(
            en=f"It says {confidence:.1%} on average, and {right:.1%} of the answers are right. Above 0 it is too sure, below 0 too "
            "modest. The rows are wrong answers, the surest first.",
            ko=f"평균 {confidence:.1%}라고 하는데 답변의 {right:.1%}가 맞습니다. 0보다 크면 지나치게 확신하고, 작으면 지나치게 "
            "조심합니다. 행은 틀린 답변이며 가장 확신한 것부터입니다.",
        ),
    )


def _surest_errors(stated: dict[str, tuple[float, float]]) -> tuple[str, ...]:
    wrong = [row for row, (_, right) in stated.items() if not right]
    return tuple(sorted(wrong, key=lambda row: -stated[row][0]))


def _errors(arm: str, found: Calibration, items: int) -> list[Measure]:
    beyond = found.expected > found.chance_high
    than_chance = Text(
        en="more than chance explains" if beyond else "no more than chance explains",
        ko="우연으로 설명되는 것보다 큽니다" if beyond else "우연으로 설명되는 만큼입니다",
    )
    expected = Text(
        en=f"{len(found.bins)} bins of equal mass. Biased upwards: a perfectly calibrated arm with these confidences would show "
        f"{found.chance:.1%} on {items} answers, up to {found.chance_high:.1%}. This is {than_chance.en}.",
        ko=f"개수가 같은 구간 {len(found.bins)}개로 나눴습니다. 실제보다 크게 나오는 값입니다. 확신도가 완벽하게 맞아도 답변 "
        f"{items}개에서는 평균 {found.chance:.1%}, 많게는 {found.chance_high:.1%}가 나옵니다. 이 값은 {than_chance.ko}.",
    )
    unbiased = Text(
        en="Root of the mean squared distance between confidence and share of right answers, less what chance adds to it.",
        ko="확신도와 정답률 차이의 제곱 평균에서 우연이 보탠 몫을 빼고 제곱근을 구한 값입니다.",
    )
    return [
        _error(arm, "ece", _ECE, found.expected, found.expected_interval, items, expected),
        _error(arm, "error", _ERROR, found.root_mean_square, found.root_mean_square_interval, items, unbiased),
    ]


def _error(arm: str, name: str, title: Text, value: float, interval: Interval, items: int, note: Text) -> Measure:
    return Measure(
        probe=Calibrated.name,
        name=name,
        title=title,
        arm=arm,
        value=value,
        low=interval.low,
        high=interval.high,
        items=items,
        higher_is_better=False,
        note=note,
    )


def _reliability(arm: str, bins: Sequence[Bin]) -> list[Measure]:
    """One measure a bin, for the plot: its place on the other axis is the mean confidence in `slice`."""
    return [
        Measure(
            probe=Calibrated.name,
            name="reliability",
            title=Text(en="right answers at this confidence", ko="이 확신도에서의 정답률"),
            arm=arm,
            value=each.right,
            low=each.interval.low,
            high=each.interval.high,
            items=each.items,
            higher_is_better=None,
            slice={"bin": str(number), "confidence": f"{each.confidence:.4f}"},
            note=Text(
                en=f"{each.items} answers with confidences from {each.low:.1%} to {each.high:.1%}, {each.confidence:.1%} on average.",
                ko=f"확신도가 {each.low:.1%}에서 {each.high:.1%} 사이인 답변 {each.items}개이며, 평균 {each.confidence:.1%}입니다.",
            ),
        )
        for number, each in enumerate(bins, start=1)
    ]


_ECE: Final = Text(en="expected calibration error (ECE)", ko="기대 보정 오차(ECE)")
_ERROR: Final = Text(en="calibration error without the bias of few answers", ko="적은 답변 수의 편향을 뺀 보정 오차")

plugin = Calibrated()
