"""Which candidate to use, in one sentence with its numbers, and what a careful reader should know besides.

In: arms with scores and all paired comparisons in the headline metric. Out: `Verdict`. It computes no statistics.

Rule: of the arms that keep the guards and that none of these beats beyond noise, the cheapest. Cheaper is, in this order: the role
(floor, base, tuned: no pretrained model, however well it does with counted words, is cheaper to run and to keep than one, and one as
it is than one that was trained; last what another machine answers, because every answer is paid for and every question leaves this
one), less money or, where no price is known, fewer seconds per answer (up to 25 % more
than the least of the role is timing noise and counts as equal), less time to fit, less memory, name. A tuned arm must itself beat
every floor and base arm of this machine, if any unbeaten one does. A lead of an arm that guesses does not count. So a tuned arm is
named only where all that is cheaper to keep is beaten, and nothing wins inside the noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sonmat.core.proof import Arm, Comparison, Guard, Measure, Unmeasured, Verdict
from sonmat.core.protocols import Metric
from sonmat.core.text import Text
from sonmat.statistics import items_needed
from sonmat.statistics.cross_validation import Turns
from sonmat.steps.prove.phrases import Phrases, joined
from sonmat.steps.prove.remarks import cost_remark, guard_remarks, level_remarks, money_of, unmeasured_remarks

_COST_OF_ROLE = {"floor": 0, "base": 1, "tuned": 2}
_ELSEWHERE = 3
_MATTERS = 0.05
"""A gain that people would train for: 5 points of a share, else 5 % of the value."""
_TIMING_NOISE = 1.25
_FEWEST_DIFFERING = 6
"""Items on which two arms must differ before an exact test can fall below 5 %: 2 · 0.5⁶ = 0.03."""


@dataclass(frozen=True)
class Standing:
    """All that the verdict rests on."""

    headline: Metric
    items: int
    clusters: int
    """Groups of items that belong together; `items` where none do."""
    arms: Sequence[Arm]
    """At least one, each with a headline score."""
    comparisons: Sequence[Comparison]
    """Of all pairs of arms, in the headline metric."""
    smallest_detectable: float
    failed: Mapping[str, Text]
    titles: Mapping[str, Text]
    guessing: frozenset[str] = frozenset()
    """Arms whose answers fit the items no better than the same answers shuffled; constant answers are among them."""
    turns: Turns | None = None
    """Of a cross-validation; None where a test set was put aside."""
    measures: Sequence[Measure] = ()
    guards: Sequence[Guard] = ()
    unmeasured: Sequence[Unmeasured] = ()


@dataclass(frozen=True)
class Lead:
    """How far an arm is ahead of another in the headline metric: positive is better, whichever way the metric counts."""

    points: float
    low: float
    high: float
    beyond_noise: bool
    """Whether one of the two is better."""

    @property
    def won(self) -> bool:
        return self.beyond_noise and self.points > 0

    @property
    def lost(self) -> bool:
        return self.beyond_noise and self.points < 0


def decide(standing: Standing) -> Verdict:
    """The verdict; `fine_tune` is true only where a tuned arm is proven better than an arm that was not trained."""
    return _Decision(standing).verdict()


class _Decision:
    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.phrases = Phrases(standing.headline, standing.titles)
        self.leads = _leads(standing)
        self.money = money_of(standing.measures)
        self.broken = _broken(standing)
        self.best = self.best_of(standing.arms)
        keeping = [arm for arm in standing.arms if arm.candidate not in self.broken]
        self.free = self.choose(standing.arms)
        """What would be chosen if there were no guards."""
        self.chosen = self.choose(keeping) if keeping else self.free
        self.stopped = self.why_stopped(keeping)
        tuned = [arm for arm in standing.arms if arm.role == "tuned"]
        self.tuned = self.best_of(tuned) if tuned else None

    def verdict(self) -> Verdict:
        would_change = self.what_would_change()
        proven = [arm for arm in self.untrained() if self.lead(self.chosen, arm).won]
        return Verdict(
            use=self.chosen.candidate,
            fine_tune=self.chosen.role == "tuned"
            and bool(proven)
            and not self.guesses(self.chosen)
            and self.stopped != "no_arm",
            sentence=self.sentence(),
            details=(
                self.what_it_can_tell(),
                cost_remark(self.chosen, self.standing.measures),
                *self.guarded(),
                *self.runners_up(),
                *self.guessers(),
                *self.made_worse(),
                would_change,
                *self.how_decided(),
                *self.cross_validated(),
                *self.failures(),
                *unmeasured_remarks(self.standing.unmeasured, self.phrases),
            ),
            otherwise=self.free.candidate if self.free is not self.chosen else None,
            would_change=would_change,
            stopped=self.stopped,
        )

    def why_stopped(self, keeping: Sequence[Arm]) -> Literal["no_arm", "no_tuned_arm"] | None:
        if not keeping:
            return "no_arm"
        by_user = any(guard.by == "user" for guard in self.broken.get(self.free.candidate, ()))
        lost = self.free.role == "tuned" and self.chosen.role != "tuned"
        return "no_tuned_arm" if by_user and lost else None

    def choose(self, arms: Sequence[Arm]) -> Arm:
        beating = [arm for arm in arms if not self.guesses(arm)]
        unbeaten = [arm for arm in arms if not any(self.lead(arm, other).lost for other in beating)]
        proven = [
            arm
            for arm in unbeaten
            if arm in beating and all(self.lead(arm, other).won for other in self.untrained() if other in arms)
        ]
        cheapest = self.cheapest(unbeaten)
        return self.cheapest(proven) if cheapest.role == "tuned" and proven else cheapest

    def sentence(self) -> Text:
        if self.stopped == "no_arm":
            return self.none_keeps()
        said = self.recommended()
        if self.free is self.chosen:
            return said
        other, why = self.phrases.name(self.free), self.broken[self.free.candidate][0].reason
        return Text(
            en=f"{said.en} Without the guards it would be {other.en}, which breaks one: {why.en}",
            ko=f"{said.ko} 조건이 없었다면 {other.ko}을(를) 추천했겠지만 조건을 어깁니다: {why.ko}",
        )

    def recommended(self) -> Text:
        if len(self.standing.arms) == 1:
            return self.alone()
        if self.chosen.role == "tuned":
            return self.use_tuned() if self.untrained() else self.only_tuned()
        if self.tuned is None:
            return self.none_tuned()
        return self.do_not(self.tuned)

    def none_keeps(self) -> Text:
        name, score, cost = self.parts(self.chosen)
        why = self.broken[self.chosen.candidate][0].reason
        return Text(
            en=f"No arm keeps the guards, so none is recommended. Without them it would be {name.en}: {score.en}; {cost.en}. "
            f"It breaks this one: {why.en}",
            ko=f"조건을 모두 지키는 후보가 없어 아무것도 추천하지 않습니다. 조건이 없었다면 {name.ko}입니다: {score.ko}, {cost.ko}. "
            f"어긴 조건: {why.ko}",
        )

    def alone(self) -> Text:
        name, score, cost = self.parts(self.chosen)
        return Text(
            en=f"Only one arm was measured, {name.en}: {score.en}; {cost.en}. Whether fine-tuning helps is not shown, "
            "because there is nothing to compare it with.",
            ko=f"측정된 후보가 하나뿐입니다 — {name.ko}: {score.ko}, {cost.ko}. "
            "비교할 대상이 없어 미세조정이 도움이 되는지는 알 수 없습니다.",
        )

    def use_tuned(self) -> Text:
        name, score, cost = self.parts(self.chosen)
        rival = self.rival()
        lead = self.lead(self.chosen, rival)
        gap = self.phrases.gap(lead, rival)
        doubt_en, doubt_ko = (
            ("", "") if lead.won else (" This lead is inside the noise.", " 이 차이 자체는 오차 범위 안입니다.")
        )
        return Text(
            en=f"Use {name.en}: {score.en}, {gap.en}; {cost.en}.{doubt_en}",
            ko=f"추천: {name.ko}. {score.ko}, {gap.ko}. {cost.ko}.{doubt_ko}",
        )

    def only_tuned(self) -> Text:
        name, score, cost = self.parts(self.chosen)
        return Text(
            en=f"Of the fine-tuned arms use {name.en}: {score.en}; {cost.en}. Whether fine-tuning helps is not shown, because "
            "no untrained arm was measured.",
            ko=f"미세조정한 후보 중에서는 이것을 추천합니다 — {name.ko}: {score.ko}, {cost.ko}. "
            "학습하지 않은 후보를 측정하지 않아 미세조정이 도움이 되는지는 알 수 없습니다.",
        )

    def none_tuned(self) -> Text:
        name, score, cost = self.parts(self.chosen)
        return Text(
            en=f"Use {name.en}: {score.en}; {cost.en}. No fine-tuned arm was measured.",
            ko=f"추천: {name.ko}. {score.ko}. {cost.ko}. 미세조정한 후보는 측정되지 않았습니다.",
        )

    def do_not(self, tuned: Arm) -> Text:
        name, score, cost = self.parts(self.chosen)
        lead = self.lead(tuned, self.chosen)
        gap = self.phrases.gap(lead, self.chosen)
        best = self.phrases.name(tuned)
        reason = self.reason(lead)
        but = Text(en="", ko="")
        if lead.won and self.guesses(tuned):
            but = self.phrases.guessing()
        elif tuned.candidate in self.broken:
            but = Text(en=", but it breaks a guard", ko=", 하지만 조건을 어깁니다")
        return Text(
            en=f"Do not fine-tune{reason.en} Use {name.en}: {score.en}; {cost.en}. "
            f"The best fine-tuned arm, {best.en}, is {gap.en}{but.en}.",
            ko=f"미세조정하지 마세요{reason.ko} 추천: {name.ko}. {score.ko}. {cost.ko}. "
            f"미세조정한 후보 중 가장 나은 것은 {best.ko}인데, {gap.ko}{but.ko}.",
        )

    def reason(self, lead: Lead) -> Text:
        if self.free.role == "tuned":
            return Text(
                en=" under these guards: the fine-tuned arm that would be chosen breaks one.",
                ko=". 조건이 없었다면 추천했을 미세조정 후보가 조건을 어깁니다.",
            )
        if lead.won and self.tuned is not None and self.tuned.candidate in self.broken:
            return Text(
                en=" under these guards: the fine-tuned arms that do better break one.",
                ko=". 더 나은 미세조정 후보가 조건을 어깁니다.",
            )
        if lead.lost and self.chosen.elsewhere:
            return Text(
                en=": no fine-tuned arm comes up to the model that is asked elsewhere.",
                ko=". 외부 모델만큼 좋은 미세조정 후보가 없습니다.",
            )
        if lead.lost and self.chosen.role == "floor":
            return Text(
                en=": what needs no pretrained model does better.",
                ko=". 사전학습 모델 없이도 더 잘 답합니다.",
            )
        if lead.lost and self.chosen.learns:
            return Text(en=": the base does better without training.", ko=". 기본 모델이 학습 없이도 더 잘 답합니다.")
        if lead.lost:
            return Text(en=": it makes the answers worse.", ko=". 답이 오히려 나빠집니다.")
        if self.too_small(lead):
            room = self.phrases.amount(lead.high)
            return Text(
                en=f" on this evidence: {self.counted().en} too few to tell, and a gain of up to {room.en} cannot be "
                "ruled out.",
                ko=f". 지금 근거로 내린 판단입니다. {self.counted().ko} 판단하기에 너무 적고, 최대 {room.ko}의 향상도 배제할 수 "
                "없습니다.",
            )
        if self.chosen.role == "floor" and self.guesses(self.chosen):
            return Text(
                en=": nothing has been learnt that a model without any training does not have.",
                ko=". 학습으로 얻은 것이 없습니다. 학습하지 않은 기준선으로 충분합니다.",
            )
        if self.chosen.role == "floor":
            return Text(
                en=": it does not beat what needs no pretrained model beyond noise.",
                ko=". 사전학습 모델이 필요 없는 기준선보다 오차 범위를 넘어 낫지 않습니다.",
            )
        return Text(
            en=": it does not beat the untuned base beyond noise.",
            ko=". 미세조정하지 않은 기본 모델보다 오차 범위를 넘어 낫지 않습니다.",
        )

    def what_it_can_tell(self) -> Text:
        counted = self.counted(plain=True)
        if self.standing.headline.percent and self.standing.smallest_detectable >= 1:
            return Text(
                en=f"{counted.en}: too few to find any difference reliably.",
                ko=f"{counted.ko}: 어떤 차이도 믿을 만하게 알아내기에 너무 적습니다.",
            )
        smallest = self.phrases.amount(self.standing.smallest_detectable)
        return Text(
            en=f"With {counted.en} a difference of about {smallest.en} or more between arms like the best ones would be found "
            "in 80 % of cases; smaller ones usually drown in noise.",
            ko=f"{counted.ko}로는 상위 후보 사이의 차이가 약 {smallest.ko} 이상이면 80% 확률로 알아챌 수 있고, "
            "그보다 작으면 대개 오차에 묻힙니다.",
        )

    def guarded(self) -> list[Text]:
        kept = [each for each in self.standing.guards if each.arm == self.chosen.candidate and each.kept]
        return guard_remarks(self.broken, kept, self.phrases, self.stopped == "no_arm")

    def runners_up(self) -> list[Text]:
        """Arms inside the noise of the chosen one that are costlier, and that would have been chosen were they free."""
        level = [
            arm
            for arm in self.standing.arms
            if arm is not self.chosen and not self.lead(arm, self.chosen).beyond_noise and arm.candidate not in self.broken
        ]
        return level_remarks(self.chosen, level, self.standing.comparisons, self.phrases)

    def guessers(self) -> list[Text]:
        arms = [arm for arm in self.standing.arms if arm.role != "floor" and self.guesses(arm)]
        if not arms:
            return []
        names = joined([self.phrases.name(arm) for arm in arms])
        return [
            Text(
                en=f"No better than their own answers shuffled, so nothing shows that they understand the input: {names.en}.",
                ko=f"답을 무작위로 섞어도 점수가 다르지 않아 입력을 이해했다는 근거가 없는 후보: {names.ko}.",
            )
        ]

    def made_worse(self) -> list[Text]:
        """Tuned arms that a cheaper one beats, whichever is chosen: by training, or because counted words, or the base
        with examples beside it, do better."""
        found = []
        for arm in self.standing.arms:
            for other in self.untrained():
                lead = self.lead(arm, other)
                if arm.role != "tuned" or not lead.lost:
                    continue
                name, gap = self.phrases.name(arm), self.phrases.gap(lead, other)
                if other.role == "floor" and not self.guesses(other):
                    said = Text(
                        en=f"Beaten without any pretrained model: {name.en} is {gap.en}.",
                        ko=f"사전학습 모델 없는 방법에 진 후보: {name.ko} — {gap.ko}.",
                    )
                elif other.role == "base" and other.learns:
                    said = Text(
                        en=f"Beaten without training: {name.en} is {gap.en}.",
                        ko=f"학습하지 않은 후보에 진 후보: {name.ko} — {gap.ko}.",
                    )
                else:
                    said = Text(
                        en=f"Training did harm: {name.en} is {gap.en}.",
                        ko=f"학습이 해가 된 후보: {name.ko} — {gap.ko}.",
                    )
                found.append(said)
        return found

    def what_would_change(self) -> Text:
        lead = self.lead(self.best, self.chosen)
        if self.best is self.chosen or lead.points <= 0:
            return Text(
                en="No other arm scores higher here; only other data, another base model or other settings would change this.",
                ko="여기서 더 높은 점수를 낸 후보는 없습니다. 다른 데이터, 다른 기본 모델, 다른 설정이라야 결론이 바뀝니다.",
            )
        name, gap = self.phrases.name(self.best), self.phrases.gap(lead, self.chosen)
        if self.best.candidate in self.broken:
            way = (
                Text(
                    en="a looser bound, or training that does less harm,",
                    ko="기준을 느슨하게 하거나 해를 덜 끼치게 학습하면",
                )
                if self.best.role == "tuned"
                else Text(en="a looser bound", ko="기준을 느슨하게 하면")
            )
            return Text(
                en=f"What would change it: {name.en} is {gap.en}, but it breaks a guard; {way.en} would let it through.",
                ko=f"결론이 바뀔 수 있는 경우: {name.ko} — {gap.ko}. 하지만 조건을 어깁니다. {way.ko} 통과할 수 있습니다.",
            )
        if lead.beyond_noise:
            but = self.phrases.guessing()
            return Text(en=f"{name.en} is {gap.en}{but.en}.", ko=f"{name.ko} — {gap.ko}{but.ko}.")
        needed = items_needed(self.standing.items, (lead.high - lead.low) / 2, lead.points)
        if self.standing.headline.percent:
            needed = max(needed, math.ceil(_FEWEST_DIFFERING / lead.points))
        return Text(
            en=f"What would change it: {name.en} is {gap.en}, which is inside the noise. If that lead is real, about "
            f"{needed:,} test items would show it.",
            ko=f"결론이 바뀔 수 있는 경우: {name.ko} — {gap.ko}. 아직 오차 범위 안입니다. "
            f"이 차이가 진짜라면 테스트 문항이 약 {needed:,}개일 때 드러납니다.",
        )

    def how_decided(self) -> list[Text]:
        count = len(self.standing.comparisons)
        if count < 2:
            return []
        return [
            Text(
                en=f"{count} pairs of arms were compared on the same items; the chance that any winner is named wrongly "
                "is at most 5 % (Holm).",
                ko=f"같은 문항에서 후보 {count}쌍을 비교했으며, 승자를 하나라도 잘못 꼽을 확률은 5% 이하입니다(Holm 보정).",
            )
        ]

    def cross_validated(self) -> list[Text]:
        turns = self.standing.turns
        if turns is None:
            return []
        times = Text(en=f", {turns.repeats} times over", ko=f", {turns.repeats}번 되풀이") if turns.repeats > 1 else None
        return [
            Text(
                en=f"Cross-validated ({turns.folds} folds{times.en if times else ''}): every row was answered by models that "
                "had not seen it, and the model in use has learnt from all rows. The models' training rows overlap, so intervals "
                f"and tests are approximate; they are widened {turns.spread:.2f}-fold for it (Nadeau and Bengio 2003; no exact "
                "way exists: Bengio and Grandvalet 2004).",
                ko=f"교차 검증(폴드 {turns.folds}개{times.ko if times else ''})으로 모든 행을 그 행을 보지 않은 모델이 답했고, "
                "사용할 모델은 모든 행으로 학습했습니다. 모델들의 학습 행이 겹쳐 구간과 검정은 근삿값이며, 그만큼 "
                f"{turns.spread:.2f}배 넓혔습니다(Nadeau·Bengio 2003, 정확한 방법은 없음: Bengio·Grandvalet 2004).",
            )
        ]

    def failures(self) -> list[Text]:
        return [
            Text(
                en=f"Not measured: {self.phrases.title(name).en}. {why.en}",
                ko=f"측정하지 못한 후보: {self.phrases.title(name).ko}. {why.ko}",
            )
            for name, why in self.standing.failed.items()
        ]

    def parts(self, arm: Arm) -> tuple[Text, Text, Text]:
        return self.phrases.name(arm), self.phrases.score(arm.headline), self.phrases.cost(arm.seconds_per_answer)

    def counted(self, plain: bool = False) -> Text:
        items, clusters = self.standing.items, self.standing.clusters
        en = f"{items:,} test item{'s' if items > 1 else ''}"
        ko = f"테스트 문항 {items:,}개"
        if clusters != items:
            en, ko = f"{en} in {clusters:,} group{'s' if clusters > 1 else ''}", f"{ko}(그룹 {clusters:,}개)"
        if plain:
            return Text(en=en, ko=ko)
        return Text(en=f"{en} {'are' if items > 1 else 'is'}", ko=f"{ko}는")

    def too_small(self, lead: Lead) -> bool:
        """Whether the noise leaves room for a gain that would matter."""
        if lead.beyond_noise:
            return False
        matters = _MATTERS if self.standing.headline.percent else _MATTERS * abs(self.chosen.headline.value)
        return lead.high > matters

    def guesses(self, arm: Arm) -> bool:
        return arm.candidate in self.standing.guessing

    def untrained(self) -> list[Arm]:
        """Those of this machine: a large model elsewhere is no measure of what training brought."""
        return [arm for arm in self.standing.arms if arm.role != "tuned" and not arm.elsewhere]

    def rival(self) -> Arm:
        """What to measure a tuned arm by: the best of the base arms and of the floors that do not guess, so that no weak base flatters
        it; the best floor where there is nothing else."""
        serious = [arm for arm in self.untrained() if arm.role == "base" or not self.guesses(arm)]
        return self.best_of(serious or self.untrained())

    def best_of(self, arms: Sequence[Arm]) -> Arm:
        """The best headline value; of equals the cheapest."""
        most = max(self.goodness(arm) for arm in arms)
        return self.cheapest([arm for arm in arms if self.goodness(arm) == most])

    def cheapest(self, arms: Sequence[Arm]) -> Arm:
        rank = min(map(_rank, arms))
        alike = [arm for arm in arms if _rank(arm) == rank]
        known = all(arm.candidate in self.money for arm in alike)
        expense = {arm.candidate: self.money[arm.candidate] if known else arm.seconds_per_answer for arm in alike}
        least = min(expense.values())
        cheap = [arm for arm in alike if expense[arm.candidate] <= _TIMING_NOISE * least]
        return min(cheap, key=lambda arm: (arm.fit_seconds, arm.peak_bytes, arm.candidate))

    def goodness(self, arm: Arm) -> float:
        return arm.headline.value if self.standing.headline.higher_is_better else -arm.headline.value

    def lead(self, arm: Arm, other: Arm) -> Lead:
        if arm is other:
            return Lead(0.0, 0.0, 0.0, beyond_noise=False)
        return self.leads[arm.candidate, other.candidate]


def _leads(standing: Standing) -> dict[tuple[str, str], Lead]:
    leads: dict[tuple[str, str], Lead] = {}
    for each in standing.comparisons:
        ahead = Lead(each.difference, each.low, each.high, each.better != "neither")
        behind = Lead(-each.difference, -each.high, -each.low, each.better != "neither")
        if not standing.headline.higher_is_better:
            ahead, behind = behind, ahead
        leads[each.a, each.b], leads[each.b, each.a] = ahead, behind
    return leads


def _broken(standing: Standing) -> dict[str, list[Guard]]:
    """By arm the guards that it does not keep."""
    found: dict[str, list[Guard]] = {}
    for guard in standing.guards:
        if not guard.kept:
            found.setdefault(guard.arm, []).append(guard)
    return found


def _rank(arm: Arm) -> int:
    return _ELSEWHERE if arm.elsewhere else _COST_OF_ROLE[arm.role]
