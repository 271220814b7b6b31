"""Every word of the model card that is not the page's as well. Names in braces are filled in where it is said."""

from __future__ import annotations

from typing import Final

from sonmat.core.text import Text

USE: Final = Text(en="Intended use", ko="쓰임새")
USE_TASK: Final = Text(
    en="{task} on inputs like those of the test set ({languages}). Before it is used on anything else, measure it there.",
    ko="테스트 데이터와 비슷한 입력({languages})에 대한 {task}용입니다. 다른 곳에 쓰기 전에는 그곳의 데이터로 먼저 재 보세요.",
)
USE_TASK_PLAIN: Final = Text(
    en="{task} on inputs like those of the test set. Before it is used on anything else, measure it there.",
    ko="테스트 데이터와 비슷한 입력에 대한 {task}용입니다. 다른 곳에 쓰기 전에는 그곳의 데이터로 먼저 재 보세요.",
)
USE_NOT: Final = Text(
    en="It was not made to decide about people's rights, health or money without somebody who checks its answers.",
    ko="사람의 권리, 건강, 돈에 관한 일을 확인하는 사람 없이 결정하도록 만든 모델이 아닙니다.",
)
NO_TUNING: Final = Text(
    en="No weights were trained: this is the base model as it is, with whatever is put beside it (instructions, examples, passages, "
    "training rows).",
    ko="가중치를 학습하지 않았습니다. 기본 모델을 그대로 쓰고, 필요하면 지시문, 예시, 자료, 학습 행을 곁들인 것입니다.",
)
NO_BASE: Final = Text(
    en="It holds no pretrained model: all that it knows comes from the training rows.",
    ko="사전학습 모델 없이 학습 행에서만 배웠습니다.",
)
ELSEWHERE: Final = Text(
    en="Nothing was trained. Another machine answers; what was measured are its answers on the day of the proof.",
    ko="학습한 것이 없습니다. 다른 컴퓨터의 모델이 답하며, 증명한 날의 답을 잰 것입니다.",
)
LICENCE_ELSEWHERE: Final = Text(
    en="The model is not part of this: the terms of those who run it hold.",
    ko="모델이 들어 있지 않습니다. 그 모델을 운영하는 곳의 약관을 따릅니다.",
)
AGAINST: Final = Text(
    en="Against {name} on the same rows: {difference} in {measure} ({level} interval {low} to {high}).",
    ko="같은 행에서 {name} 대비 {measure} 차이: {difference}({level} 신뢰구간 {low}~{high}).",
)
BESIDES: Final = Text(en="What else was measured", ko="그 밖에 잰 것")
BESIDES_INTRO: Final = Text(
    en="Of this candidate alone. A change is against its untuned base on the same items; in bold where it is beyond noise.",
    ko="이 후보만의 값입니다. 변화는 같은 문항에서 미세조정하지 않은 기본 모델과 견준 것이고, 오차 범위를 넘으면 굵게 표시했습니다.",
)
BESIDES_NONE: Final = Text(
    en="Nothing: neither forgetting nor safety nor fairness was measured.",
    ko="없습니다. 망각, 안전성, 공정성을 재지 않았습니다.",
)
LEFT_OUT: Final = Text(en="{count} more are in report.json.", ko="나머지 {count}개는 report.json에 있습니다.")
MEASURE: Final = Text(en="Measure", ko="지표")
VALUE: Final = Text(en="Value (95\u00a0% interval)", ko="값(95% 신뢰구간)")
ITEMS: Final = Text(en="Items", ko="문항")
CHANGE: Final = Text(en="Change by tuning", ko="미세조정에 따른 변화")
BETTER: Final = Text(en="better", ko="나아짐")
WORSE: Final = Text(en="worse", ko="나빠짐")
GUARDS: Final = Text(en="Guards", ko="지켜야 할 조건")
GUARDS_INTRO: Final = Text(en="Bounds that it had to keep to be recommended.", ko="추천을 받으려면 지켜야 했던 조건입니다.")
GUARDS_NONE: Final = Text(en="No bound was set for it.", ko="이 후보에 정해 둔 조건이 없습니다.")
KEPT: Final = Text(en="kept", ko="지킴")
BROKEN: Final = Text(en="**not kept**", ko="**어김**")
LIMITS_SMALL: Final = Text(
    en="{items} test rows are few: look at the intervals, not at the values.",
    ko="테스트 행이 {items}개뿐이니 값보다 구간을 보세요.",
)
LICENCE_UNKNOWN: Final = Text(
    en="The licence of the base model {base} ({origin}) is not known. Find out before you pass this model on.",
    ko="기본 모델 {base}({origin})의 라이선스를 알 수 없습니다. 이 모델을 남에게 주기 전에 꼭 확인하세요.",
)
LICENCE_LINK: Final = Text(en="Its terms: {url}", ko="조건: {url}")
LANGUAGES: Final = {
    "ko": Text(en="Korean", ko="한국어"),
    "en": Text(en="English", ko="영어"),
    "ja": Text(en="Japanese", ko="일본어"),
    "zh": Text(en="Chinese", ko="중국어"),
}
