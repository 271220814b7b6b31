"""The learning curve of the tuned arm as the report draws it: what it reached with parts of its rows, and the law through that.

In: the proof's `LearningCurve` and a `Phrasing`. Out: SVG from `data_charts`, words from here. It fits nothing.
"""

from __future__ import annotations

from typing import Final

from markupsafe import Markup

from sonmat.core.proof import LearningCurve
from sonmat.core.text import Text
from sonmat.steps.report import charts, data_charts, labels
from sonmat.steps.report.phrasing import Phrasing
from sonmat.steps.report.vocabulary import measure_named

MORE_DATA: Final = Text(en="More data?", ko="데이터를 더하면?")
TITLE: Final = Text(en="{measure} of {name} by training rows", ko="학습 행 수에 따른 {name}의 {measure}")
INTRO: Final = Text(
    en="Each dot is a training of its own on a part of the rows, with its 95 % interval on the sealed test set. The curve is a power "
    "law fitted to the dots; its band heeds the test items and that trainings differ by chance. Beyond the line it is a forecast "
    "for rows like these. Nothing was chosen by it.",
    ko="점마다 행의 일부로 따로 학습해 봉인된 테스트 데이터로 잰 값과 95% 구간입니다. 곡선은 점에 맞춘 거듭제곱 법칙이고, 띠에는 "
    "테스트 문항의 우연과 학습마다 달라지는 우연이 들어 있습니다. 선 오른쪽은 비슷한 행을 더할 때의 예측입니다. 이 곡선으로 "
    "고른 것은 없습니다.",
)


def learning_curve_title(curve: LearningCurve, phrasing: Phrasing) -> str:
    """The figure's heading."""
    return phrasing.say(TITLE, measure=phrasing.say(measure_named(curve.metric).title), name=curve.arm)


def learning_curve_plot(curve: LearningCurve, phrasing: Phrasing) -> Markup:
    """Dots, curve and band, with a line at the rows that there are."""
    measure = measure_named(curve.metric)
    formats: tuple[charts.Format, charts.Format, charts.Format] = (
        phrasing.count,
        lambda value: phrasing.amount(value, measure),
        lambda value: phrasing.tick(value, measure),
    )
    dots = [data_charts.Bounds(each.rows, each.score.value, each.score.low, each.score.high) for each in curve.points]
    law = [data_charts.Bounds(each.rows, each.value, each.low, each.high) for each in curve.fitted]
    here = (float(curve.rows), phrasing.say(labels.ROWS_NOW, rows=phrasing.count(curve.rows)))
    return data_charts.banded_curve(learning_curve_title(curve, phrasing), dots, law, here, formats)
