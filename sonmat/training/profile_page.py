"""A profile as a page of Markdown that a person without training in machine learning understands.

In: a `Profile`. Out: text in the reader's language: what costs most, what would help, and the tables behind it.
"""

from __future__ import annotations

from typing import Final

from sonmat.core.text import Language, Text
from sonmat.training.profile import PARTS, Part, Profile

MUCH_PADDING = 0.15
SLOW_PRODUCTS = 0.3

_NAMES: Final[dict[Part, Text]] = {
    "data": Text(en="data", ko="데이터"),
    "forward": Text(en="forward", ko="순전파"),
    "attention": Text(en="attention", ko="어텐션"),
    "output_layer": Text(en="output layer", ko="출력층"),
    "backward": Text(en="backward", ko="역전파"),
    "optimiser": Text(en="optimiser", ko="옵티마이저"),
    "other": Text(en="other", ko="기타"),
}
_MEANINGS: Final[dict[Part, Text]] = {
    "data": Text(en="turning rows into numbers and filling up batches", ko="행을 숫자로 바꾸고 배치로 묶기"),
    "forward": Text(
        en="the model reads the rows, without attention and output layer", ko="모델이 행을 읽기(어텐션과 출력층 제외)"
    ),
    "attention": Text(
        en="words look at one another, both directions of computing; grows with the square of a row's length",
        ko="낱말끼리 서로 참조하기(순전파와 역전파 모두). 행 길이의 제곱으로 늘어납니다",
    ),
    "output_layer": Text(
        en="a language model's scores of all words of its vocabulary, and their loss",
        ko="언어 모델이 어휘 전체에 점수를 매기고 손실을 구하기",
    ),
    "backward": Text(
        en="working out how each weight should change, without attention", ko="가중치를 어떻게 바꿀지 구하기(어텐션 제외)"
    ),
    "optimiser": Text(en="changing the weights", ko="가중치를 실제로 바꾸기"),
    "other": Text(en="limiting the change, records, waiting", ko="변화량 제한, 기록, 대기"),
}
_PHASES: Final[dict[str, Text]] = {
    "load": Text(en="loading", ko="불러오기"),
    "validation": Text(en="validation", ko="검증"),
    "checkpoint": Text(en="checkpoint", ko="체크포인트 저장"),
    "steps": Text(en="steps", ko="학습 단계"),
}


def profile_page(profile: Profile, candidate: str, language: Language) -> str:
    """The page about `candidate`."""
    title = Text(en=f"Profile of {candidate}", ko=f"{candidate} 프로파일")
    parts = [f"# {title.in_language(language)}", *(text.in_language(language) for text in _findings(profile))]
    tables = [_time_of_a_step(profile, language), _whole_training(profile, language)]
    trace = Text(
        en="`profile.json.gz` beside this page holds every operation of the last steps: open it at https://ui.perfetto.dev.",
        ko="같은 폴더의 `profile.json.gz`에는 마지막 단계들의 모든 연산이 들어 있습니다. https://ui.perfetto.dev 에서 열어 보세요.",
    )
    return "\n\n".join([*parts, *tables, trace.in_language(language)]) + "\n"


def _findings(profile: Profile) -> list[Text]:
    """What the figures mean, the most important first."""
    first, second = sorted(PARTS, key=lambda part: -profile.parts[part])[:2]
    shares = {part: f"{profile.parts[part]:.0%}".replace("%", " %") for part in (first, second)}
    found = [
        Text(
            en=f"A step takes {profile.step_seconds:.2f} s, {profile.tokens_per_second:,.0f} tokens a second without padding. "
            f"Most of it goes into {_NAMES[first].en} ({shares[first]}) and {_NAMES[second].en} ({shares[second]}).",
            ko=f"한 단계에 {profile.step_seconds:.2f}초가 걸리고, 채움을 빼고 초당 {profile.tokens_per_second:,.0f}토큰을 처리합니다. "
            f"가장 오래 걸리는 것은 {_NAMES[first].ko}({shares[first]}), 그다음은 {_NAMES[second].ko}({shares[second]})입니다.",
        ),
        _machine(profile),
        _memory(profile),
        *([_kernels(profile)] if profile.kernels else []),
    ]
    if profile.padding >= MUCH_PADDING:
        share = f"{profile.padding:.0%}".replace("%", " %")
        found.append(
            Text(
                en=f"{share} of what is computed is padding, because rows of a step differ in length: a larger batch_size "
                "gives more rows to sort.",
                ko=f"계산의 {share}가 채움입니다. 한 단계에 든 행들의 길이가 서로 달라서입니다. batch_size를 키우면 "
                "비슷한 길이끼리 더 잘 묶입니다.",
            )
        )
    if profile.looks * profile.validation_seconds > profile.total_steps * profile.step_seconds:
        found.append(
            Text(
                en="Validation takes more time than the steps: set a larger validate_every, or fewer epochs.",
                ko="검증이 학습 단계보다 오래 걸립니다. validate_every를 늘리거나 epochs를 줄이세요.",
            )
        )
    return found


def _kernels(profile: Profile) -> Text:
    parts = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in profile.kernels.items())
    return Text(
        en=f"Computed by: {parts} (what each word means: docs/training.md).",
        ko=f"계산 방식: {parts}(각 낱말의 뜻은 docs/training.md에 있습니다).",
    )


def _machine(profile: Profile) -> Text:
    share = profile.machine_share
    if share is None:
        return Text(
            en="How fast this machine multiplies matrices at best is not known.",
            ko="이 기계의 최대 행렬 곱 속도는 알 수 없습니다.",
        )
    rate, best = profile.products_per_second / 1e9, profile.machine_rate / 1e9
    percent = f"{share:.0%}".replace("%", " %")
    remark = (
        Text(
            en=" The rest of the time goes into moving numbers: small models and short rows leave little to multiply.",
            ko=" 나머지 시간은 숫자를 옮기는 데 쓰입니다. 작은 모델과 짧은 행에서는 곱할 것이 적습니다.",
        )
        if share < SLOW_PRODUCTS
        else Text(en="", ko="")
    )
    return Text(
        en=f"Its matrix products run at {rate:,.0f} GFLOP/s, {percent} of what this machine reaches in one large product "
        f"({best:,.0f} GFLOP/s), padding included.{remark.en}",
        ko=f"행렬 곱은 {rate:,.0f} GFLOP/s로, 이 기계가 큰 행렬 곱 하나에서 내는 속도({best:,.0f} GFLOP/s)의 {percent}입니다"
        f"(채움 포함).{remark.ko}",
    )


def _memory(profile: Profile) -> Text:
    peak = max(profile.peaks.values())
    phase = _PHASES[next(name for name, size in profile.peaks.items() if size == peak)]
    size = f"{peak / 1e9:.2f} GB"
    return Text(
        en=f"At most {size} of memory were in use, reached during {phase.en}.",
        ko=f"메모리는 최대 {size}를 썼고, {phase.ko} 중에 도달했습니다.",
    )


def _time_of_a_step(profile: Profile, language: Language) -> str:
    heading = Text(en="## Where the time goes", ko="## 시간이 쓰인 곳").in_language(language)
    head = Text(en="| part | share | seconds a step | what it is |", ko="| 부분 | 비율 | 단계당 초 | 하는 일 |")
    rows = [
        f"| {_NAMES[part].in_language(language)} | {profile.parts[part]:.1%} | {profile.parts[part] * profile.step_seconds:.3f} "
        f"| {_MEANINGS[part].in_language(language)} |"
        for part in sorted(PARTS, key=lambda part: -profile.parts[part])
    ]
    return "\n".join([heading, "", head.in_language(language), "|---|---:|---:|---|", *rows])


def _whole_training(profile: Profile, language: Language) -> str:
    """Time and memory of the whole, projected from what was measured once."""
    heading = Text(en="## The whole training", ko="## 학습 전체").in_language(language)
    note = Text(
        en=f"Projected from {profile.timed_steps} timed steps, one validation and one checkpoint, as if nothing stops it early.",
        ko=f"{profile.timed_steps}단계, 검증 한 번, 체크포인트 한 번을 재어 셈했고, 조기 종료는 없다고 보았습니다.",
    ).in_language(language)
    head = Text(
        en="| part | seconds each | times | seconds in all | highest memory so far |",
        ko="| 부분 | 한 번에 걸리는 초 | 횟수 | 모두 합쳐 | 그때까지 최대 메모리 |",
    ).in_language(language)
    each = {
        "load": (profile.load_seconds, 1),
        "validation": (profile.validation_seconds, profile.looks),
        "checkpoint": (profile.checkpoint_seconds, profile.looks),
        "steps": (profile.step_seconds, profile.total_steps),
    }
    rows = [
        f"| {_PHASES[name].in_language(language)} | {seconds:.2f} | {times:,} | {seconds * times:,.1f} "
        f"| {profile.peaks.get(name, 0) / 1e9:.2f} GB |"
        for name, (seconds, times) in each.items()
    ]
    return "\n".join([heading, "", note, "", head, "|---|---:|---:|---:|---:|", *rows])
