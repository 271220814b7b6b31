"""Stability: does the arm say the same again, and does it still when the question is typed a little differently?

In: some test rows, each asked twice as it is and once with every noise of `probing.perturbing`. Out: the share of answers that stay
the same, under each noise and under all of them, what noise costs in accuracy (labels) or how much of the words stays (token F1 of
the two answers, written text), and the rows whose answers flip. Saying the same is no merit of its own: an arm that says one thing
to everything is perfectly stable. An arm that is asked elsewhere is not asked, because each question may cost money there.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sonmat.core.probing import Seen, Setting, Work
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json
from sonmat.probing.answers import bytes_of, groups_of, written
from sonmat.probing.perturbing import NOISES, TITLES, perturbed_input
from sonmat.probing.signed_means import never_a_point
from sonmat.probing.tallies import Tally, measures_of
from sonmat.statistics.overlaps import token_f1
from sonmat.statistics.words import one_line, words_of

LABELLED: Final = 60
"""Rows that are asked where answers are labels,"""
WRITTEN: Final = 30
"""and where they are written, which takes a hundred times as long."""
LONGEST_ANSWER: Final = 32
"""Tokens of a written answer; what would come after them is not compared."""
LIMIT_SECONDS: Final = 90.0
"""No further rows are asked after that; how many were asked is said."""
_TOGETHER: Final = 10
"""Rows that are asked in one go."""
_PLAIN, _AGAIN = "plain", "again"
_VARIANTS: Final = (_PLAIN, _AGAIN, *NOISES)

_PICTURES: Final = No(Text(en="its questions are no text.", ko="글로 된 질문이 아닙니다."))
_OTHER_ANSWERS: Final = No(
    Text(en="its answers are neither labels nor text.", ko="답이 라벨도 글도 아니어서 비교할 수 없습니다.")
)
_NO_MODEL: Final = No(Text(en="there is no model behind it.", ko="모델이 아닙니다."))
_COUNTING: Final = "tf-idf"
"""The floor whose answers depend on how a question is spelt."""
_ELSEWHERE: Final = No(
    Text(
        en="it is asked elsewhere, where each further question may cost money.",
        ko="다른 곳에 물어보는 후보라 질문을 더 하면 비용이 들 수 있습니다.",
    )
)

Answers = Mapping[str, Mapping[str, Json]]
"""Outputs by row of the test set, then by variant; variants that were not asked are left out."""


@dataclass(frozen=True)
class _Compared:
    """One way to compare the answer to a question as it is with that to a variant of it."""

    name: str
    title: Text
    compare: Callable[[str, Json, Json], float]
    """From the row and the two outputs."""
    higher_is_better: bool
    share: bool = False
    """Whether it is 1 or 0."""
    untouched: float = 1.0
    """What it is where the variant changed nothing."""


class Stability:
    name = "stability"
    title = Text(en="Stability", ko="안정성")
    measures: tuple[str, ...] = tuple(
        f"{kind}{under}"
        for kind in ("same", "accuracy_lost", "token_f1")
        for under in ("", "_again", *(f"_{noise}" for noise in NOISES))
    )

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        task = setting.task
        if task.modality != "text" or not {"text", "messages"} & set(task.Input.model_fields):
            return _PICTURES
        if not {"label", "text"} & set(task.Target.model_fields):
            return _OTHER_ANSWERS
        if candidate.elsewhere:
            return _ELSEWHERE
        return _NO_MODEL if candidate.role == "floor" and candidate.method != _COUNTING else Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        asked = _sample(setting)
        start = time.perf_counter()
        for first in range(0, len(asked), _TOGETHER):
            late = first > 0 and time.perf_counter() - start > LIMIT_SECONDS
            yield from _observed(setting, predictor, asked[first : first + _TOGETHER], late)

    def work(self, setting: Setting, candidate: Candidate) -> Work:
        asked = len(_VARIANTS) * sum(bytes_of(example.input) for example in _sample(setting))
        rows = len(_VARIANTS) * len(_sample(setting))
        written = LONGEST_ANSWER * rows if _writes(setting) else 0
        return Work(rows, float(asked), float(written), most_seconds=LIMIT_SECONDS)

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        answers = _answers(own)
        before = _answers(base) if base is not None else None
        compared = _of_text(answers, before or {}) if _writes(setting) else _of_labels(setting)
        note = _rows_asked(setting, answers)
        tallies = [tally for each in compared for tally in _tallies(each, setting, answers, before, note)]
        found = measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)
        return [never_a_point(each, least=-1.0 if each.name.startswith("accuracy_lost") else 0.0) for each in found]


def _writes(setting: Setting) -> bool:
    return "label" not in setting.task.Target.model_fields


def _sample(setting: Setting) -> list[Example]:
    count = min(len(setting.test), WRITTEN if _writes(setting) else LABELLED)
    places = random.Random(f"{setting.seed} stability").sample(range(len(setting.test)), count)
    return [setting.test[place] for place in sorted(places)]


def _observed(setting: Setting, predictor: Predictor, examples: Sequence[Example], late: bool) -> Iterator[Json]:
    """One row a variant, with or without an answer."""
    inputs: dict[str, Json | None] = {}
    for example in examples:
        for variant in _VARIANTS:
            inputs[f"{example.id}:{variant}"] = None if late else _variant(example.input, variant, setting.seed)
    again = {row: asked for row, asked in inputs.items() if row.endswith(f":{_AGAIN}") and asked is not None}
    once = {row: asked for row, asked in inputs.items() if row not in again and asked is not None}
    longest = LONGEST_ANSWER if _writes(setting) else None
    outputs: dict[str, Json] = {}
    # Apart and backwards: a question must not get its answer from the one beside it, or from being in the same batch.
    for asked in (once, dict(reversed(again.items()))):
        questions = [Question(row, input, max_new_tokens=longest) for row, input in asked.items()]
        outputs |= {answer.row: answer.output for answer in predictor.answer(questions)} if questions else {}
    for example in examples:
        for variant in _VARIANTS:
            row = f"{example.id}:{variant}"
            yield {"row": row, "question": example.id, "variant": variant, "input": inputs[row], "output": outputs.get(row)}


def _variant(input: Json, variant: str, seed: int) -> Json | None:
    noise = next((noise for noise in NOISES if noise == variant), None)
    return input if noise is None else perturbed_input(input, noise, seed)


def _answers(seen: Seen) -> Answers:
    found: dict[str, dict[str, Json]] = {}
    for row in seen.rows:
        if row["output"] is not None:
            found.setdefault(row["question"], {})[row["variant"]] = row["output"]
    return {question: variants for question, variants in found.items() if _PLAIN in variants}


# ── comparing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_labels(setting: Setting) -> list[_Compared]:
    right = {example.id: example.target["label"] for example in setting.test}

    def same(row: str, plain: Json, other: Json) -> float:
        return float(plain.get("label") == other.get("label"))

    def lost(row: str, plain: Json, other: Json) -> float:
        return float(plain.get("label") == right[row]) - float(other.get("label") == right[row])

    return [
        _Compared("same", _SAME, same, higher_is_better=True, share=True),
        _Compared("accuracy_lost", _LOST, lost, higher_is_better=False, untouched=0.0),
    ]


def _of_text(own: Answers, base: Answers) -> list[_Compared]:
    texts = [written(output) for answers in (own, base) for variants in answers.values() for output in variants.values()]
    distinct = list(dict.fromkeys(texts))
    words = dict(zip(distinct, words_of(distinct), strict=True))

    def same(row: str, plain: Json, other: Json) -> float:
        return float(one_line(written(plain)) == one_line(written(other)))

    def alike(row: str, plain: Json, other: Json) -> float:
        return token_f1(words[written(plain)], words[written(other)])

    return [
        _Compared("same", _SAME, same, higher_is_better=True, share=True),
        _Compared("token_f1", _ALIKE, alike, higher_is_better=True),
    ]


def _tallies(compared: _Compared, setting: Setting, own: Answers, base: Answers | None, note: Text) -> list[Tally]:
    """Under every noise together, asked again as it was, and under each noise."""
    variants: list[tuple[str, Text, tuple[str, ...]]] = [
        (compared.name, _joined(compared.title, _ANY_NOISE), NOISES),
        (f"{compared.name}_again", _joined(compared.title, _ASKED_AGAIN), (_AGAIN,)),
        *((f"{compared.name}_{noise}", _joined(compared.title, TITLES[noise]), (noise,)) for noise in NOISES),
    ]
    found = []
    for name, title, among in variants:
        outcomes = _outcomes(compared, own, among)
        worst = sorted(outcomes, key=lambda row: outcomes[row], reverse=not compared.higher_is_better)
        found.append(
            Tally(
                name=name,
                title=title,
                outcomes=outcomes,
                base=_outcomes(compared, base, among) if base is not None else None,
                higher_is_better=compared.higher_is_better,
                share=compared.share,
                groups=groups_of(setting.test),
                rows=tuple(row for row in worst if outcomes[row] != compared.untouched),
                note=note,
            )
        )
    return found


def _outcomes(compared: _Compared, answers: Answers, among: Sequence[str]) -> dict[str, float]:
    """By row, over those of the variants that it was asked in: the mean, or for a share whether it is so in all of them."""
    found = {}
    for row, outputs in answers.items():
        values = [compared.compare(row, outputs[_PLAIN], outputs[variant]) for variant in among if variant in outputs]
        if values:
            found[row] = min(values) if compared.share else sum(values) / len(values)
    return found


def _joined(what: Text, when: Text) -> Text:
    return Text(en=f"{what.en}: {when.en}", ko=f"{what.ko}: {when.ko}")


def _rows_asked(setting: Setting, own: Answers) -> Text:
    wanted = len(_sample(setting))
    en = f"{len(own)} test rows, each asked twice as it is and once with every noise that changes it."
    ko = f"테스트 행 {len(own)}개를 그대로 두 번, 그리고 바뀌는 변형마다 한 번씩 물었습니다."
    if len(own) < wanted:
        en += f" {wanted} were to be asked; the time was up after {LIMIT_SECONDS:.0f} seconds."
        ko += f" {wanted}개를 물으려 했으나 {LIMIT_SECONDS:.0f}초가 지나 멈췄습니다."
    if _writes(setting):
        en += f" Of each answer the first {LONGEST_ANSWER} tokens are compared."
        ko += f" 답변마다 앞 {LONGEST_ANSWER}토큰까지 비교했습니다."
    learnt = {example.id for example in setting.train}
    if any(row in learnt for row in own):
        en += " In a cross-validation the model that is asked has learnt from these rows, so that it may look steadier than it is."
        ko += " 교차 검증에서는 묻는 모델이 이 행들을 이미 배웠으므로 실제보다 안정적으로 보일 수 있습니다."
    return Text(en=en, ko=ko)


_SAME: Final = Text(en="answers that stay the same", ko="그대로인 답변")
_LOST: Final = Text(en="accuracy lost", ko="떨어진 정확도")
_ALIKE: Final = Text(en="words that both answers share (token F1)", ko="두 답변이 함께 쓴 말(토큰 F1)")
_ANY_NOISE: Final = Text(en="under every noise", ko="모든 변형에서")
_ASKED_AGAIN: Final = Text(en="asked again unchanged", ko="똑같이 다시 물으면")

plugin = Stability()
