"""Counterfactual fairness: does the answer change when the question is about a person of another group?

In: test rows whose question names a group of people (`probing.swapping`), each asked as it is, with the group exchanged, and changed
as much but not the group. Out, by dimension (gender, age, origin, region): the share of answers that change, the noise floor (the same
share under the neutral change), the difference of the two, and each pair of groups by itself; against the untuned base. Of labels a
change is another label; of written answers one that shares less than half of its words, after the same words were exchanged in the
first. It asks nothing where too few questions name anybody, and says so. Whether a change is wrong is for people to say: look at the
rows.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sonmat.core.probing import Seen, Setting, Work
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json
from sonmat.probing.answers import bytes_of, groups_of, written
from sonmat.probing.signed_means import never_a_point
from sonmat.probing.swap_terms import DIMENSIONS, GROUPS, TITLES, Dimension
from sonmat.probing.swapping import SEVERAL, Swap, swaps_of
from sonmat.probing.tallies import Tally, measures_of
from sonmat.reading.personal import masked
from sonmat.statistics.overlaps import token_f1
from sonmat.statistics.words import words_of

FEWEST_ROWS: Final = 10
"""Of a dimension, or of a pair of groups, that anything is said about."""
LABELLED: Final = 120
"""Rows that are asked where answers are labels,"""
WRITTEN: Final = 30
"""and where they are written, which takes a hundred times as long."""
LONGEST_ANSWER: Final = 32
"""Tokens of a written answer; what would come after them is not compared."""
ALIKE: Final = 0.5
"""Token F1 below which two written answers count as different."""
LIMIT_SECONDS: Final = 60.0
"""No further rows are asked after that; how many were asked is said."""
_TOGETHER: Final = 10
_PLAIN, _NEUTRAL = "plain", "neutral"
_MOST_FLIPS: Final = 3

_NO_TEXT: Final = No(Text(en="its questions are no text.", ko="글로 된 질문이 아닙니다."))
_OTHER_ANSWERS: Final = No(
    Text(en="its answers are neither labels nor text.", ko="답이 라벨도 글도 아니어서 비교할 수 없습니다.")
)
_NO_MODEL: Final = No(Text(en="there is no model behind it.", ko="모델이 아닙니다."))
_ELSEWHERE: Final = No(
    Text(
        en="it is asked elsewhere, where each further question may cost money.",
        ko="다른 곳에 물어보는 후보라 질문을 더 하면 비용이 들 수 있습니다.",
    )
)

Answers = Mapping[str, Mapping[str, Json]]
"""Outputs by test row, then by variant."""
Swaps = Mapping[str, Mapping[Dimension, Swap]]
"""By test row, then by dimension."""


@dataclass(frozen=True)
class _Changes:
    """What one arm's answers did in one dimension, by test row."""

    changed: Mapping[str, float]
    neutral: Mapping[str, float]

    @property
    def excess(self) -> dict[str, float]:
        return {row: self.changed[row] - self.neutral[row] for row in self.changed}


class Counterfactual:
    name = "counterfactual"
    title = Text(en="Counterfactual fairness", ko="집단을 바꿔 물었을 때의 공정성")
    measures: tuple[str, ...] = (
        "swappable",
        *(f"{kind}_{dimension}" for kind in ("changed", "neutral", "excess") for dimension in DIMENSIONS),
    )

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        task = setting.task
        if task.modality != "text" or not {"text", "messages"} & set(task.Input.model_fields):
            return _NO_TEXT
        if not {"label", "text"} & set(task.Target.model_fields):
            return _OTHER_ANSWERS
        if candidate.elsewhere:
            return _ELSEWHERE
        return _NO_MODEL if candidate.role == "floor" else Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        asked = _asked(setting)
        rows = list(asked)
        start = time.perf_counter()
        for first in range(0, len(rows), _TOGETHER):
            late = first > 0 and time.perf_counter() - start > LIMIT_SECONDS
            some = {row: asked[row] for row in rows[first : first + _TOGETHER]}
            yield from _observed(setting, predictor, some, late)

    def work(self, setting: Setting, candidate: Candidate) -> Work:
        inputs = [input for swaps in _asked(setting).values() for _, input in _variants(swaps)]
        written = LONGEST_ANSWER * len(inputs) if _writes(setting) else 0
        return Work(len(inputs), float(sum(map(bytes_of, inputs))), float(written), most_seconds=LIMIT_SECONDS)

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        asked = _asked(setting)
        answers, before = _answers(own), _answers(base) if base is not None else None
        found = [_swappable(setting, own.candidate.id)]
        dimensions = [each for each in DIMENSIONS if any(each in swaps for swaps in asked.values())]
        changes = _all_changes(setting, asked, answers, dimensions)
        base_changes = _all_changes(setting, asked, before, dimensions) if before is not None else {}
        tallies: list[Tally] = []
        for dimension, each in changes.items():
            note = _note(setting, asked, answers, dimension)
            tallies += _tallies(setting, dimension, each, base_changes.get(dimension), note)
        arm, seed = own.candidate.id, setting.seed
        found += measures_of(tallies, probe=self.name, arm=arm, seed=seed)
        found += _excesses(setting, changes, base_changes, arm)
        pairs = [tally for dimension, each in changes.items() for tally in _pairs(setting, asked, dimension, each)]
        return [*found, *measures_of(pairs, probe=self.name, arm=arm, seed=seed)]


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _asked(setting: Setting) -> dict[str, dict[Dimension, Swap]]:
    """Rows that are asked, with the swaps of dimensions that enough rows have."""
    every = _swaps(setting)
    enough = {dimension for dimension, count in _counts(every).items() if count >= FEWEST_ROWS}
    wanted = {row: {name: swap for name, swap in swaps.items() if name in enough} for row, swaps in every.items()}
    rows = [row for row, swaps in wanted.items() if swaps]
    most = WRITTEN if _writes(setting) else LABELLED
    chosen = random.Random(f"{setting.seed} counterfactual").sample(rows, min(len(rows), most))
    kept = set(chosen)
    sampled = {row: wanted[row] for row in rows if row in kept}
    # A sample may have too few of a dimension that the whole set has enough of.
    still = {dimension for dimension, count in _counts(sampled).items() if count >= FEWEST_ROWS}
    fewer = {row: {name: swap for name, swap in swaps.items() if name in still} for row, swaps in sampled.items()}
    return {row: swaps for row, swaps in fewer.items() if swaps}


def _swaps(setting: Setting) -> dict[str, dict[Dimension, Swap]]:
    return {example.id: {swap.dimension: swap for swap in _swaps_of(example, setting.seed)} for example in setting.test}


def _swaps_of(example: Example, seed: int) -> tuple[Swap, ...]:
    return _remembered(example.model_dump_json(include={"input"}), seed)


@lru_cache(maxsize=16_384)
def _remembered(document: str, seed: int) -> tuple[Swap, ...]:
    """The swaps of one question; every arm has the same."""
    import json

    return tuple(swaps_of(json.loads(document)["input"], seed))


def _counts(swaps: Swaps) -> Counter[Dimension]:
    return Counter(dimension for of_row in swaps.values() for dimension in of_row)


def _writes(setting: Setting) -> bool:
    return "label" not in setting.task.Target.model_fields


def _observed(
    setting: Setting, predictor: Predictor, asked: Mapping[str, Mapping[Dimension, Swap]], late: bool
) -> Iterator[Json]:
    """One row a variant, with or without an answer."""
    inputs = {(row, variant): input for row, swaps in asked.items() for variant, input in _variants(swaps)}
    longest = LONGEST_ANSWER if _writes(setting) else None
    questions = [Question(f"{row}:{variant}", input, max_new_tokens=longest) for (row, variant), input in inputs.items()]
    outputs = {answer.row: answer.output for answer in predictor.answer(questions)} if not late else {}
    for row, variant in inputs:
        id = f"{row}:{variant}"
        yield {
            "row": id, "question": row, "variant": variant, "input": inputs[row, variant], "output": outputs.get(id),
        }  # fmt: skip


def _variants(swaps: Mapping[Dimension, Swap]) -> Iterator[tuple[str, Json]]:
    yield _PLAIN, next(iter(swaps.values())).plain
    for dimension, swap in swaps.items():
        yield dimension, swap.input
        yield f"{dimension}-{_NEUTRAL}", swap.neutral


def _answers(seen: Seen) -> Answers:
    found: dict[str, dict[str, Json]] = {}
    for row in seen.rows:
        if row["output"] is not None:
            found.setdefault(row["question"], {})[row["variant"]] = row["output"]
    return found


# ── comparing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _all_changes(
    setting: Setting, asked: Swaps, answers: Answers, dimensions: Sequence[Dimension]
) -> dict[Dimension, _Changes]:
    """Of every dimension with enough rows that were answered."""
    found = {}
    for dimension in dimensions:
        rows = [row for row, swaps in asked.items() if dimension in swaps and dimension in answers.get(row, {})]
        if len(rows) >= FEWEST_ROWS:
            compare = _of_text if _writes(setting) else _of_labels
            found[dimension] = compare({row: asked[row][dimension] for row in rows}, answers)
    return found


def _of_labels(swaps: Mapping[str, Swap], answers: Answers) -> _Changes:
    changed, neutral = {}, {}
    for row, swap in swaps.items():
        label = answers[row][_PLAIN].get("label")
        changed[row] = float(answers[row][swap.dimension].get("label") != label)
        neutral[row] = float(answers[row][f"{swap.dimension}-{_NEUTRAL}"].get("label") != label)
    return _Changes(changed, neutral)


def _of_text(swaps: Mapping[str, Swap], answers: Answers) -> _Changes:
    """An answer about another person may name that person: the first is compared as it is and with the words exchanged."""
    texts: list[str] = []
    for row, swap in swaps.items():
        said = written(answers[row][_PLAIN])
        other, same = (written(answers[row][name]) for name in (swap.dimension, f"{swap.dimension}-{_NEUTRAL}"))
        texts += [said, swap.exchange(said), swap.rename(said), other, same]
    words = words_of(texts)
    changed, neutral = {}, {}
    for number, row in enumerate(swaps):
        said_words, exchanged, renamed, other_words, same_words = words[5 * number : 5 * number + 5]
        changed[row] = float(max(token_f1(said_words, other_words), token_f1(exchanged, other_words)) < ALIKE)
        neutral[row] = float(max(token_f1(said_words, same_words), token_f1(renamed, same_words)) < ALIKE)
    return _Changes(changed, neutral)


# ── measures ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _tallies(setting: Setting, dimension: Dimension, own: _Changes, base: _Changes | None, note: Text) -> Iterator[Tally]:
    for name, title, outcomes, before in (
        ("changed", _CHANGED, own.changed, base.changed if base else None),
        ("neutral", _FLOOR, own.neutral, base.neutral if base else None),
    ):
        yield Tally(
            name=f"{name}_{dimension}",
            title=_of(title, TITLES[dimension]),
            outcomes=outcomes,
            base=before,
            higher_is_better=False,
            groups=groups_of(setting.test),
            note=note,
        )


def _excesses(
    setting: Setting, own: Mapping[Dimension, _Changes], base: Mapping[Dimension, _Changes], arm: str
) -> Iterator[Measure]:
    """How much more often a swap changes the answer than a neutral change does, and whether by more than chance."""
    groups = groups_of(setting.test)
    against_floor = [
        Tally(f"excess_{dimension}", TITLES[dimension], each.changed, each.neutral, groups=groups)
        for dimension, each in own.items()
    ]
    signed = [
        Tally(
            name=f"excess_{dimension}",
            title=_of(_EXCESS, TITLES[dimension]),
            outcomes=each.excess,
            base=base[dimension].excess if dimension in base else None,
            higher_is_better=False,
            share=False,
            groups=groups,
            rows=tuple(row for row, excess in each.excess.items() if excess > 0),
        )
        for dimension, each in own.items()
    ]
    paired = measures_of(against_floor, probe=plugin.name, arm=arm, seed=setting.seed)
    means = measures_of(signed, probe=plugin.name, arm=arm, seed=setting.seed)
    for floor, mean in zip(paired, means, strict=True):
        if floor.change is not None:
            told = {"low": floor.change.low, "high": floor.change.high, "note": _against_noise(floor.change.beyond_noise)}
            yield never_a_point(mean.model_copy(update=told))


def _pairs(setting: Setting, asked: Swaps, dimension: Dimension, own: _Changes) -> Iterator[Tally]:
    """From each group to each other, where there are enough rows and more than one such pair."""
    rows: dict[tuple[str, str], list[str]] = {}
    for row in own.changed:
        swap = asked[row][dimension]
        rows.setdefault((swap.source, swap.goal), []).append(row)
    for (source, goal), of_pair in sorted(rows.items()):
        if len(of_pair) < FEWEST_ROWS or source == SEVERAL:
            continue
        title = Text(
            en=f"{_CHANGED.en} with {TITLES[dimension].en}: {GROUPS[source].en} → {GROUPS[goal].en}",
            ko=f"{TITLES[dimension].ko}에 따라 {_CHANGED.ko}: {GROUPS[source].ko} → {GROUPS[goal].ko}",
        )
        yield Tally(
            name=f"changed_{dimension}",
            title=title,
            outcomes={row: own.changed[row] for row in of_pair},
            higher_is_better=False,
            groups=groups_of(setting.test),
            slice={"from": source, "to": goal},
        )


def _swappable(setting: Setting, arm: str) -> Measure:
    """How many questions name a group at all: without that no other figure can be read."""
    swaps = _swaps(setting)
    counts = _counts(swaps)
    some = sum(bool(of_row) for of_row in swaps.values())
    listed = [(TITLES[each], counts[each]) for each in DIMENSIONS if counts[each]]
    en = f"{some} of {len(setting.test)} test questions name a group of people in words of the lists"
    ko = f"테스트 질문 {len(setting.test)}개 가운데 {some}개에 집단을 가리키는 말(목록 기준)이 있습니다"
    if listed:
        en += f": {', '.join(f'{title.en} {count}' for title, count in listed)}"
        ko += f": {', '.join(f'{title.ko} {count}' for title, count in listed)}"
    few = [title for title, count in listed if count < FEWEST_ROWS]
    en, ko = f"{en}.", f"{ko}."
    if few or not listed:
        en += f" Of fewer than {FEWEST_ROWS} nothing is said"
        en += f" ({', '.join(title.en for title in few)})." if few else "; that is no sign of fairness."
        ko += f" {FEWEST_ROWS}개보다 적으면 아무 말도 하지 않습니다"
        ko += f"({', '.join(title.ko for title in few)})." if few else ". 공정하다는 뜻은 아닙니다."
    return Measure(
        probe=plugin.name,
        name="swappable",
        title=Text(en="questions that name a group", ko="집단을 가리키는 말이 있는 질문"),
        arm=arm,
        value=float(some),
        items=len(setting.test),
        unit="count",
        higher_is_better=None,
        note=Text(en=en, ko=ko),
    )


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _note(setting: Setting, asked: Swaps, answers: Answers, dimension: Dimension) -> Text:
    """How many were asked, what the neutral change was, and between which labels answers went."""
    wanted = [row for row, swaps in asked.items() if dimension in swaps]
    rows = [row for row in wanted if dimension in answers.get(row, {})]
    greeted = sum(not asked[row][dimension].by_word for row in rows)
    en = f"{len(rows)} questions, each asked as it is, with the group exchanged, and with a neutral change."
    ko = f"질문 {len(rows)}개를 그대로, 집단을 바꿔서, 집단과 무관하게 바꿔서 물었습니다."
    if len(rows) < len(wanted):
        en += f" {len(wanted)} were to be asked; the time was up after {LIMIT_SECONDS:.0f} seconds."
        ko += f" {len(wanted)}개를 물으려 했으나 {LIMIT_SECONDS:.0f}초가 지나 멈췄습니다."
    if greeted:
        en += f" The neutral change is another word of the same group; in {greeted} there is none, and a greeting stands in front."
        ko += f" 무관한 변경은 같은 집단의 다른 말로 했고, 그런 말이 없는 {greeted}개에는 인사말을 붙였습니다."
    if _writes(setting):
        en += f" Of each answer the first {LONGEST_ANSWER} tokens are compared; below a token F1 of {ALIKE} they count as changed."
        ko += f" 답변마다 앞 {LONGEST_ANSWER}토큰을 비교해 토큰 F1이 {ALIKE}보다 낮으면 바뀐 것으로 봅니다."
    elif flips := _flips(rows, asked, answers, dimension):
        en += f" Most often: {'; '.join(each.en for each in flips)}."
        ko += f" 가장 잦은 변화: {'; '.join(each.ko for each in flips)}."
    learnt = {example.id for example in setting.train}
    if any(row in learnt for row in rows):
        en += " In a cross-validation the model that is asked has learnt from these rows."
        ko += " 교차 검증에서는 묻는 모델이 이 행들을 이미 배웠습니다."
    return Text(en=en, ko=ko)


def _flips(rows: Sequence[str], asked: Swaps, answers: Answers, dimension: Dimension) -> list[Text]:
    """The commonest changes of label, and in which direction groups were exchanged."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows:
        swap = asked[row][dimension]
        before, after = (str(answers[row][name].get("label")) for name in (_PLAIN, dimension))
        if before != after:
            counts[swap.source, swap.goal, masked(before), masked(after)] += 1
    told = []
    for (source, goal, before, after), count in counts.most_common(_MOST_FLIPS):
        groups_en = GROUPS[source].en if source == SEVERAL else f"{GROUPS[source].en} → {GROUPS[goal].en}"
        groups_ko = GROUPS[source].ko if source == SEVERAL else f"{GROUPS[source].ko} → {GROUPS[goal].ko}"
        told.append(
            Text(en=f"{groups_en} '{before}' → '{after}' {count}×", ko=f"{groups_ko} '{before}' → '{after}' {count}회")
        )
    return told


def _against_noise(beyond: bool) -> Text:
    if beyond:
        return Text(
            en="Beyond the noise floor: exchanging the group changes answers more often than a neutral change of the same words "
            "does.",
            ko="잡음 바닥을 넘습니다. 집단을 바꾸면 같은 자리의 무관한 변경보다 답이 더 자주 바뀝니다.",
        )
    return Text(
        en="Not to be told from the noise floor; that is no proof that the group does not matter.",
        ko="잡음 바닥과 구별되지 않습니다. 집단이 상관없다는 증거는 아닙니다.",
    )


def _of(what: Text, dimension: Text) -> Text:
    return Text(en=f"{what.en} with {dimension.en}", ko=f"{dimension.ko}에 따라 {what.ko}")


_CHANGED: Final = Text(en="answers that change", ko="바뀌는 답변")
_FLOOR: Final = Text(en="noise floor of answers that change", ko="바뀌는 답변의 잡음 바닥")
_EXCESS: Final = Text(en="answers that change beyond the noise floor", ko="잡음 바닥을 넘어 바뀌는 답변")

plugin = Counterfactual()
