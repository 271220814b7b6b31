"""What was decided about the size of passes, in words: in tokens, or in pictures where rows are pictures.

In: a `Budget`, how it was found, and the rows. Out: one sentence for the run's display and the report. It decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sonmat.core.text import Text
from sonmat.inference.rows import Rows

if TYPE_CHECKING:
    from sonmat.training.budget import Budget, Reason, Trial

_NOTHING: Final = Text(en="", ko="")


@dataclass(frozen=True)
class Unit:
    """What passes are counted in when they are told."""

    one: Text
    many: Text
    tokens: int = 1
    """Of one of them."""

    def count(self, tokens: int) -> Text:
        number = max(1, tokens // self.tokens)
        return Text(en=f"{number:,} {(self.one if number == 1 else self.many).en}", ko=f"{number:,}{self.many.ko}")


def unit_of(rows: Rows[Any]) -> Unit:
    """Tokens; pictures and rows of one token each are counted themselves."""
    if max(rows.lengths, default=1) == 1:
        return Unit(Text(en="row", ko="행"), Text(en="rows", ko="행"))
    if rows.same_length:
        return Unit(Text(en="picture", ko="장"), Text(en="pictures", ko="장"), rows.lengths[0])
    return Unit(Text(en="token", ko="토큰"), Text(en="tokens", ko="토큰"))


def said(budget: Budget, reason: Reason, trials: Sequence[Trial], padding: float, shared: float, unit: Unit) -> Text:
    """How large passes are, why, and how much of them is padding or shared."""
    tried = ", ".join(_trial_words(trial, unit) for trial in trials)
    why: Mapping[Reason, Text] = {
        "given": Text(en="as set", ko="설정한 값"),
        "kept": Text(en="found before", ko="앞서 찾은 값"),
        "short": Text(
            en="the usual; this run is too short to repay a probe", ko="기본값. 학습이 짧아 더 재 보지 않았습니다"
        ),
        "alike": Text(en="the usual; other sizes would cut its steps alike", ko="기본값. 다른 크기도 똑같이 나뉩니다"),
        "probed": Text(
            en=f"the fastest that was tried: {tried} ms a {unit.one.en}",
            ko=f"시도한 것 중 가장 빠름: {unit.one.ko}당 {tried} ms",
        ),
    }
    count, packed, filling, once = unit.count(budget.tokens), _NOTHING, _NOTHING, _NOTHING
    if budget.packed:
        packed = Text(en=", without gaps", ko=", 빈칸 없이 이어 붙임")
    if unit.tokens == 1:
        filling = Text(en=f", {padding:.1%} of it padding", ko=f" 그중 채움이 {padding:.1%}입니다")
    if shared >= 0.005:
        once = Text(
            en=f" Rows begin alike: {shared:.0%} of their tokens need not be computed again.",
            ko=f" 시작 부분이 같은 행이 있어 토큰의 {shared:.0%}는 다시 계산하지 않습니다.",
        )
    return Text(
        en=f"Passes of up to {count.en}{packed.en}{filling.en} ({why[reason].en}).{once.en}",
        ko=f"한 번에 최대 {count.ko}씩 계산합니다{packed.ko}{'.' if filling.ko else ''}{filling.ko}({why[reason].ko}).{once.ko}",
    )


def _trial_words(trial: Trial, unit: Unit) -> str:
    number = max(1, trial.budget.tokens // unit.tokens)
    name = f"{number:,}{'+' if trial.budget.packed else ''}"
    fits = math.isfinite(trial.seconds_per_token)
    return f"{name} {trial.seconds_per_token * unit.tokens * 1e3:.2f}" if fits else f"{name} –"
