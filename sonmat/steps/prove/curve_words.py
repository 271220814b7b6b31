"""What a learning curve says, in one sentence: what twice the rows would bring, hardly anything, or that it cannot be told.

In: a metric and the curve. Out: a sentence in both languages. It computes nothing.
"""

from __future__ import annotations

from sonmat.checking.trained_curve import TrainedCurve
from sonmat.core.protocols import Metric
from sonmat.core.text import Text
from sonmat.steps.prove.phrases import Phrases


def sentence_of(metric: Metric, found: TrainedCurve | None, rows: int) -> Text:
    """Args:
    found: None where no curve can be fitted.
    """
    if found is None:
        return Text(
            en="What more training rows would bring cannot be told: no curve fits the trainings on parts of them.",
            ko="학습 행을 더하면 나아질지 알 수 없습니다. 일부만으로 학습한 결과에 맞는 곡선이 없습니다.",
        )
    phrases, title = Phrases(metric, {}), metric.title
    amount, most = phrases.amount(found.gain.value), phrases.amount(found.gain.high)
    interval = f"[{phrases.number(found.gain.low)}, {phrases.number(found.gain.high)}]"
    fewer = not metric.higher_is_better
    if found.says == "helps":
        return Text(
            en=f"What more data would bring: twice the {rows:,} training rows about {amount.en} {'less' if fewer else 'more'} "
            f"{title.en} {interval}, if they are like these and the curve goes on as it has.",
            ko=f"데이터를 더하면: 학습 행 {rows:,}개를 비슷한 행을 더해 두 배로 늘리면 {title.ko} 기준으로 {amount.ko}쯤 "
            f"{'낮아질' if fewer else '높아질'} 것으로 보입니다 {interval}. 곡선이 지금처럼 이어질 때의 이야기입니다.",
        )
    if found.says == "hardly":
        return Text(
            en=f"More data of this kind would hardly help: twice the {rows:,} training rows would better {title.en} by {most.en} "
            "at most. Other cases, better answers or another base would do more.",
            ko=f"비슷한 데이터를 더해도 거의 나아지지 않습니다. 학습 행 {rows:,}개를 두 배로 늘려도 {title.ko} 기준으로 많아야 "
            f"{most.ko} 좋아집니다. 없던 경우를 더하거나 답을 다듬거나 다른 기본 모델을 쓰는 편이 낫습니다.",
        )
    low = phrases.amount(found.gain.low)
    return Text(
        en=f"Whether more data would help cannot be told: twice the {rows:,} training rows would better {title.en} by anything from "
        f"{low.en} to {most.en}.",
        ko=f"데이터를 더하면 나아질지 알 수 없습니다. 학습 행 {rows:,}개를 두 배로 늘리면 {title.ko} 기준으로 {low.ko}에서 {most.ko} "
        "사이로 좋아질 수 있습니다.",
    )
