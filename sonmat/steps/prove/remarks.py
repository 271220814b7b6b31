"""What stands beside the verdict's sentence: what the arm costs, which guards were broken, what is as good, what is unknown.

In: the arms, their measures and guards. Out: sentences in both languages. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sonmat.core.proof import Arm, Comparison, Guard, Measure, Unmeasured
from sonmat.core.text import Text
from sonmat.steps.prove.guards import figure
from sonmat.steps.prove.phrases import Phrases, duration, joined, quantity

FORGOTTEN: Final = "forgetting.all"
_THOUSAND: Final = 1000
_WAYS_OUT: Final = Text(
    en="General ability was lost. Training that keeps more of it: --set METHOD.interpolate=true, --set METHOD.replay=tuned, a lower "
    "learning_rate or fewer epochs. If the model will be asked nothing but this task, say so: --guard forgetting.all=1.",
    ko="일반 능력을 잃었습니다. 덜 잃게 학습하려면 --set METHOD.interpolate=true, --set METHOD.replay=tuned, 더 낮은 learning_rate나 "
    "더 적은 epochs를 써 보세요. 이 과제 말고는 물을 일이 없다면 --guard forgetting.all=1로 알려 주세요.",
)


def money_of(measures: Sequence[Measure]) -> dict[str, float]:
    """Money for 1,000 answers of every arm that it is known of."""
    return {each.arm: each.value for each in measures if (each.probe, each.name) == ("cost", "per_1000")}


def cost_remark(arm: Arm, measures: Sequence[Measure]) -> Text:
    """Time, and money where an hour has a price, of answers and of training."""
    own = {f"{each.probe}.{each.name}": each for each in measures if each.arm == arm.candidate}
    times = own.get("cost.seconds_per_1000")
    answers = figure(times) if times is not None else duration(_THOUSAND * arm.seconds_per_answer)
    money, training = own.get("cost.per_1000"), own.get("cost.training")
    en = f"What it costs: 1,000 answers take {answers.en} one at a time"
    ko = f"비용: 답변 1,000개를 하나씩 물으면 {answers.ko} 걸립니다"
    if money is not None:
        en, ko = f"{en} and cost {figure(money).en}", f"{ko}(금액 {figure(money).ko})"
    elif arm.elsewhere:
        en = f"{en}; in money it is unknown, for want of a price for its tokens (--token-price MODEL=INPUT/OUTPUT) or of their number"
        ko = f"{ko}. 토큰 요금(--token-price 모델=입력/출력)이나 토큰 수를 몰라 금액은 알 수 없습니다"
    if arm.fit_seconds:
        took = duration(arm.fit_seconds)
        price = f" ({quantity(training.value, 'money').en})" if training is not None else ""
        en, ko = f"{en}; training took {took.en}{price}", f"{ko}. 학습에는 {took.ko} 걸렸습니다{price}"
    return Text(en=f"{en}.", ko=f"{ko}.")


def guard_remarks(
    broken: Mapping[str, Sequence[Guard]], kept: Sequence[Guard], titles: Phrases, stopped: bool
) -> list[Text]:
    """Every guard that an arm broke, and how many the chosen arm keeps.

    Args:
        kept: those of the chosen arm.
    """
    found = [_broken(titles.title(arm), each) for arm, guards in broken.items() for each in guards]
    if any(each.measure == FORGOTTEN and each.by == "default" and each.value is not None for each in _all(broken)):
        found.append(_WAYS_OUT)
    if kept and not stopped:
        names = ", ".join(each.name for each in kept)
        found.append(
            Text(
                en=f"It keeps the guard{'s' if len(kept) > 1 else ''} on {names}.",
                ko=f"추천한 후보가 지키는 조건: {names}.",
            )
        )
        # A bound that noise alone could break is told with its figures.
        found += [each.reason for each in kept if each.by == "user"]
    return found


def _all(broken: Mapping[str, Sequence[Guard]]) -> list[Guard]:
    return [each for guards in broken.values() for each in guards]


def level_remarks(chosen: Arm, level: Sequence[Arm], comparisons: Sequence[Comparison], phrases: Phrases) -> list[Text]:
    """Arms that are not to be told from the chosen one, apart those that are shown to be as good."""
    pairs = {frozenset((each.a, each.b)): each for each in comparisons}
    found = {arm.candidate: pairs.get(frozenset((arm.candidate, chosen.candidate))) for arm in level}
    same = [arm for arm in level if (pair := found[arm.candidate]) is not None and pair.equivalent]
    open_question = [arm for arm in level if arm not in same]
    remarks = []
    if same:
        names = joined([phrases.name(arm) for arm in same])
        margin = phrases.amount(max(pair.margin for arm in same if (pair := found[arm.candidate]) is not None))
        remarks.append(
            Text(
                en=f"Shown to be as good as it, within {margin.en}, and not cheaper: {names.en}.",
                ko=f"{margin.ko} 안에서 동등함이 확인되었고 더 저렴하지도 않은 후보: {names.ko}.",
            )
        )
    if open_question:
        names = joined([phrases.name(arm) for arm in open_question])
        remarks.append(
            Text(
                en=f"Not to be told from it on this test set, and not cheaper: {names.en}.",
                ko=f"이 테스트 데이터로는 구별되지 않고 더 저렴하지도 않은 후보: {names.ko}.",
            )
        )
    return remarks


def unmeasured_remarks(unmeasured: Sequence[Unmeasured], phrases: Phrases) -> list[Text]:
    """What probes failed to say."""
    return [
        Text(
            en=f"Unknown: {each.probe} of {phrases.title(each.arm).en} could not be measured. {each.reason.en}",
            ko=f"알 수 없는 것: {phrases.title(each.arm).ko}의 {each.probe} 항목을 재지 못했습니다. {each.reason.ko}",
        )
        for each in unmeasured
        if each.failed
    ]


def _broken(title: Text, guard: Guard) -> Text:
    return Text(
        en=f"Guard broken by {title.en}: {guard.reason.en}",
        ko=f"{title.ko}: 조건을 어겼습니다. {guard.reason.ko}",
    )
