"""Repetition: does the arm go round in circles, say one thing to everything, say nothing, or not come to an end?

In: answers to the test set. Out: shares of answers with a loop, of the commonest answer, of empty answers, of answers cut at the
longest length and in another language than the reference, and how varied all answers are together. Nothing is asked of the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from sonmat.checking.loops import distinct_share, loop_in
from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.answers import answer_texts, groups_of, writes_text, written
from sonmat.probing.tallies import Tally, measures_of
from sonmat.reading.language import language_of
from sonmat.reading.sameness import evened

_FEWEST_PAIRS = 50
"""Pairs of neighbouring words below which distinct-2 says nothing."""


class Repetition:
    name = "repetition"
    title = Text(en="Repetition and collapse", ko="되풀이와 획일화")
    measures: tuple[str, ...] = ("loops", "same_answer", "empty", "cut", "other_language", "distinct_pairs")

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return writes_text(setting, candidate)

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        return iter(())

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        tallies = [
            _loops(setting, own, base),
            _same_answer(setting, own, base),
            _empty(setting, own, base),
            _cut(setting, own, base),
            _other_language(setting, own, base),
        ]
        measures = measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)
        return [*measures, *_distinct(setting, own, base)]


def _loops(setting: Setting, own: Seen, base: Seen | None) -> Tally:
    def looping(seen: Seen) -> dict[str, float]:
        return {row: float(loop_in(text) is not None) for row, text in answer_texts(seen).items()}

    references = [loop_in(written(example.target)) is not None for example in setting.test]
    share = sum(references) / max(1, len(references))
    return Tally(
        name="loops",
        title=Text(en="answers that say the same over and over", ko="같은 말을 되풀이하는 답변"),
        outcomes=looping(own),
        base=looping(base) if base else None,
        groups=groups_of(setting.test),
        note=Text(en=f"Of the references, {share:.1%} do.", ko=f"정답 가운데서는 {share:.1%}가 그렇습니다."),
    )


def _same_answer(setting: Setting, own: Seen, base: Seen | None) -> Tally:
    """Of the commonest answer, and only where the reference is another one: to say the right thing often is no collapse."""
    references = {example.id: evened(written(example.target)) for example in setting.test}

    def collapsed(seen: Seen) -> dict[str, float]:
        texts = {row: evened(text) for row, text in answer_texts(seen).items()}
        commonest, count = Counter(texts.values()).most_common(1)[0] if texts else ("", 0)
        if count < 2:
            return dict.fromkeys(texts, 0.0)
        return {row: float(text == commonest and references.get(row) != commonest) for row, text in texts.items()}

    counts = Counter(references.values())
    share = max(counts.values(), default=0) / max(1, len(references))
    return Tally(
        name="same_answer",
        title=Text(en="wrong answers that are one and the same", ko="모두 똑같은 틀린 답변"),
        outcomes=collapsed(own),
        base=collapsed(base) if base else None,
        groups=groups_of(setting.test),
        note=Text(
            en="How often the commonest answer is given where the reference is another one. The commonest reference makes up "
            f"{share:.1%}.",
            ko=f"가장 흔한 답이, 정답이 그것이 아닌데도 나온 비율입니다. 가장 흔한 정답은 {share:.1%}입니다.",
        ),
    )


def _empty(setting: Setting, own: Seen, base: Seen | None) -> Tally:
    def empty(seen: Seen) -> dict[str, float]:
        return {row: float(not text.strip()) for row, text in answer_texts(seen).items()}

    return Tally(
        name="empty",
        title=Text(en="empty answers", ko="빈 답변"),
        outcomes=empty(own),
        base=empty(base) if base else None,
        groups=groups_of(setting.test),
    )


def _cut(setting: Setting, own: Seen, base: Seen | None) -> Tally:
    def cut(seen: Seen) -> dict[str, float]:
        longest = seen.candidate.spec.max_new_tokens
        # Arms that count no tokens, such as one that copies, are never cut.
        return {row: float(prediction.tokens >= longest) for row, prediction in seen.answers.items()}

    longest = own.candidate.spec.max_new_tokens
    return Tally(
        name="cut",
        title=Text(en="answers cut at the longest length", ko="최대 길이에서 잘린 답변"),
        outcomes=cut(own),
        base=cut(base) if base else None,
        groups=groups_of(setting.test),
        note=Text(en=f"The longest is {longest:,} tokens.", ko=f"최대 길이는 {longest:,}토큰입니다."),
    )


def _other_language(setting: Setting, own: Seen, base: Seen | None) -> Tally:
    references = {example.id: language_of(written(example.target)) for example in setting.test}

    def foreign(seen: Seen) -> dict[str, float]:
        """Only of rows whose reference and answer are both long and plain enough to tell."""
        told = {row: (language_of(text), references.get(row)) for row, text in answer_texts(seen).items()}
        return {
            row: float(said != wanted) for row, (said, wanted) in told.items() if said is not None and wanted is not None
        }

    return Tally(
        name="other_language",
        title=Text(en="answers in another language than the reference", ko="정답과 다른 언어로 쓴 답변"),
        outcomes=foreign(own),
        base=foreign(base) if base else None,
        groups=groups_of(setting.test),
        note=Text(
            en="By script: languages in Latin letters count as one. Short answers, which do not tell, are left out.",
            ko="글자로 판정하므로 로마자를 쓰는 언어는 모두 하나로 봅니다. 짧아서 알 수 없는 답은 세지 않습니다.",
        ),
    )


def _distinct(setting: Setting, own: Seen, base: Seen | None) -> list[Measure]:
    """Distinct-2 (Li et al. 2016), over as many pairs of words as arm, base and references all have."""
    said = list(answer_texts(own).values())
    wanted = [written(example.target) for example in setting.test]
    before = list(answer_texts(base).values()) if base else None
    pairs = min(_pairs(texts) for texts in (said, wanted, before) if texts is not None)
    share = distinct_share(said, 2, pairs) if pairs >= _FEWEST_PAIRS else None
    if share is None:
        return []
    of_references = distinct_share(wanted, 2, pairs) or 0.0
    of_base = distinct_share(before, 2, pairs) if before is not None else None
    base_en = "" if of_base is None else f", the untuned base's {of_base:.1%}"
    base_ko = "" if of_base is None else f", 조정 전 모델은 {of_base:.1%}"
    return [
        Measure(
            probe=plugin.name,
            name="distinct_pairs",
            title=Text(en="different pairs of neighbouring words", ko="서로 다른 이웃 낱말 쌍"),
            arm=own.candidate.id,
            value=share,
            items=pairs,
            note=Text(
                en=f"Of the first {pairs:,} pairs of all answers, since the share falls with their number. The references have "
                f"{of_references:.1%}{base_en}. Without an interval: pairs of one answer are not independent.",
                ko=f"쌍이 많을수록 비율이 낮아지므로 모든 답의 처음 {pairs:,}쌍만 봅니다. 정답은 "
                f"{of_references:.1%}{base_ko}입니다. 한 답 안의 "
                "쌍들은 독립이 아니어서 구간은 없습니다.",
            ),
        )
    ]


def _pairs(texts: Sequence[str]) -> int:
    return sum(max(0, len(text.split()) - 1) for text in texts)


plugin = Repetition()
