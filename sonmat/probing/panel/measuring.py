"""What a writing model forgot: its answers to the general panel and its probabilities on general texts, against its base's.

In: rows that were observed of an arm and of its base. Out: measures. It asks no model, so figures can be worked out again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sonmat.core.probing import Seen
from sonmat.core.proof import Measure
from sonmat.core.text import Text
from sonmat.core.values import Json
from sonmat.probing.panel import AREAS, LANGUAGES, Item, items
from sonmat.probing.panel.asking import REWORDED, is_right
from sonmat.probing.tallies import ROWS_SHOWN, Tally, measures_of
from sonmat.statistics import Discordance, exact_mcnemar, paired_samples, paired_share_interval, value_interval
from sonmat.statistics.shares import share

Outcomes = Mapping[str, float]
"""1 for right and 0 for wrong, by row."""


def panel_measures(probe: str, own: Seen, base: Seen | None, seed: int) -> list[Measure]:
    """What was lost over all and by language; the share of right answers by area and over all, with what tuning changed; how many
    answers moved, and how many move by another wording alone."""
    arm = own.candidate.id
    right, before = outcomes(own.rows), outcomes(base.rows) if base is not None else None
    every = [item for item in items() if item.id in right]
    areas = [
        _rightness(area, title, [item for item in every if item.area == area], right, before)
        for area, title in AREAS.items()
    ]
    # The question about everything is one; those about areas are a family.
    families = [[_rightness("accuracy", _ACCURACY, every, right, before)], areas, *_movements(own, right, base, before)]
    found = _lost(probe, arm, right, before) if before is not None else []
    return found + [each for family in families for each in measures_of(family, probe=probe, arm=arm, seed=seed)]


def _rightness(name: str, title: Text, asked: Sequence[Item], right: Outcomes, before: Outcomes | None) -> Tally:
    chosen = {item.id: right[item.id] for item in asked}
    rows = _broken(chosen, before)
    return Tally(name, title, chosen, before, higher_is_better=True, rows=rows, note=_guessing(asked))


def _movements(own: Seen, right: Outcomes, base: Seen | None, before: Outcomes | None) -> list[list[Tally]]:
    """How many outcomes differ from the base's; of a base, how many from its own in other words."""
    found = []
    if base is not None and before is not None:
        found.append([Tally("moved", _MOVED, _moved(before, right), note=_floor(_moved(before, _reworded(base.rows))))])
    noise = _moved(right, _reworded(own.rows))
    return [*found, [Tally("wording", _WORDING, noise)]] if noise else found


def _reworded(rows: Sequence[Json]) -> dict[str, float]:
    """Outcomes behind the other opening."""
    return outcomes([{"row": row["row"], **row[REWORDED]} for row in rows if REWORDED in row])


def text_measures(probe: str, own: Seen, base: Seen | None, seed: int) -> list[Measure]:
    """Of a tuned arm KL(base‖arm) on general texts; of a base how far another wording alone moves it."""
    wording = [row for row in own.rows if "wording" in row]
    if wording:
        return [_per_token(probe, own, "wording_kl", _WORDING_KL, wording, "wording", {}, seed)]
    rows = [row for row in own.rows if "kl" in row]
    floor = [row for row in base.rows if "wording" in row] if base is not None else []
    parts: list[tuple[dict[str, str], list[Json]]] = [({}, rows)]
    parts += [({"language": each}, [row for row in rows if f"-{each}-" in row["row"]]) for each in LANGUAGES]
    note = _kl_floor(floor) if floor else None
    return [_per_token(probe, own, "kl", _KL, each, "kl", part, seed, note) for part, each in parts if each]


def outcomes(rows: Sequence[Json]) -> dict[str, float]:
    """Of every row of an item whether it was right."""
    by_id = {item.id: item for item in items()}
    return {str(row["row"]): float(is_right(by_id[row["row"]], row)) for row in rows if row["row"] in by_id}


def _lost(probe: str, arm: str, right: Outcomes, before: Outcomes) -> list[Measure]:
    """Share right of the base less that of the arm, over all items and by language."""
    parts: list[tuple[dict[str, str], list[str]]] = [({}, [item.id for item in items()])]
    parts += [({"language": each}, [item.id for item in items() if item.language == each]) for each in LANGUAGES]
    found = []
    for part, ids in parts:
        both = [id for id in ids if id in right and id in before]
        if not both:
            continue
        broken = [id for id in both if before[id] > right[id]]
        mended = sum(before[id] < right[id] for id in both)
        interval = paired_share_interval(len(broken), mended, len(both))
        p_value = exact_mcnemar(Discordance(len(broken), mended))
        if p_value > 0.05:
            interval = interval.including(0.0)
        found.append(
            Measure(
                probe=probe,
                name="all",
                title=_LOST,
                arm=arm,
                value=(len(broken) - mended) / len(both),
                low=interval.low,
                high=interval.high,
                items=len(both),
                higher_is_better=False,
                slice=part,
                rows=tuple(broken[:ROWS_SHOWN]),
                note=_counts(len(broken), mended, p_value),
            )
        )
    return found


def _per_token(
    probe: str,
    own: Seen,
    name: str,
    title: Text,
    rows: Sequence[Json],
    of: str,
    part: dict[str, str],
    seed: int,
    note: Text | None = None,
) -> Measure:
    """Nats per token over all tokens; texts are drawn whole, because tokens of one text are not independent."""
    sums = np.array([(row[of], row["tokens"]) for row in rows], dtype=np.float64)
    sample = paired_samples(lambda each: share(each[..., 0], each[..., 1]), {"own": sums}, seed)["own"]
    interval = value_interval(sample, share=False, right_or_wrong=False)
    worst = sorted(rows, key=lambda row: -row[of] / row["tokens"])
    return Measure(
        probe=probe,
        name=name,
        title=title,
        arm=own.candidate.id,
        value=sample.value,
        low=interval.low,
        high=interval.high,
        items=len(rows),
        unit="nats",
        higher_is_better=False,
        slice=part,
        rows=tuple(str(row["row"]) for row in worst[:ROWS_SHOWN]),
        note=note,
    )


def _moved(one: Outcomes, other: Outcomes) -> dict[str, float]:
    """Of the items in `other` whether they came out differently."""
    return {row: float(one[row] != value) for row, value in other.items() if row in one}


def _broken(right: Outcomes, before: Outcomes | None) -> tuple[str, ...]:
    """Items that were right before and are wrong now; without a base, those that are wrong."""
    return tuple(row for row, value in right.items() if not value and (before is None or before.get(row)))


def _guessing(asked: Sequence[Item]) -> Text:
    chance = sum(item.chance for item in asked) / max(1, len(asked))
    return Text(en=f"Guessing gets {chance:.0%}.", ko=f"찍어서 맞힐 확률은 {chance:.0%}입니다.")


def _counts(broken: int, mended: int, p_value: float) -> Text:
    return Text(
        en=f"{broken} items were right before and are wrong now, {mended} the other way round (exact McNemar, p = {p_value:.2g}).",
        ko=f"맞히다가 틀리게 된 문항 {broken}개, 틀리다가 맞히게 된 문항 {mended}개입니다(정확 맥니마 검정, p = {p_value:.2g}).",
    )


def _floor(noise: Outcomes) -> Text | None:
    if not noise:
        return None
    rate = sum(noise.values()) / len(noise)
    return Text(
        en=f"The base alone moves on {rate:.0%} of {len(noise)} items when only the wording around them changes.",
        ko=f"기본 모델도 묻는 말만 조금 바꾸면 {len(noise)}개 문항 가운데 {rate:.0%}에서 결과가 달라집니다.",
    )


def _kl_floor(rows: Sequence[Json]) -> Text:
    rate = sum(row["wording"] for row in rows) / sum(row["tokens"] for row in rows)
    return Text(
        en=f"Another wording of the question moves the base by {rate:.3g} nats a token.",
        ko=f"질문의 표현만 바꿔도 기본 모델은 토큰마다 {rate:.3g}나트 움직입니다.",
    )


_LOST = Text(en="general ability lost", ko="잃은 일반 능력")
_ACCURACY = Text(en="right answers to the general panel", ko="일반 문항 정답률")
_MOVED = Text(en="items that came out differently than from the base", ko="기본 모델과 결과가 달라진 문항")
_WORDING = Text(
    en="items that come out differently in other words (noise floor)", ko="표현만 바꿔도 결과가 달라지는 문항(잡음 바닥)"
)
_KL = Text(en="distance from the base on general texts", ko="일반 글에서 기본 모델과 멀어진 정도")
_WORDING_KL = Text(en="distance by another wording alone (noise floor)", ko="표현만 바꿔도 생기는 차이(잡음 바닥)")
