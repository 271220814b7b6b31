"""What a temperature and costs did to an arm's answers: likelihood before and after, classes at the decision, costs by threshold.

In: answers to the test set with a probability of every label. Out: `Tally`s and `Measure`s for the probe of calibration. It chooses
nothing: the decision was chosen on validation rows, and a threshold picked from the table here would have been picked on the test set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sonmat.core.decision import Costs
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Prediction
from sonmat.core.text import Text
from sonmat.inference.deciding import log_shares_of, undecided_scores
from sonmat.probing.answers import groups_of
from sonmat.probing.tallies import Tally
from sonmat.statistics.costs import cost_interval
from sonmat.statistics.resampling import cluster_of_items, number_of_clusters

MOST_CLASSES: Final = 12
"""Classes that are all shown; of more, those that the user has given costs."""
THRESHOLDS: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def temperatures_of(seen: Seen) -> list[float]:
    """Every temperature that an answer was given with, once; several after a cross-validation, none where none was chosen."""
    return sorted({answer.temperature for answer in seen.answers.values() if answer.temperature is not None})


def own_confidences(stated: Mapping[str, tuple[float, float]], seen: Seen) -> dict[str, tuple[float, float]]:
    """Confidence and right or wrong, as `stated` has them, with the confidence that the model itself gives the same label."""
    found = {}
    for row, (confidence, right) in stated.items():
        answer = seen.answers[row]
        own = undecided_scores(answer).get(str(answer.output.get("label")), confidence)
        found[row] = (min(1.0, own), right)
    return found


def likelihood_tallies(setting: Setting, own: Seen, base: Seen | None) -> list[Tally]:
    """The negative log-likelihood of the right label, and what the temperature took off it."""
    after, before = _nll(setting, own, scaled=True), _nll(setting, own, scaled=False)
    tallies = [
        Tally(
            name="nll",
            title=Text(en="negative log-likelihood of the right label", ko="정답 라벨의 음의 로그 가능도"),
            outcomes=after,
            base=_nll(setting, base, scaled=True) if base is not None else None,
            share=False,
            unit="nats",
            groups=groups_of(setting.test),
        )
    ]
    if not temperatures_of(own) or not after:
        return tallies if after else []
    mean = sum(before.values()) / len(before)
    return [
        *tallies,
        Tally(
            name="scaling",
            title=Text(en="negative log-likelihood that the temperature took off", ko="온도 보정이 줄인 음의 로그 가능도"),
            outcomes={row: before[row] - nats for row, nats in after.items()},
            higher_is_better=True,
            share=False,
            unit="nats",
            groups=groups_of(setting.test),
            note=Text(
                en=f"The temperature was chosen on validation rows. Without it there would be {mean:.3f} nats on these rows. "
                "Below 0 the temperature did harm here.",
                ko=f"온도는 검증 행으로 정했습니다. 온도 보정이 없으면 이 행에서 {mean:.3f}나트입니다. 0보다 작으면 여기서는 보정이 "
                "해가 된 것입니다.",
            ),
        ),
    ]


def class_tallies(setting: Setting, own: Seen, base: Seen | None, costs: Costs | None) -> list[Tally]:
    """Recall and precision of the classes that matter, as the arm decides."""
    labels = [label for label in setting.spec.labels if costs is not None and label in costs.given]
    if len(setting.spec.labels) <= MOST_CLASSES:
        labels = list(setting.spec.labels)
    found = []
    for label in labels:
        recall = _recall(setting, own, label)
        answered = {
            example.id: float(example.target["label"] == label)
            for example in setting.test
            if example.id in own.answers and own.answers[example.id].output.get("label") == label
        }
        found += [
            Tally(
                name="recall",
                title=Text(en="recall", ko="재현율"),
                outcomes=recall,
                base=_recall(setting, base, label) if base is not None else None,
                higher_is_better=True,
                groups=groups_of(setting.test),
                slice={"label": label},
            ),
            Tally(
                name="precision",
                title=Text(en="precision", ko="정밀도"),
                outcomes=answered,
                higher_is_better=True,
                groups=groups_of(setting.test),
                slice={"label": label},
            ),
        ]
    return found


def threshold_costs(setting: Setting, own: Seen, costs: Costs | None) -> list[Measure]:
    """What the arm would cost with other thresholds of the one label that is dear to miss; nothing where there is none."""
    labels = list(setting.spec.labels)
    rows = [
        example
        for example in setting.test
        if set((own.answers.get(example.id) or _NOTHING).output.get("scores") or {}) == set(labels)
    ]
    if costs is None or costs.watched is None or not rows:
        return []
    watched = costs.watched
    place = labels.index(watched)
    shares = np.exp(log_shares_of([own.answers[example.id].output["scores"] for example in rows], labels))
    others = np.where(np.arange(len(labels)) == place, -1.0, shares)
    best, mine = others.argmax(axis=1), shares[:, place]
    share = mine / np.maximum(mine + others.max(axis=1), np.finfo(np.float64).tiny)
    targets = [example.target["label"] for example in rows]
    of_it = np.array([target == watched for target in targets])
    groups = groups_of(setting.test)
    clusters = number_of_clusters(cluster_of_items(len(rows), [groups.get(example.id) for example in rows]))
    worst = np.array([costs.of(target, None) for target in targets])
    found = []
    for threshold in THRESHOLDS:
        answered = share >= threshold
        answers = [watched if yes else labels[other] for yes, other in zip(answered, best, strict=True)]
        paid = np.array([costs.of(target, answer) for target, answer in zip(targets, answers, strict=True)])
        interval = cost_interval(paid, worst, clusters)
        found.append(
            Measure(
                probe="calibration",
                name="cost_at",
                title=Text(en="mean cost with this threshold", ko="이 기준에서의 평균 비용"),
                arm=own.candidate.id,
                value=float(paid.mean()),
                low=interval.low,
                high=interval.high,
                items=len(rows),
                unit="score",
                higher_is_better=None,
                slice={"label": watched, "threshold": f"{threshold:g}"},
                note=_told(watched, threshold, answered, of_it),
            )
        )
    return found


_NOTHING: Final = Prediction(row="", output={}, seconds=0.0)


def _nll(setting: Setting, seen: Seen, scaled: bool) -> dict[str, float]:
    """Nats by test row, of answers with a probability of every label."""
    found, labels = {}, list(setting.spec.labels)
    for example in setting.test:
        answer = seen.answers.get(example.id) or _NOTHING
        scores = (answer.output.get("scores") or {}) if scaled else undecided_scores(answer)
        if set(scores) == set(labels):
            found[example.id] = -float(log_shares_of([scores], labels)[0][labels.index(example.target["label"])])
    return found


def _recall(setting: Setting, seen: Seen, label: str) -> dict[str, float]:
    return {
        example.id: float(seen.answers[example.id].output.get("label") == label)
        for example in setting.test
        if example.target["label"] == label and example.id in seen.answers
    }


def _told(label: str, threshold: float, answered: NDArray[np.bool_], of_it: NDArray[np.bool_]) -> Text:
    said, there, right = int(answered.sum()), int(of_it.sum()), int((answered & of_it).sum())
    return Text(
        en=f"'{label}' answered from a share of {threshold:g}: {right} of {there} found, {said - right} false alarms. For looking, "
        "not for choosing: a threshold picked here would be picked on the test set.",
        ko=f"비율 {threshold:g}부터 '{label}'(이)라고 답하면 {there}개 중 {right}개를 찾고 {said - right}개를 잘못 잡습니다. "
        "보기만 하고 고르지는 마세요. 여기서 고르면 테스트 데이터로 고르는 셈입니다.",
    )
