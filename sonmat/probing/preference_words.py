"""What a blind comparison says, in sentences: who was preferred, what it rests on, and what it does not show.

In: the figures of a `Preference`. Out: sentences in English and Korean. It works out nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.core.proof import Preference
from sonmat.core.text import Text


def sentence_of(found: Preference) -> Text:
    """Who was preferred, or that nobody was."""
    decided = found.a_better + found.b_better
    if found.share is None or found.p_value is None or found.low is None or found.high is None:
        return Text(
            en=f"No vote yet says whether {found.a} or {found.b} answers better.",
            ko=f"{found.a}와(과) {found.b} 가운데 어느 쪽 답이 나은지 가린 표가 아직 없습니다.",
        )
    if found.better == "neither":
        shown = _share(found.share, found.low, found.high, found.p_value)
        return Text(
            en=f"Blind votes do not tell {found.a} from {found.b}: of {decided} items with a winner, {found.a} won "
            f"{found.a_better} ({shown.en}). That is no proof that they are equally good.",
            ko=f"블라인드 비교로는 {found.a}와(과) {found.b}을(를) 가릴 수 없습니다. 우열이 갈린 {decided}문항 가운데 {found.a}이(가) "
            f"{found.a_better}문항에서 나았습니다({shown.ko}). 똑같이 좋다는 증거는 아닙니다.",
        )
    winner, loser, won = (found.a, found.b, found.a_better) if found.better == "a" else (found.b, found.a, found.b_better)
    low, high = (found.low, found.high) if found.better == "a" else (1 - found.high, 1 - found.low)
    shown = _share(won / decided, low, high, found.p_value)
    return Text(
        en=f"Asked blind, people prefer the answers of {winner} to those of {loser}: it won {won} of {decided} items with a "
        f"winner ({shown.en}).",
        ko=f"어느 쪽인지 모르고 고른 결과 {loser}보다 {winner}의 답이 낫습니다. 우열이 갈린 {decided}문항 가운데 {won}문항에서 "
        f"나았습니다({shown.ko}).",
    )


def details_of(found: Preference, *, grouped: bool, folds: bool) -> tuple[Text, ...]:
    """What the sentence rests on: counts, ties, power, the sides, lost votes and earlier looks."""
    return (
        _counts(found),
        *_identical(found),
        *_power(found),
        *_sides(found),
        *_people(found),
        *_dropped(found),
        *_looks(found),
        *_dependence(grouped, folds),
    )


def title_of(found: Preference) -> Text:
    return Text(en=f"preferred to {found.b}, asked blind", ko=f"블라인드 비교에서 {found.b}보다 나음")


def expectation(items: int, smallest: float | None) -> Text:
    """What so many items with a winner could show, for whoever is about to judge them."""
    if smallest is None:
        return Text(
            en=f"{items} items can show no preference; six at least are needed.",
            ko=f"{items}문항으로는 우열을 가릴 수 없습니다. 여섯 문항은 있어야 합니다.",
        )
    return Text(
        en=f"With a winner in all of {items} items, a preference of {_whole(smallest)} % or more would be found in 80 % of cases.",
        ko=f"{items}문항 모두에서 우열이 갈리면, 선호도가 {_whole(smallest)}% 이상일 때 80% 확률로 알아챌 수 있습니다.",
    )


def _counts(found: Preference) -> Text:
    en = (
        f"{found.judged} items judged: {found.a} better on {found.a_better}, {found.b} on {found.b_better}, both good on "
        f"{found.both_good}, both bad on {found.both_bad}"
    )
    ko = (
        f"{found.judged}문항을 판정했습니다: {found.a} 우세 {found.a_better}, {found.b} 우세 {found.b_better}, 둘 다 좋음 "
        f"{found.both_good}, 둘 다 나쁨 {found.both_bad}"
    )
    if found.split:
        en, ko = f"{en}, people of different minds on {found.split}", f"{ko}, 의견 갈림 {found.split}"
    if found.skipped:
        en, ko = f"{en}; {found.skipped} skipped", f"{ko}. 건너뜀 {found.skipped}"
    return Text(en=f"{en}. Ties are left out of the test.", ko=f"{ko}. 무승부는 검정에서 뺍니다.")


def _identical(found: Preference) -> Iterator[Text]:
    if found.identical:
        yield Text(
            en=f"Of {found.items} test items, {found.identical} have the same answer from both: they count as ties and are not "
            "shown.",
            ko=f"테스트 문항 {found.items}개 가운데 {found.identical}개는 두 답이 같습니다. 보여 주지 않고 무승부로 셉니다.",
        )


def _power(found: Preference) -> Iterator[Text]:
    decided = found.a_better + found.b_better
    if found.smallest_detectable is None:
        yield Text(
            en=f"{decided} items with a winner can show no preference; six at least are needed.",
            ko=f"우열이 갈린 문항 {decided}개로는 선호를 말할 수 없습니다. 적어도 여섯 개는 있어야 합니다.",
        )
    else:
        least = _whole(found.smallest_detectable)
        yield Text(
            en=f"So many would find a preference of {least} % or more in 80 % of cases.",
            ko=f"이만큼이면 선호도가 {least}% 이상일 때 80% 확률로 알아챌 수 있습니다.",
        )
    if found.better == "neither" and found.share is not None:
        yield _further(found)


def _further(found: Preference) -> Text:
    if found.needed is None:
        return Text(
            en="The votes are so evenly divided that no number of further ones is likely to show a winner.",
            ko="표가 거의 반반이라 더 모아도 우열이 드러날 것 같지 않습니다.",
        )
    unseen = found.items - found.identical - found.judged - found.skipped
    decided = found.a_better + found.b_better
    likely = unseen * decided / found.judged
    towards = max(found.share or 0.5, 1 - (found.share or 0.5))
    en = f"If the true preference is the {_whole(towards)} % seen here, about {found.needed} more items with a winner would show it"
    ko = f"실제 선호도가 여기서 본 {_whole(towards)}%라면, 우열이 갈린 문항이 {found.needed}개쯤 더 있어야 드러납니다"
    if likely < found.needed:
        return Text(
            en=f"{en}; the {unseen} items left of this test set are too few.",
            ko=f"{ko}. 이 테스트 데이터에 남은 {unseen}문항으로는 모자랍니다.",
        )
    return Text(en=f"{en} (--items).", ko=f"{ko}(--items).")


def _sides(found: Preference) -> Iterator[Text]:
    votes = found.left + found.right
    if found.left_p_value is None:
        return
    share = _whole(found.left / votes)
    if found.left_p_value > 0.05:
        yield Text(
            en=f"The left answer was taken in {found.left} of {votes} votes with a winner ({share} %): no sign that the side "
            "mattered.",
            ko=f"우열을 가린 {votes}표 가운데 왼쪽을 고른 것은 {found.left}표({share}%)로, 자리를 탄 흔적은 없습니다.",
        )
        return
    side = Text(en="left", ko="왼쪽") if found.left > found.right else Text(en="right", ko="오른쪽")
    most = max(found.left, found.right)
    yield Text(
        en=f"The {side.en} answer was taken in {most} of {votes} votes (p {_p(found.left_p_value)}): the side mattered. Sides are "
        "drawn at random, so this favours neither arm, but it hides a part of what they differ by.",
        ko=f"{votes}표 가운데 {most}표가 {side.ko}이었습니다(p {_p(found.left_p_value)}). 자리의 영향을 받았습니다. 자리는 "
        "무작위라 어느 한쪽에 유리하지는 않지만, 실제 차이가 그만큼 덜 드러납니다.",
    )


def _people(found: Preference) -> Iterator[Text]:
    if found.people > 1:
        yield Text(
            en=f"{found.people} people voted; on {found.agreed} of {found.shared} items that several judged, all said the same. "
            "An item counts once, as what most say of it.",
            ko=f"{found.people}명이 판정했습니다. 여럿이 본 {found.shared}문항 가운데 {found.agreed}문항에서 의견이 같았습니다. "
            "한 문항은 다수 의견으로 한 번만 셉니다.",
        )


def _dropped(found: Preference) -> Iterator[Text]:
    if found.dropped:
        yield Text(
            en=f"{found.dropped} earlier votes no longer count, because the question or an answer has changed since.",
            ko=f"그 뒤로 질문이나 답이 바뀐 {found.dropped}표는 세지 않습니다.",
        )


def _looks(found: Preference) -> Iterator[Text]:
    if found.looked_after:
        listed = ", ".join(str(each) for each in found.looked_after)
        yield Text(
            en=f"The outcome was looked at after {listed} items, and then more were judged. The p value holds for one look; "
            "looking again and again until it is small makes winners of chance.",
            ko=f"{listed}문항 뒤에 결과를 보고 나서 더 판정했습니다. p 값은 한 번만 볼 때 맞습니다. 작아질 때까지 거듭 보면 우연도 "
            "승자가 됩니다.",
        )


def _dependence(grouped: bool, folds: bool) -> Iterator[Text]:
    if grouped:
        yield Text(
            en="Some items belong together and are counted as one where chance is concerned.",
            ko="서로 묶인 문항은 우연을 따질 때 하나로 다룹니다.",
        )
    if folds:
        yield Text(
            en="In a cross-validation the answers are those of several models, one a fold.",
            ko="교차 검증이라 답은 폴드마다 다른 모델의 것입니다.",
        )


def _share(share: float, low: float, high: float, p_value: float) -> Text:
    interval = f"[{100 * low:.1f}, {100 * high:.1f}]"
    return Text(
        en=f"{100 * share:.1f} % {interval}, p {_p(p_value)}",
        ko=f"{100 * share:.1f}% {interval}, p {_p(p_value)}",
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _whole(share: float) -> str:
    return f"{100 * share:.0f}"
