"""Every word of the report that is neither the user's nor a plug-in's. Names in braces are filled in where it is said."""

from __future__ import annotations

from typing import Final

from sonmat.core.text import Text

# ── frame ───────────────────────────────────────────────────────────────────────────────────────────────────────────
PAGE_TITLE: Final = Text(en="{name}: Sonmat report", ko="{name}: 손맛 보고서")
SKIP: Final = Text(en="Skip to the content", ko="본문으로 건너뛰기")
CONTENTS: Final = Text(en="Contents", ko="차례")
SCHEME: Final = Text(en="Switch between light and dark", ko="밝은 화면과 어두운 화면 바꾸기")
COPY: Final = Text(en="Copy", ko="복사")
COPIED: Final = Text(en="Copied", ko="복사됨")
MORE: Final = Text(en="Show all", ko="전체 보기")
LESS: Final = Text(en="Show less", ko="줄여 보기")
LEFT_OUT: Final = Text(en="{shown} of {all} shown.", ko="전체 {all}개 가운데 {shown}개를 보여 드립니다.")
FOOTER: Final = Text(
    en="Made by {made_by} from the run directory alone. This file loads nothing from the network.",
    ko="실행 폴더만 읽어 {made_by}에서 만든 보고서입니다. 이 파일은 네트워크에서 아무것도 불러오지 않습니다.",
)
FOOTER_PRIVATE: Final = Text(
    en="It quotes rows of your data: share it only with people who may see them.",
    ko="데이터의 일부 행이 그대로 실려 있으니, 그 내용을 봐도 되는 분에게만 공유하세요.",
)

# ── units ───────────────────────────────────────────────────────────────────────────────────────────────────────────
POINTS: Final = Text(en="\u00a0points", ko="%p")
SECONDS: Final = Text(en="s", ko="초")
MINUTES: Final = Text(en="min", ko="분")
HOURS: Final = Text(en="h", ko="시간")

# ── verdict ─────────────────────────────────────────────────────────────────────────────────────────────────────────
VERDICT: Final = Text(en="Verdict", ko="결론")
FINE_TUNE: Final = Text(en="Fine-tuning pays off", ko="미세조정할 가치가 있습니다")
DO_NOT_FINE_TUNE: Final = Text(en="Do not fine-tune", ko="미세조정하지 마세요")
USE: Final = Text(en="Use", ko="사용할 것")
NO_BASE: Final = Text(en="no base model", ko="기본 모델 없음")
AGAINST: Final = Text(en="Against {reference}", ko="{reference} 대비")
BEST_TUNED: Final = Text(en="Best trained arm against {reference}", ko="학습한 최선과 {reference}의 차이")
SPEED: Final = Text(en="One answer takes", ko="답변 하나에 걸리는 시간")
WITH_MEMORY: Final = Text(en="{size} of memory", ko="메모리 {size}")
HOW_SURE: Final = Text(en="How sure is this?", ko="얼마나 확실한가요?")
SURE_ITEMS: Final = Text(
    en="Measured on {items} test rows that were sealed before anything was trained.",
    ko="학습을 시작하기 전에 봉인해 둔 테스트 행 {items}개로 쟀습니다.",
)
SURE_FOLDS: Final = Text(
    en="Measured by cross-validation: each of the {items} rows was answered by models that had not seen it.",
    ko="교차 검증으로 쟀습니다. {items}개 행 모두를 그 행을 보지 않은 모델이 답했습니다.",
)
SURE_ADVANTAGE: Final = Text(
    en="{a} compared row by row with {name}: {difference}; with {level} confidence between {low} and {high}.",
    ko="{a}의 {name} 대비 행마다 짝지은 차이는 {difference}이고, {level} 신뢰구간은 {low}에서 {high}까지입니다.",
)
SURE_ROWS: Final = Text(
    en="Only {a} is right on {a_rows} rows, only {name} on {name_rows} ({p}).",
    ko="{a}만 맞힌 행은 {a_rows}개, {name}만 맞힌 행은 {name_rows}개입니다({p}).",
)
CARD_DETECTABLE: Final = Text(
    en="A test set of this size can tell differences of {difference} or more from chance; smaller ones count as a tie.",
    ko="이 크기의 테스트 데이터로 우연과 구별할 수 있는 차이는 {difference} 이상이며, 그보다 작은 차이는 비긴 것으로 봅니다.",
)

# ── arms ────────────────────────────────────────────────────────────────────────────────────────────────────────────
ARMS: Final = Text(en="Everything that was tried", ko="시도한 모든 방법")
ARMS_INTRO: Final = Text(
    en="All on the same test rows. Lines are 95\u00a0% intervals.",
    ko="모두 같은 테스트 행으로 쟀습니다. 선은 95% 신뢰구간입니다.",
)
ARM: Final = Text(en="Candidate", ko="후보")
CHOSEN: Final = Text(en="use this", ko="추천")
REFERENCE: Final = Text(en="reference", ko="비교 기준")
BETTER_UP: Final = Text(en="{measure} (higher is better)", ko="{measure} (높을수록 좋음)")
BETTER_DOWN: Final = Text(en="{measure} (lower is better)", ko="{measure} (낮을수록 좋음)")
DIFFERENCE: Final = Text(en="Difference to {name}", ko="{name} 대비 차이")
DIFFERENCE_SHORT: Final = Text(en="Difference", ko="차이")
COLLAPSED: Final = Text(en="nearly the same answer to everything", ko="거의 같은 답만 반복함")
ADJUSTED: Final = Text(
    en="Several candidates are compared, so the intervals and p-values of differences are adjusted (Holm).",
    ko="후보 여럿을 비교하므로 차이의 구간과 p값은 다중 비교를 감안해 보정했습니다(Holm).",
)
CLEARLY_BETTER: Final = Text(en="clearly better", ko="분명히 나음")
CLEARLY_WORSE: Final = Text(en="clearly worse", ko="분명히 못함")
WITHIN_NOISE: Final = Text(en="within noise", ko="오차 범위 안")
ANSWER_TIME: Final = Text(en="Per answer", ko="답변 하나")
MEMORY: Final = Text(en="Memory", ko="메모리")
FIT_TIME: Final = Text(en="Training", ko="학습 시간")
ALL_MEASURES: Final = Text(en="All measures", ko="모든 지표")
FAILED: Final = Text(en="Did not finish", ko="끝내지 못한 후보")
SLICES: Final = Text(en="By group of rows", ko="집단별 결과")
SLICE: Final = Text(en="Group", ko="집단")
ROWS: Final = Text(en="Rows", ko="행 수")
GROUPS_LEFT_OUT: Final = Text(
    en="{shown} of {all} groups are shown, those with the most rows; {others} smaller ones are left out.",
    ko="집단 {all}개 가운데 행이 많은 {shown}개만 보여 드립니다. 더 작은 {others}개는 뺐습니다.",
)

# ── classes ─────────────────────────────────────────────────────────────────────────────────────────────────────────
CLASSES: Final = Text(en="Class by class", ko="클래스별 결과")
CLASSES_INTRO: Final = Text(
    en="{name} on the test rows. Precision: how often an answer of this class is right. Recall: how many rows of the class "
    "are found.",
    ko="테스트 행에서 {name}의 결과입니다. 정밀도는 그 클래스라고 답했을 때 맞은 비율이고, 재현율은 그 클래스의 행을 찾아낸 "
    "비율입니다.",
)
CLASS: Final = Text(en="Class", ko="클래스")
PRECISION: Final = Text(en="Precision", ko="정밀도")
RECALL: Final = Text(en="Recall", ko="재현율")
F1: Final = Text(en="F1", ko="F1")
SUPPORT: Final = Text(en="Rows", ko="행 수")
PREDICTED: Final = Text(en="Answered", ko="답한 횟수")
CONFUSION: Final = Text(en="What is taken for what", ko="무엇을 무엇으로 답했나")
CONFUSION_INTRO: Final = Text(
    en="Each line is a right class, each column an answer. The diagonal is right.",
    ko="줄은 정답 클래스, 칸은 답변입니다. 대각선이 맞힌 답입니다.",
)
CONFUSION_CELL: Final = Text(en="{target} answered as {answer}: {count}", ko="정답 {target}, 답변 {answer}: {count}개")
CONFUSION_TOP: Final = Text(en="Commonest mix-ups", ko="가장 자주 헷갈린 쌍")
NO_CONFUSION: Final = Text(en="Nothing was mixed up.", ko="헷갈린 답이 없습니다.")
RIGHT_ANSWER: Final = Text(en="Right answer", ko="정답")
ANSWERED: Final = Text(en="Answer", ko="답변")
TIMES: Final = Text(en="Times", ko="횟수")
EMPTY_LABEL: Final = Text(en="(no label)", ko="(라벨 없음)")

# ── curves ──────────────────────────────────────────────────────────────────────────────────────────────────────────
CURVES: Final = Text(en="How training went", ko="학습 과정")
LOSS: Final = Text(en="Loss", ko="손실")
TRAIN: Final = Text(en="Training", ko="학습")
VALIDATION: Final = Text(en="Validation", ko="검증")
BEST_STEP: Final = Text(en="kept: step {step}", ko="선택: {step}스텝")
BEST_INTRO: Final = Text(en="The checkpoint of step {step} was kept.", ko="{step}스텝의 체크포인트를 골랐습니다.")
RESUMED: Final = Text(
    en="Training was interrupted and went on at step {steps}.", ko="학습이 중단되었다가 {steps}스텝에서 이어졌습니다."
)
CURVE_LOSS_TITLE: Final = Text(en="Loss of {name} by training step", ko="{name}의 스텝별 손실")
CURVE_MEASURE_TITLE: Final = Text(
    en="{measure} of {name} on validation rows by step", ko="검증용 행에서 {name}의 스텝별 {measure}"
)

# ── mistakes and answers ────────────────────────────────────────────────────────────────────────────────────────────
ROW: Final = Text(en="{file}, row {row}", ko="{file} {row}행")
NO_PICTURE: Final = Text(en="The picture cannot be shown.", ko="그림을 표시할 수 없습니다.")
PICTURE: Final = Text(en="Picture: {place}", ko="그림: {place}")
ROLE_SYSTEM: Final = Text(en="System", ko="시스템")
ROLE_USER: Final = Text(en="User", ko="사용자")
ROLE_ASSISTANT: Final = Text(en="Assistant", ko="도우미")
EMPTY: Final = Text(en="(empty)", ko="(비어 있음)")

# ── data ────────────────────────────────────────────────────────────────────────────────────────────────────────────
DATA: Final = Text(en="Your data", ko="데이터")
ROWS_IN: Final = Text(en="Rows read", ko="읽은 행")
KEPT: Final = Text(en="Kept as they are", ko="그대로 둔 행")
CHANGED: Final = Text(en="Changed", ko="고친 행")
DROPPED: Final = Text(en="Dropped", ko="뺀 행")
WHY: Final = Text(en="What was changed or dropped, and why", ko="고치거나 뺀 이유")
ACTION: Final = Text(en="What happened", ko="처리")
REASON: Final = Text(en="Reason", ko="이유")
SPLIT: Final = Text(en="How the rows were divided", ko="행을 나눈 방법")
SPLIT_TITLE: Final = Text(
    en="{train} rows to train, {validation} to validate, {test} to test",
    ko="학습 {train}행, 검증 {validation}행, 테스트 {test}행",
)
TEST: Final = Text(en="Test", ko="테스트")
FINDINGS: Final = Text(en="What the audit found", ko="점검에서 찾은 것")
NO_FINDINGS: Final = Text(en="The audit found nothing to mend.", ko="점검에서 고칠 것이 나오지 않았습니다.")
BLOCKER: Final = Text(en="Must be mended", ko="꼭 고쳐야 함")
WARNING: Final = Text(en="Worth mending", ko="고치면 좋음")
NOTE: Final = Text(en="Good to know", ko="참고")
CONCERNED: Final = Text(en="{rows} rows concerned", ko="해당 행 {rows}개")
CONCERNED_FIRST: Final = Text(en="the first: {sources}", ko="처음 몇 개: {sources}")
CLASS_COUNTS: Final = Text(en="Rows of each class", ko="클래스별 행 수")
CLASS_COUNTS_SHOWN: Final = Text(
    en="The {shown} largest of {all} classes.", ko="전체 클래스 {all}개 중 큰 순서로 {shown}개입니다."
)
LENGTHS: Final = Text(en="Length of rows in characters", ko="행의 길이(글자 수)")
LENGTHS_INTRO: Final = Text(
    en="Half of the rows are shorter than {median} characters; the longest has {longest}. The last bar holds all longer ones "
    "too.",
    ko="행의 절반은 {median}자보다 짧고, 가장 긴 행은 {longest}자입니다. 마지막 막대에는 그보다 긴 행도 들어 있습니다.",
)
SLICE_COUNTS: Final = Text(en="Rows by '{column}'", ko="'{column}' 값별 행 수")
FILE_COUNTS: Final = Text(en="Rows of each file", ko="파일별 행 수")
FOLDS: Final = Text(en="Cross-validation in {folds} folds", ko="{folds}-폴드 교차 검증")
FOLDS_REPEATED: Final = Text(
    en="Cross-validation in {folds} folds, repeated {repeats} times", ko="{folds}-폴드 교차 검증을 {repeats}번 반복"
)
CHECK: Final = Text(en="Check", ko="점검")
GRAVITY: Final = Text(en="Severity", ko="중요도")
EXAMPLES: Final = Text(en="Show examples", ko="예시 보기")
ANSWER_GIVEN: Final = Text(en="Given answer", ko="적힌 답")
OVERVIEW: Final = Text(en="Overview", ko="한눈에 보기")
DATA_PAGE_TITLE: Final = Text(en="{name}: Sonmat data audit", ko="{name}: 손맛 데이터 점검")
DATA_USABLE: Final = Text(en="This data can be trained on.", ko="이 데이터로 학습할 수 있습니다.")
DATA_BLOCKED: Final = Text(
    en="Something must be mended before this data can be trained on.", ko="학습하기 전에 꼭 고쳐야 할 문제가 있습니다."
)
TRAIN_NEXT: Final = Text(en="Train and prove a model on it", ko="이 데이터로 모델을 학습하고 검증하기")
MAP: Final = Text(en="Map of the data", ko="데이터 지도")
MAP_INTRO: Final = Text(
    en="Each dot is a row; near ones mean alike. {shown} of {all} rows are shown. Rest the pointer on a dot to read its row.",
    ko="점 하나가 한 행이고, 가까운 점은 뜻이 비슷합니다. 전체 {all}행 가운데 {shown}행입니다. 점에 포인터를 올리면 내용이 보입니다.",
)
SUSPICIOUS: Final = Text(en="suspicious", ko="의심스러운 행")
OTHERS: Final = Text(en="others", ko="그 밖")
CLUSTER: Final = Text(en="cluster {number}", ko="{number}번 묶음")
CLUSTERS: Final = Text(en="What the clusters are about", ko="묶음마다의 내용")
CLUSTER_NAME: Final = Text(en="Cluster", ko="묶음")
SHARE: Final = Text(en="Share", ko="비율")
TYPICAL_WORDS: Final = Text(en="Typical words", ko="두드러진 말")
ENOUGH: Final = Text(en="Would more data help?", ko="데이터가 더 필요할까요?")
ENOUGH_TITLE: Final = Text(en="{measure} by number of rows to learn from", ko="학습 행 수에 따른 {measure}")
ENOUGH_INTRO: Final = Text(
    en="Dots were measured with a small model on ever more rows; the curve was fitted to them, and its band says how sure it is.",
    ko="점은 행을 늘려 가며 작은 모델로 잰 값이고, 곡선은 그 점에 맞춘 것이며, 띠는 곡선이 얼마나 확실한지를 나타냅니다.",
)
ROWS_NOW: Final = Text(en="now: {rows} rows", ko="현재 {rows}행")
LENGTH_BIN: Final = Text(en="{low} to {high} characters: {rows} rows", ko="{low}~{high}자: {rows}행")

# ── plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────
PLAN: Final = Text(en="Plan and outcome", ko="계획과 실제")
PLAN_INTRO: Final = Text(
    en="You allowed {minutes} for training. Estimates were made before; the figures beside them are what it took.",
    ko="학습에 허용하신 시간은 {minutes}입니다. 예상은 시작 전에 한 것이고, 옆의 값이 실제입니다.",
)
PLANNED: Final = Text(en="Planned", ko="예상")
NOT_FITTED: Final = Text(en="not finished", ko="끝나지 않음")
TRAINED: Final = Text(en="{count} trained parameters", ko="학습한 매개변수 {count}개")
BASIS: Final = Text(en="Estimate from {basis}.", ko="예상 근거: {basis}.")
REFUSED: Final = Text(en="Left out, and why", ko="제외한 방법과 이유")

# ── settings and environment ────────────────────────────────────────────────────────────────────────────────────────
SETTINGS: Final = Text(en="Settings", ko="설정")
SETTING: Final = Text(en="Setting", ko="설정")
VALUE: Final = Text(en="Value", ko="값")
ORIGIN: Final = Text(en="Set by", ko="정한 곳")
ORIGIN_USER: Final = Text(en="you", ko="사용자")
ORIGIN_PLAN: Final = Text(en="the plan", ko="계획")
ORIGIN_DEFAULT: Final = Text(en="default", ko="기본값")
ENVIRONMENT: Final = Text(en="Environment", ko="환경")
MADE_BY: Final = Text(en="Made by", ko="만든 프로그램")
DATE: Final = Text(en="Run begun on", ko="실행 시작일")
VERSIONS: Final = Text(en="Versions", ko="버전")
DEVICE: Final = Text(en="Device", ko="장치")
CORES: Final = Text(en="{cores} cores", ko="코어 {cores}개")
SEED: Final = Text(en="Seed", ko="시드")
SEAL: Final = Text(en="Seal of the test set", ko="테스트 데이터의 봉인")
BASE_MODEL: Final = Text(en="Base model", ko="기본 모델")
LICENCE: Final = Text(en="Licence {licence}", ko="라이선스 {licence}")
PARAMETERS: Final = Text(en="{count} parameters", ko="매개변수 {count}개")
CHECKSUM: Final = Text(en="Checksum", ko="체크섬")
TASK: Final = Text(en="Task", ko="과제")

# ── use ─────────────────────────────────────────────────────────────────────────────────────────────────────────────
HOW_TO_USE: Final = Text(en="Use it now", ko="지금 사용하기")
ON_COMMAND_LINE: Final = Text(en="On the command line", ko="명령줄에서")
IN_PYTHON: Final = Text(en="In Python", ko="Python에서")
SAMPLE_INPUT: Final = Text(en="your text", ko="입력할 내용")

# ── model card ──────────────────────────────────────────────────────────────────────────────────────────────────────
CARD_INTRO: Final = Text(
    en="{method} on {base}, trained and proven with Sonmat.",
    ko="{base}에 {method} 방법을 적용해 Sonmat으로 학습하고 검증한 모델입니다.",
)
CARD_NO_BASE: Final = Text(en="{method}, measured with Sonmat.", ko="Sonmat으로 측정한 {method}입니다.")
CARD_RESULTS: Final = Text(en="Results", ko="결과")
CARD_DATA: Final = Text(en="Training data", ko="학습 데이터")
CARD_LIMITS: Final = Text(en="Limits", ko="한계")
CARD_LIMITS_DOMAIN: Final = Text(
    en="The figures hold for data like the test rows. How it behaves on other data, languages or times was not measured.",
    ko="수치는 테스트 데이터와 비슷한 데이터에 대한 것입니다. 다른 데이터, 언어, 시기에서의 결과는 재지 않았습니다.",
)
CARD_LICENCE: Final = Text(en="Licence", ko="라이선스")
CARD_LICENCE_BASE: Final = Text(
    en="The base model {base} ({origin}) is under: {licence}. Its terms hold for this model too.",
    ko="기본 모델 {base}({origin})의 라이선스는 {licence}이며, 그 조건은 이 모델에도 적용됩니다.",
)
CARD_LICENCE_NONE: Final = Text(en="No pretrained model is part of this.", ko="사전학습 모델이 들어 있지 않습니다.")
CARD_HOW: Final = Text(en="How it was made", ko="만든 방법")
CARD_ROWS: Final = Text(
    en="{train} rows to train, {validation} to validate, {test} to test, from `{data}`.",
    ko="`{data}`에서 학습 {train}행, 검증 {validation}행, 테스트 {test}행.",
)
CARD_ROWS_FOLDS: Final = Text(
    en="{test} rows from `{data}`, each tested in cross-validation. This model was made from {train} rows to train and {validation} "
    "to validate.",
    ko="`{data}`의 {test}행이며, 교차 검증으로 모두 테스트했습니다. 이 모델은 학습 {train}행과 검증 {validation}행으로 만들었습니다.",
)

WRITTEN: Final = Text(en="The report is in report.html.", ko="보고서는 report.html에 있습니다.")
