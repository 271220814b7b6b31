"""From a classifier's probabilities to its answer: temperature, costs and threshold, the same in the proof and in use.

In: a predictor and a `Decision`. Out: a predictor that answers by it. `choose_decision` chooses one on answers to validation rows; it
is never shown a test row. Without costs the most probable label stays the answer, and only the confidences change. Answers without a
probability of every label pass as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sonmat.core.decision import Costs, Decision
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.core.text import Text
from sonmat.inference.classification import scores_of
from sonmat.statistics.costs import FEWEST_OF_EACH, Threshold, cheapest_answers, choose_threshold
from sonmat.statistics.resampling import Floats
from sonmat.statistics.temperature import best_temperature, mean_nll, scaled

_ROUNDED_AWAY = 1e-6
"""Predictors that round to six decimals give 0 for what is less than half of this."""


@dataclass(frozen=True)
class Deciding:
    """A predictor whose probabilities become labels by `decision`."""

    predictor: Predictor
    decision: Decision

    def loaded(self) -> Predictor:
        """The predictor behind, with the model's own probabilities."""
        return self.predictor

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for prediction in self.predictor.answer(questions):
            yield decided(prediction, self.decision)


def decided(prediction: Prediction, decision: Decision) -> Prediction:
    """The prediction with the shares and the label that `decision` makes of the model's own."""
    scores = prediction.output.get("scores")
    if not scores:
        return prediction
    labels = list(scores)
    shares = np.exp(scaled(log_shares_of([scores], labels)[0], decision.temperature))
    best = labels.index(_label_of(labels, shares, decision))
    return prediction.model_copy(
        update={
            "output": {**prediction.output, "label": labels[best], "scores": scores_of(labels, shares.tolist())},
            "confidence": float(shares[best]),
            "temperature": decision.temperature,
        }
    )


def undecided_scores(prediction: Prediction) -> dict[str, float]:
    """The model's own probabilities, from those that `decided` made of them; empty where it gave none."""
    scores: dict[str, float] = prediction.output.get("scores") or {}
    if not scores or prediction.temperature is None:
        return scores
    labels = list(scores)
    return scores_of(labels, np.exp(scaled(log_shares_of([scores], labels)[0], 1 / prediction.temperature)).tolist())


def choose_decision(
    predictions: Sequence[Prediction], targets: Mapping[str, str], labels: Sequence[str], costs: Costs | None
) -> Decision | None:
    """The decision that answers to validation rows speak for; None where the model gives no probability of every label.

    Args:
        predictions: the model's own, to validation rows.
        targets: by row the right label.
        costs: of errors; None where the user has set none.
    """
    all_scores = [prediction.output.get("scores") or {} for prediction in predictions]
    if not predictions or any(set(scores) != set(labels) for scores in all_scores):
        return None
    log_shares = log_shares_of(all_scores, labels)
    right = np.array([labels.index(targets[prediction.row]) for prediction in predictions], dtype=np.intp)
    # A predictor that says the same to everything has nothing to be scaled.
    constant = bool(np.all(log_shares == log_shares[0]))
    temperature = 1.0 if constant else best_temperature(log_shares, right)
    found = Decision(temperature=temperature, costs=costs, rows=len(predictions))
    threshold = _threshold(np.exp(scaled(log_shares, temperature)), right, list(labels), costs) if not constant else None
    if threshold is not None and costs is not None:
        found = found.model_copy(update={"watched": costs.watched, "threshold": threshold.share})
    said = _budget(found, threshold, mean_nll(log_shares, right), mean_nll(log_shares, right, temperature), constant)
    return found.model_copy(update={"budget": said})


def with_costs(decision: Decision, costs: Costs | None) -> Decision:
    """The decision for other costs where there are no rows to choose by: the temperature stays, expected costs decide."""
    return Decision(temperature=decision.temperature, costs=costs)


def log_shares_of(scores: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Floats:
    """Natural logarithms of probabilities, shape (rows, labels); what was rounded to 0 is as small as it may have been."""
    shares = np.array([[row[label] for label in labels] for row in scores], dtype=np.float64)
    least = np.where(shares > 0, shares, _ROUNDED_AWAY).min(axis=1, keepdims=True)
    return np.asarray(np.log(np.where(shares > 0, shares, np.minimum(least, _ROUNDED_AWAY) / 2)), dtype=np.float64)


def _label_of(labels: Sequence[str], shares: Floats, decision: Decision) -> str:
    if decision.costs is None:
        return labels[int(shares.argmax())]
    if decision.watched in labels and decision.threshold is not None:
        watched = labels.index(decision.watched)
        share, other = _against_the_best_other(shares[None], watched)
        return labels[watched if share[0] >= decision.threshold else int(other[0])]
    return labels[int(cheapest_answers(shares[None], np.array(decision.costs.rows(labels)))[0])]


def _threshold(
    shares: Floats, right: np.ndarray[tuple[int], np.dtype[np.intp]], labels: Sequence[str], costs: Costs | None
) -> Threshold | None:
    """None where no single label is watched, or where it or its absence is too rare to choose by."""
    if costs is None or costs.watched is None:
        return None
    watched = labels.index(costs.watched)
    of_it = int((right == watched).sum())
    if min(of_it, len(right) - of_it) < FEWEST_OF_EACH:
        return None
    share, other = _against_the_best_other(shares, watched)
    by_answer = np.array(costs.rows(labels))
    return choose_threshold(share, by_answer[right, watched], by_answer[right, other], costs.usual_threshold(costs.watched))


def _against_the_best_other(shares: Floats, watched: int) -> tuple[Floats, np.ndarray[tuple[int], np.dtype[np.intp]]]:
    """Of every row the watched label's share of itself and the most probable other label, and which that is."""
    others = shares.copy()
    others[:, watched] = -1.0
    best = others.argmax(axis=1)
    own, rival = shares[:, watched], others[np.arange(len(others)), best]
    return own / np.maximum(own + rival, np.finfo(np.float64).tiny), best


def _budget(found: Decision, threshold: Threshold | None, before: float, after: float, constant: bool) -> Text | None:
    """What was tried on the validation rows."""
    parts = [] if constant else [_temperature_chosen(found, before, after)]
    if threshold is not None and found.costs is not None and found.watched is not None:
        parts.append(_threshold_chosen(found, threshold, found.costs.usual_threshold(found.watched)))
    if not parts:
        return None
    return Text(en=" ".join(part.en for part in parts), ko=" ".join(part.ko for part in parts))


def _temperature_chosen(found: Decision, before: float, after: float) -> Text:
    return Text(
        en=f"Temperature {found.temperature:.2f} chosen on {found.rows:,} validation rows (negative log-likelihood {before:.3f} → "
        f"{after:.3f}).",
        ko=f"검증 행 {found.rows:,}개로 온도를 {found.temperature:.2f}(으)로 정했습니다(음의 로그 가능도 {before:.3f} → {after:.3f}).",
    )


def _threshold_chosen(found: Decision, threshold: Threshold, usual: float) -> Text:
    if threshold.share == usual:
        return Text(
            en=f"'{found.watched}' is answered from a share of {usual:.3g}, as the costs ask; on the same rows no other threshold was "
            "cheaper beyond noise.",
            ko=f"'{found.watched}'은(는) 비용대로 비율 {usual:.3g}부터 답합니다. 같은 행에서 오차 범위를 넘어 더 싼 기준은 "
            "없었습니다.",
        )
    return Text(
        en=f"'{found.watched}' is answered from a share of {threshold.share:.3g}, chosen on the same rows: mean cost "
        f"{threshold.cost:.3g} there, against {threshold.usual_cost:.3g} at {usual:.3g}, which the costs by themselves ask for.",
        ko=f"'{found.watched}'은(는) 같은 행에서 고른 비율 {threshold.share:.3g}부터 답합니다. 그 행의 평균 비용은 "
        f"{threshold.cost:.3g}이고, 비용만으로 정해지는 {usual:.3g}에서는 {threshold.usual_cost:.3g}입니다.",
    )
