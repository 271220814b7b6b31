"""Figures of a judge that has compared an arm's answers with another's, each pair in both orders.

In: rows of verdicts. Out: the share of items won (ties half) with its interval, how often the judge only followed the order, how many
of its words were no verdict, and what judging cost. A verdict counts only where both orders agree: judges prefer what stands first or
last (Zheng et al. 2023, "Judging LLM-as-a-judge with MT-Bench and Chatbot Arena", section 3.4). It asks no judge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from sonmat.core.errors import ModelError
from sonmat.core.proof import Measure, Unit
from sonmat.core.recipe import TokenPrice
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics import Discordance, exact_mcnemar

Verdict = Literal["own", "other", "tie", "unreadable"]
READABLE_SHARE: Final = 0.5
"""Of the pairs that were judged: with fewer readable verdicts there is no figure."""
_TOKENS_PRICED: Final = 1_000_000


def judged_measures(
    rows: Sequence[Json],
    *,
    probe: str,
    arm: str,
    seed: int,
    groups: Mapping[str, str | None],
    note: Text,
    price: TokenPrice | None,
) -> list[Measure]:
    """The measures of one arm; none where nothing was compared.

    Args:
        rows: each with `row`, `first` and `second` (a `Verdict`, or 'same' where the answers are equal), `calls`, `input_tokens`,
            `output_tokens`.
        note: which judge, beside whom.
        price: of the judge's tokens.
    Raises:
        ModelError: most of the judge's words are no verdicts.
    """
    if not rows:
        return []
    asked = [row for row in rows if row["first"] != "same"]
    unread = {row["row"]: float("unreadable" in (row["first"], row["second"])) for row in asked}
    if asked and sum(unread.values()) > (1 - READABLE_SHARE) * len(asked):
        raise _no_verdicts(int(sum(unread.values())), len(asked))
    won = {row["row"]: _outcome(row) for row in rows}
    flips = {row["row"]: float(_followed_the_order(row)) for row in asked if not unread[row["row"]]}
    tallies = [
        Tally(
            "win_rate", _WIN_RATE, won, higher_is_better=True, share=False, bounded=True, groups=groups,
            rows=tuple(row for row, value in won.items() if value == 0.0), note=_counted(rows, won, groups, note),
        ),
        Tally("position_flips", _FLIPS, flips, groups=groups, note=_which_place(asked)),
        Tally("unreadable", _UNREADABLE, unread, groups=groups, note=_COUNT_AS_TIES),
    ]  # fmt: skip
    return [*measures_of(tallies, probe=probe, arm=arm, seed=seed), *_expense(rows, probe, arm, price)]


def _outcome(row: Json) -> float:
    if row["first"] != row["second"]:
        return 0.5
    return {"own": 1.0, "other": 0.0}.get(row["first"], 0.5)


def _followed_the_order(row: Json) -> bool:
    """Whether the same place was preferred in both orders, whoever stood there."""
    return {row["first"], row["second"]} == {"own", "other"}


def _counted(rows: Sequence[Json], won: Mapping[str, float], groups: Mapping[str, str | None], note: Text) -> Text:
    wins, losses = sum(value == 1.0 for value in won.values()), sum(value == 0.0 for value in won.values())
    same = sum(row["first"] == "same" for row in rows)
    en = f"{note.en} Won {wins}, lost {losses}, tied {len(rows) - wins - losses}, {same} of them because both answers are the same"
    ko = f"{note.ko} 이김 {wins}, 짐 {losses}, 비김 {len(rows) - wins - losses}(그중 두 답이 같은 것 {same})"
    named = [group for row in rows if (group := groups.get(row["row"])) is not None]
    if len(set(named)) == len(named):
        # The sign test; groups of items would make it too sure.
        p_value = exact_mcnemar(Discordance(wins, losses))
        en, ko = f"{en}; exact sign test p = {p_value:.3f}", f"{ko}, 정확 부호 검정 p = {p_value:.3f}"
    return Text(en=f"{en}.", ko=f"{ko}.")


def _which_place(asked: Sequence[Json]) -> Text:
    """In the first order the arm stood first."""
    flips = [row for row in asked if _followed_the_order(row)]
    first = sum(row["first"] == "own" for row in flips)
    return Text(
        en=f"Whoever stood there, the judge took the first answer of {first} pairs and the last of {len(flips) - first}. They count "
        "as ties.",
        ko=f"누구의 답이든 앞의 것을 고른 쌍이 {first}개, 뒤의 것을 고른 쌍이 {len(flips) - first}개입니다. 비긴 것으로 셉니다.",
    )


def _expense(rows: Sequence[Json], probe: str, arm: str, price: TokenPrice | None) -> list[Measure]:
    calls = sum(int(row["calls"]) for row in rows)
    read, written = (sum(int(row[name]) for row in rows) for name in ("input_tokens", "output_tokens"))
    found = [
        _total(probe, arm, "calls", _CALLS, float(calls), "count", len(rows), None),
        _total(probe, arm, "input_tokens", _READ, float(read), "count", len(rows), None),
        _total(probe, arm, "output_tokens", _WRITTEN, float(written), "count", len(rows), None),
    ]
    if price is not None and (read or not calls):
        money = (price.input * read + price.output * written) / _TOKENS_PRICED
        note = Text(
            en=f"A million tokens cost {price.input:g} read and {price.output:g} written.",
            ko=f"토큰 백만 개당 요금은 입력 {price.input:g}, 출력 {price.output:g}입니다.",
        )
        found.append(_total(probe, arm, "money", _MONEY, money, "money", len(rows), note))
    return found


def _total(
    probe: str, arm: str, name: str, title: Text, value: float, unit: Unit, items: int, note: Text | None
) -> Measure:
    return Measure(
        probe=probe, name=name, title=title, arm=arm, value=value, items=items, unit=unit, higher_is_better=None, note=note
    )


def _no_verdicts(unread: int, asked: int) -> ModelError:
    return ModelError(
        Text(
            en=f"The judge's words are no verdicts for {unread} of {asked} pairs of answers.",
            ko=f"답 {asked}쌍 가운데 {unread}쌍에서 심판의 말을 판정으로 읽을 수 없습니다.",
        ),
        Text(en="Choose a larger model as the judge.", ko="더 큰 모델을 심판으로 고르세요."),
    )


_WIN_RATE = Text(
    en="won before the judge against the untuned base, ties half", ko="심판이 기본 모델보다 낫다고 한 비율(비기면 절반)"
)
_FLIPS = Text(en="verdicts that only follow the order", ko="순서만 따른 판정")
_UNREADABLE = Text(en="pairs with words of the judge that are no verdict", ko="판정으로 읽을 수 없는 말이 있는 쌍")
_COUNT_AS_TIES = Text(en="They count as ties.", ko="비긴 것으로 셉니다.")
_CALLS = Text(en="questions to the judge", ko="심판에게 물은 횟수")
_READ = Text(en="tokens that the judge read", ko="심판이 읽은 토큰 수")
_WRITTEN = Text(en="tokens that the judge wrote", ko="심판이 쓴 토큰 수")
_MONEY = Text(en="cost of judging", ko="심판 비용")
