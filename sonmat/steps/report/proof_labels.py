"""Words of the report about probes, guards, forgetting, calibration and speed. Names in braces are filled in where it is said."""

from __future__ import annotations

from typing import Final

from sonmat.core.text import Text

# ── verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────────
ARMS_BESIDE: Final = Text(en="Every candidate at a glance", ko="한눈에 보는 모든 후보")
GUARDS: Final = Text(en="Guards kept", ko="지킨 조건")
GUARDS_OF: Final = Text(en="{kept} of {all} kept", ko="{all}개 중 {kept}개")
NO_GUARDS: Final = Text(en="none set", ko="조건 없음")
COST: Final = Text(en="1,000 answers", ko="답변 1,000개")
BUDGET: Final = Text(en="Tried on the validation rows", ko="검증용 행으로 시도한 것")
NONE_RECOMMENDED: Final = Text(en="No candidate keeps the guards", ko="조건을 모두 지키는 후보가 없습니다")
WITHOUT_GUARDS: Final = Text(en="Without the guards", ko="조건이 없다면")
ELSEWHERE: Final = Text(en="asked elsewhere", ko="외부에서 답함")
WOULD_CHANGE: Final = Text(en="What would change the verdict", ko="무엇이 결론을 바꿀까요?")
OTHERWISE: Final = Text(
    en="Without the guards {name} would be recommended.", ko="조건이 없었다면 {name}을(를) 추천했을 것입니다."
)
BROKEN: Final = Text(en="Broken guards", ko="어긴 조건")
BROKEN_INTRO: Final = Text(
    en="An arm that breaks one of these is not recommended.", ko="이 가운데 하나라도 어긴 후보는 추천하지 않습니다."
)
KEPT_GUARDS: Final = Text(en="Guards that were kept", ko="지킨 조건")
GUARD: Final = Text(en="Guard", ko="조건")
BOUND: Final = Text(en="Bound", ko="기준")
BOUND_HARM: Final = Text(en="{bound} of harm", ko="악화 {bound}")
MEASURED: Final = Text(en="Measured", ko="측정값")
UNKNOWN: Final = Text(en="unknown", ko="알 수 없음")
BY_USER: Final = Text(en="set by you", ko="직접 정한 조건")
BY_DEFAULT: Final = Text(en="default", ko="기본 조건")
UNMEASURED: Final = Text(en="What is not known", ko="알 수 없는 것")
UNMEASURED_INTRO: Final = Text(
    en="These were to be measured and could not be. Nothing may be concluded from their absence.",
    ko="재려고 했지만 재지 못한 것입니다. 값이 없다고 해서 문제가 없다는 뜻은 아닙니다.",
)
NOT_FOR_THIS: Final = Text(en="does not apply", ko="해당 없음")

# ── the plane ───────────────────────────────────────────────────────────────────────────────────────────────────────
GAIN: Final = Text(en="Gain against forgetting", ko="얻은 것과 잊은 것")
GAIN_INTRO: Final = Text(
    en="Upwards is what was gained in the task over {reference}, to the right what was forgotten besides. The best place is the "
    "upper left. Crosses are 95\u00a0% intervals.",
    ko="위로 갈수록 {reference}보다 과제에서 나아진 것이고, 오른쪽으로 갈수록 다른 능력을 잊은 것입니다. 왼쪽 위가 가장 좋은 "
    "자리입니다. 십자선은 95% 신뢰구간입니다.",
)
GAIN_AXIS: Final = Text(en="↑ Gain in {measure}", ko="↑ {measure} 향상")
GAIN_SHORT: Final = Text(en="Gain", ko="향상")
FORGOTTEN: Final = Text(en="Forgotten", ko="잊은 정도")
BOUND_LINE: Final = Text(en="guard: {bound}", ko="조건: {bound}")
FLOOR_LINE: Final = Text(en="noise floor: {value}", ko="잡음 바닥: {value}")
FLOOR_SAID: Final = Text(
    en="The noise floor is how far another wording alone moves the base.",
    ko="잡음 바닥은 표현만 바꿔도 기본 모델이 움직이는 정도입니다.",
)
ORIGIN_SAID: Final = Text(en="not tuned, so nothing forgotten", ko="미세조정하지 않아 잊은 것이 없음")

# ── probes ──────────────────────────────────────────────────────────────────────────────────────────────────────────
PROBES: Final = Text(en="Everything else that was measured", ko="그 밖에 측정한 것")
PROBES_INTRO: Final = Text(
    en="Probes look at what a score does not show. A change is what tuning did, against the untuned base on the same items; "
    "only what is marked ▲, ▼ or ◆ lies beyond noise. Counts are of {name}. Open a line to see every figure and the rows "
    "behind it.",
    ko="점수에 드러나지 않는 것을 재는 탐침입니다. 변화는 같은 문항에서 미세조정하지 않은 기본 모델과 견준 것이며, ▲, ▼, ◆로 표시한 "
    "것만 오차 범위를 넘습니다. 개수는 {name}의 것입니다. 줄을 누르면 모든 수치와 그 근거가 되는 행을 볼 수 있습니다.",
)
BETTER: Final = Text(en="better", ko="나아짐")
WORSE: Final = Text(en="worse", ko="나빠짐")
MOVED: Final = Text(en="changed", ko="달라짐")
LEVEL: Final = Text(en="within noise", ko="오차 범위 안")
COUNT_BETTER: Final = Text(en="▲ better: {count}", ko="▲ 나아짐 {count}")
COUNT_WORSE: Final = Text(en="▼ worse: {count}", ko="▼ 나빠짐 {count}")
COUNT_MOVED: Final = Text(en="◆ changed: {count}", ko="◆ 달라짐 {count}")
COUNT_LEVEL: Final = Text(en="within noise: {count}", ko="오차 범위 안 {count}")
COUNT_BROKEN: Final = Text(en="✕ guards broken: {count}", ko="✕ 어긴 조건 {count}")
HIGHER: Final = Text(en="higher is better", ko="높을수록 좋음")
LOWER: Final = Text(en="lower is better", ko="낮을수록 좋음")
EITHER: Final = Text(en="neither way is better", ko="높고 낮음에 좋고 나쁨이 없음")
FIGURE: Final = Text(en="Value", ko="값")
INTERVAL: Final = Text(en="Interval", ko="구간")
CHANGE: Final = Text(en="Change by tuning", ko="미세조정으로 달라진 정도")
ITEMS: Final = Text(en="n\u00a0=\u00a0{count}", ko="n\u00a0=\u00a0{count}")
FROM_UP: Final = Text(en="{low} or more", ko="{low} 이상")
UP_TO: Final = Text(en="up to {high}", ko="{high} 이하")
BEHIND_BOTH: Final = Text(en="{name}: rows and remark", ko="{name}: 행과 설명")
BEHIND_ROWS: Final = Text(en="{name}: rows", ko="{name}: 행")
BEHIND_REMARK: Final = Text(en="{name}: remark", ko="{name}: 설명")
ROWS_SHOWN: Final = Text(
    en="{shown} of the {all} rows that show it best; the others are named in proof.json.",
    ko="이 값을 가장 잘 보여 주는 {all}개 행 가운데 {shown}개입니다. 나머지는 proof.json에 있습니다.",
)
ROWS_ALL: Final = Text(en="Rows that show it best.", ko="이 값을 가장 잘 보여 주는 행입니다.")
ROWS_NOT_SHOWN: Final = Text(
    en="{all} rows show it; they are named in proof.json.", ko="이 값을 보여 주는 {all}개 행은 proof.json에 있습니다."
)
WANTED: Final = Text(en="right answer", ko="정답")
SEE_ITEM: Final = Text(en="see all answers", ko="모든 답변 보기")
PART: Final = Text(en="By {columns}", ko="{columns}별")
WORST_SLICE: Final = Text(en="worst", ko="가장 나쁨")
WORST_SLICE_IS: Final = Text(
    en="Worst of {name}: {slice}, {value} on {items} rows.",
    ko="{name}의 가장 나쁜 집단: {slice}, {items}개 행에서 {value}.",
)
SLICES_LEFT_OUT: Final = Text(
    en="{shown} of {all} slices are drawn, the worst first; all are in proof.json.",
    ko="집단 {all}개 가운데 나쁜 것부터 {shown}개를 그렸습니다. 전부는 proof.json에 있습니다.",
)
SETS_LEFT_OUT: Final = Text(
    en="{shown} of {all} plots of slices are drawn; all figures are in proof.json.",
    ko="집단별 그림 {all}개 가운데 {shown}개를 그렸습니다. 모든 수치는 proof.json에 있습니다.",
)
REMARKS: Final = Text(en="Remarks on single slices", ko="집단별 설명")
BASE_BESIDE: Final = Text(en="untuned base", ko="미세조정하지 않은 기본 모델")

# ── calibration ─────────────────────────────────────────────────────────────────────────────────────────────────────
CALIBRATION: Final = Text(en="May its confidence be believed?", ko="확신도를 믿어도 될까요?")
CALIBRATION_INTRO: Final = Text(
    en="Each dot holds equally many answers of about one confidence; its height is the share of them that is right, with its "
    "95\u00a0% interval. On the diagonal confidences are what they claim; below it the model is too sure, above it too modest.",
    ko="점마다 확신도가 비슷한 답변이 같은 수만큼 들어 있고, 높이는 그중 맞은 비율이며 선은 95% 신뢰구간입니다. 대각선 위에 "
    "있으면 확신도가 정확하고, 그보다 아래면 지나치게 확신하고, 위면 지나치게 조심합니다.",
)
CALIBRATION_BIN: Final = Text(
    en="{confidence} sure: {right} right ({low} – {high}), {items} answers",
    ko="확신도 {confidence}: 정답률 {right}({low} – {high}), 답변 {items}개",
)
CONFIDENCE_AXIS: Final = Text(en="confidence →", ko="확신도 →")
RIGHT_AXIS: Final = Text(en="↑ right answers", ko="↑ 정답률")

# ── speed ───────────────────────────────────────────────────────────────────────────────────────────────────────────
SPEED: Final = Text(en="How long an answer takes", ko="답변에 걸리는 시간")
SPEED_INTRO: Final = Text(
    en="Quantiles of the time for one answer asked alone, on this machine; the scale is logarithmic. Lines are 95\u00a0% "
    "intervals, an arrow an end that so few questions cannot tell.",
    ko="이 컴퓨터에서 하나씩 물었을 때 답변 하나에 걸린 시간의 분위수이며, 로그 눈금입니다. 선은 95% 신뢰구간이고, 화살표는 "
    "질문이 적어 끝을 알 수 없다는 뜻입니다.",
)

# ── training ────────────────────────────────────────────────────────────────────────────────────────────────────────
TRAINING_TOLD: Final = Text(en="How it was computed", ko="어떻게 계산했나")
COMPUTED_BY: Final = Text(en="Computed by {parts}.", ko="계산 방식 – {parts}.")

# ── units ───────────────────────────────────────────────────────────────────────────────────────────────────────────
NATS: Final = Text(en="\u00a0nats", ko="나트")
TOKENS_PER_SECOND: Final = Text(en="{number}\u00a0tokens/s", ko="초당 {number}토큰")
