"""Every word of the report's section on single test rows. Names in braces are filled in where it is said."""

from __future__ import annotations

from typing import Final

from sonmat.core.text import Text
from sonmat.steps.report.item_contents import Outcome, Why

ITEMS: Final = Text(en="Answers side by side", ko="답변 나란히 보기")
INTRO: Final = Text(
    en="{shown} of {rows} test rows with the answer of every candidate. Each says why it is here; only the rows drawn at random "
    "(seed {seed}) show how answers are in general. The rest are extremes.",
    ko="테스트 행 {rows}개 가운데 {shown}개에 대한 모든 후보의 답입니다. 행마다 고른 이유가 적혀 있습니다. 평소 모습은 무작위로 뽑은 "
    "행(시드 {seed})에서만 볼 수 있고, 나머지는 극단적인 경우입니다.",
)
MARKS: Final = Text(
    en="{deleted} stands only in the right answer, {inserted} only in the candidate's. A passage that differs need not be wrong.",
    ko="{deleted} 부분은 정답에만 있고, {inserted} 부분은 후보의 답에만 있습니다. 다르다고 해서 꼭 틀린 것은 아닙니다.",
)
MARKED_DELETED: Final = Text(en="Struck through", ko="줄을 그은")
MARKED_INSERTED: Final = Text(en="underlined", ko="밑줄 친")
COUNTS: Final = Text(en="Counts over all test rows", ko="테스트 행 전체의 집계")
COUNTS_RIGHT: Final = Text(
    en="Right answers. Intervals are Wilson's for one share at a time: they do not allow for looking at many groups, so a small "
    "group that stands out may do so by chance.",
    ko="맞힌 답의 비율입니다. 구간은 비율 하나하나에 대한 윌슨 구간이라, 여러 집단을 들여다본 것을 감안하지 않습니다. 작은 집단이 "
    "눈에 띄는 것은 우연일 수 있습니다.",
)
COUNTS_GROUPED: Final = Text(
    en="Right answers. Some rows belong together, so that shares have no intervals here: counting each row as one would make them "
    "too narrow. Those of the scores further up allow for it.",
    ko="맞힌 답의 비율입니다. 서로 묶인 행이 있어 여기에는 구간을 적지 않았습니다. 행을 하나씩 따로 세면 구간이 너무 "
    "좁아지기 때문이며, 위에 있는 점수의 구간은 이를 감안한 것입니다.",
)
COUNTS_BETTER: Final = Text(
    en="Rows on which a candidate has a higher, the same or a lower {measure} than {reference}. Only counts: how much, and "
    "whether beyond noise, stands further up.",
    ko="{reference}보다 {measure} 값이 높은 행, 같은 행, 낮은 행의 수입니다. 개수일 뿐이며, 차이의 크기와 오차 범위를 넘는지는 "
    "위에 있습니다.",
)
COUNTS_BETTER_DOWN: Final = Text(
    en="Rows on which a candidate has a lower (better), the same or a higher {measure} than {reference}. Only counts: how much, "
    "and whether beyond noise, stands further up.",
    ko="{reference}보다 {measure} 값이 낮은(나은) 행, 같은 행, 높은 행의 수입니다. 개수일 뿐이며, 차이의 크기와 오차 범위를 넘는지는 "
    "위에 있습니다.",
)
ALL_ROWS: Final = Text(en="All test rows", ko="테스트 행 전체")
SELECTION: Final = Text(en="Your selection", ko="고른 행")
WRONG_OF: Final = Text(
    en="{wrong} of {rows} answers are wrong. Sure ones often show labels worth a second look.",
    ko="답변 {rows}개 중 {wrong}개가 틀렸습니다. 확신하고 틀린 행은 라벨을 다시 살펴볼 만한 경우가 많습니다.",
)
ROWS_IN_ALL: Final = Text(en="{rows} such rows in all.", ko="모두 {rows}개 행이 그렇습니다.")
RIGHT_OF: Final = Text(en="{right} of {rows}", ko="{rows}개 중 {right}개")
BETTER_EQUAL_WORSE: Final = Text(
    en="{better} better, {equal} equal, {worse} worse", ko="나음 {better}, 같음 {equal}, 못함 {worse}"
)
COMPARED_WITH: Final = Text(en="compared with this one", ko="비교 기준")
BY_GROUP: Final = Text(en="Every group, every candidate", ko="집단마다 모든 후보의 결과")
TOO_MANY: Final = Text(
    en="Not told apart here, because it has too many values: {columns}.",
    ko="값이 너무 많아 여기서는 나누지 않았습니다: {columns}.",
)
SEVERAL_SEEN: Final = Text(
    en="Of a repeated cross-validation, the answers of the last repetition.",
    ko="반복한 교차 검증에서는 마지막 반복의 답입니다.",
)

# ── choosing ──────────────────────────────────────────────────────────────────────────────────────────────────────────
FILTERS: Final = Text(en="Choose rows", ko="행 고르기")
ANY: Final = Text(en="all", ko="전체")
FARED: Final = Text(en="Answer", ko="답변")
OF_CANDIDATE: Final = Text(en="Candidate", ko="후보")
MIXED: Final = Text(en="right by some, wrong by others", ko="후보마다 맞고 틀림이 갈림")
MIXED_BETTER: Final = Text(en="better by some, worse by others", ko="후보마다 낫고 못함이 갈림")
FOUND: Final = Text(
    en="{shown} of {all} rows shown; {rows} of {total} test rows counted.",
    ko="실린 행 {all}개 중 {shown}개를 보여 드리고, 테스트 행 {total}개 중 {rows}개를 셌습니다.",
)
NONE_FOUND: Final = Text(
    en="None of the rows quoted here fits; the counts are of all test rows that do.",
    ko="여기 실린 행 중에는 맞는 것이 없습니다. 집계는 조건에 맞는 테스트 행 전체에 대한 것입니다.",
)
RESET: Final = Text(en="Show all rows", ko="모두 보기")

MIX_UP: Final = Text(en="{target} answered as {answer} ({count})", ko="정답 {target}, 답변 {answer}({count}개)")
MIX_UPS: Final = Text(en="Rows that show mix-ups", ko="헷갈린 예")

# ── one row ───────────────────────────────────────────────────────────────────────────────────────────────────────────
ITEM: Final = Text(en="Row {number}", ko="{number}번")
ALSO: Final = Text(en="Also: {reasons}", ko="이 밖에: {reasons}")
CANDIDATE: Final = Text(en="Candidate", ko="후보")
SAYS: Final = Text(en="Answer", ko="답변")
SURE_SHARE: Final = Text(en="Sure", ko="확신")
SAME: Final = Text(en="word for word the right answer", ko="정답과 낱말까지 같음")
FAR: Final = Text(en="hardly a word in common with the right answer", ko="정답과 겹치는 말이 거의 없음")
FROM_REFERENCE: Final = Text(en="What differs from {reference}", ko="{reference}의 답과 다른 점")
FAR_FROM_REFERENCE: Final = Text(en="Hardly a word in common with that answer.", ko="그 답과 겹치는 말이 거의 없습니다.")
SAME_AS_REFERENCE: Final = Text(en="Word for word the same answer.", ko="낱말까지 같은 답입니다.")
SOURCES: Final = Text(en="What it could look up ({count})", ko="찾아본 자료 {count}개")

WHY: Final[dict[Why, Text]] = {
    "gain": Text(en="large gain", ko="크게 좋아짐"),
    "loss": Text(en="large loss", ko="크게 나빠짐"),
    "mistake": Text(en="sure and wrong", ko="확신하고도 틀림"),
    "lowest": Text(en="among the lowest", ko="가장 낮은 축"),
    "mixed_up": Text(en="common mix-up", ko="자주 헷갈린 쌍"),
    "differ": Text(en="candidates disagree", ko="후보끼리 엇갈림"),
    "measure": Text(en="named by a measure", ko="지표가 지목함"),
    "random": Text(en="drawn at random", ko="무작위로 뽑음"),
}
GROUPS: Final[dict[Why, Text]] = {
    "gain": Text(en="Largest gains of {a} over {b}", ko="{a}: {b} 대비 가장 좋아진 행"),
    "loss": Text(en="Largest losses of {a} against {b}", ko="{a}: {b} 대비 가장 나빠진 행"),
    "mistake": Text(en="Mistakes that {chosen} was surest of", ko="{chosen}: 확신하고도 틀린 행"),
    "lowest": Text(en="Weakest answers of {chosen}", ko="{chosen}: 가장 약한 답"),
    "mixed_up": Text(en="Commonest mix-ups of {chosen}", ko="{chosen}: 자주 헷갈린 쌍"),
    "differ": Text(en="Where candidates disagree most", ko="후보들의 답이 가장 엇갈린 행"),
    "measure": Text(en="Rows that a measure names", ko="다른 지표가 지목한 행"),
    "random": Text(en="Drawn at random", ko="무작위로 뽑은 행"),
}
OUTCOMES: Final[dict[Outcome, Text]] = {
    "right": Text(en="right", ko="맞음"),
    "wrong": Text(en="wrong", ko="틀림"),
    "better": Text(en="better", ko="나음"),
    "equal": Text(en="equal", ko="같음"),
    "worse": Text(en="worse", ko="못함"),
    "unknown": Text(en="not known", ko="알 수 없음"),
}
SLICE_TITLES: Final = {
    "text_length": Text(en="Question length", ko="질문 길이"),
    "text_language": Text(en="Question language", ko="질문 언어"),
}
"""Of the columns that are derived from the question."""
