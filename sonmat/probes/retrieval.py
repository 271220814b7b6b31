"""Retrieval: do arms that look things up find the right passage, and do their answers rest on what they were given?

In: answers to the test set with the passages behind them; of each test row the first ten passages, and the right ones where they
are known: those that the row names in a column `document`, else those that hold the reference by long overlap. Out: recall, MRR and
nDCG over the rows with a right passage; the share of the answers' words and pairs of words that stand in the passages, beside what
passages of another question would give. Words are compared, not meaning. In a cross-validation every row is in the index of the
model that is observed, so that rankings are not measured there; the answers come from folds and are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sonmat.core.probing import Seen, Setting
from sonmat.core.proof import Measure, Passage, Prediction
from sonmat.core.protocols import No, Predictor, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example, Json
from sonmat.inference.behind import Wrapping
from sonmat.probing.answers import groups_of, writes_text, written
from sonmat.probing.tallies import Tally, measures_of
from sonmat.retrieval.answering import RetrievingPredictor
from sonmat.retrieval.grounding import HOLDS, Grounded, grounded, holders
from sonmat.retrieval.measures import found_at, ndcg_at, recall_at, reciprocal_rank
from sonmat.retrieval.passages import question_of
from sonmat.statistics.words import content_words_of

DEPTH: Final = 10
NAMES: Final = ("document", "passage", "문서")
"""Columns (`slices`) that say which document or passage answers a row."""
_METHODS: Final = ("rag",)

_NOTHING_FOUND: Final = No(Text(en="it looks nothing up.", ko="자료를 찾아보지 않는 후보입니다."))


class Retrieval:
    name = "retrieval"
    title = Text(en="Passages found and used", ko="찾은 자료와 그 쓰임")
    measures: tuple[str, ...] = ("first", "recall_5", "mrr", "ndcg", "grounded_words", "grounded_pairs")

    def supports(self, setting: Setting, candidate: Candidate) -> Yes | No:
        return writes_text(setting, candidate) if candidate.method in _METHODS else _NOTHING_FOUND

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        behind = _retrieving(predictor)
        if behind is None or _is_cross_validated(setting):
            return
        test = setting.test
        rows = [example.id for example in test]
        found = behind.index.search([question_of(example.input) for example in test], behind.by, DEPTH, rows)
        held = holders(behind.index, [written(example.target) for example in test])
        for example, ranking, right in zip(test, found, held, strict=True):
            named = _named(example, behind.index.passages)
            yield {
                "row": example.id,
                "ranking": [passage.id for passage in ranking],
                "right": named or [passage.id for passage in right],
                "named": bool(named),
            }

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        tallies = [*_rankings(setting, own), *_groundedness(setting, own)]
        return measures_of(tallies, probe=self.name, arm=own.candidate.id, seed=setting.seed)


def _retrieving(predictor: Predictor) -> RetrievingPredictor | None:
    behind = predictor
    while not isinstance(behind, RetrievingPredictor):
        if not isinstance(behind, Wrapping):
            return None
        behind = behind.loaded()
    return behind


def _is_cross_validated(setting: Setting) -> bool:
    """Whether test rows are learnt from, each in other folds than it is tested in."""
    learnt = {example.id for example in setting.train}
    return any(example.id in learnt for example in setting.test)


def _named(example: Example, passages: Sequence[Passage]) -> list[str]:
    """Passages that the row itself says are right, by their id or by the name of their document."""
    names = {example.slices[name] for name in NAMES if example.slices.get(name)}
    return [each.id for each in passages if not each.row and (each.id in names or each.id.rpartition("#")[0] in names)]


# ── rankings ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _rankings(setting: Setting, own: Seen) -> list[Tally]:
    known = {str(row["row"]): row for row in own.rows if row["right"]}
    if not known:
        return []
    note, groups = _about_right_ones(own.rows), groups_of(setting.test)
    titles = {
        "first": Text(en="questions whose first passage is a right one", ko="첫 자료가 맞는 자료인 질문"),
        "recall_5": Text(en="recall@5: right passages among the first five", ko="재현율@5: 위 다섯 개 안에 든 맞는 자료"),
        "mrr": Text(en="MRR@10: 1 / rank of the first right passage", ko="MRR@10: 맞는 자료가 처음 나온 순위의 역수"),
        "ndcg": Text(en="nDCG@10 of the passages found", ko="찾은 자료의 nDCG@10"),
    }
    outcomes = {
        "first": {row: found_at(each["ranking"], each["right"], 1) for row, each in known.items()},
        "recall_5": {row: recall_at(each["ranking"], each["right"], 5) for row, each in known.items()},
        "mrr": {row: reciprocal_rank(each["ranking"], each["right"], DEPTH) for row, each in known.items()},
        "ndcg": {row: ndcg_at(each["ranking"], each["right"], DEPTH) for row, each in known.items()},
    }
    return [
        Tally(
            name=name,
            title=titles[name],
            outcomes=each,
            higher_is_better=True,
            share=name == "first",
            bounded=True,
            groups=groups,
            note=note,
        )
        for name, each in outcomes.items()
    ]


def _about_right_ones(rows: Sequence[Json]) -> Text:
    known = [row for row in rows if row["right"]]
    named = sum(bool(row["named"]) for row in known)
    return Text(
        en=f"A right passage is known for {len(known)} of {len(rows)} test rows: named by {named}, for the others found by overlap "
        f"(a passage with {HOLDS:.0%} of the reference's pairs of words). Rows without one are not counted, so that this says "
        "how well passages are found that exist, not how many questions they answer.",
        ko=f"테스트 행 {len(rows)}개 중 {len(known)}개는 맞는 자료를 압니다. {named}개는 행에 적혀 있고, 나머지는 정답과 많이 겹치는 "
        f"자료(정답 단어 쌍의 {HOLDS:.0%} 이상)를 찾았습니다. 맞는 자료가 없는 행은 세지 않았으므로, 있는 자료를 얼마나 잘 "
        "찾는지를 말할 뿐 몇 문항에 답할 수 있는지는 말하지 않습니다.",
    )


# ── groundedness ────────────────────────────────────────────────────────────────────────────────────────────────────


def _groundedness(setting: Setting, own: Seen) -> list[Tally]:
    test = [example for example in setting.test if example.id in own.answers]
    answers = [own.answers[example.id] for example in test]
    if not answers:
        return []
    found = _grounded(test, answers, [answer.sources for answer in answers])
    # Words that any passage has, such as 'use', are no sign that an answer rests on its own.
    elsewhere = _grounded(test, answers, [answers[place - 1].sources for place in range(len(answers))])
    groups, empty = groups_of(setting.test), sum(not answer.sources for answer in answers)
    words = _outcomes(test, [each.words for each in found])
    pairs = _outcomes(test, [each.pairs for each in found])
    return [
        Tally(
            name="grounded_words",
            title=Text(en="words of the answers that stand in their passages", ko="자료에 나오는 말로 쓴 답변 단어"),
            outcomes=words,
            higher_is_better=True,
            share=False,
            bounded=True,
            groups=groups,
            note=_about_grounding([each.words for each in elsewhere], empty),
        ),
        Tally(
            name="grounded_pairs",
            title=Text(
                en="pairs of neighbouring words that stand in their passages", ko="자료에 나란히 나오는 답변 단어 쌍"
            ),
            outcomes=pairs,
            higher_is_better=True,
            share=False,
            bounded=True,
            groups=groups,
            note=_about_grounding([each.pairs for each in elsewhere], empty),
        ),
    ]


def _grounded(
    test: Sequence[Example], answers: Sequence[Prediction], sources: Sequence[Sequence[Passage]]
) -> list[Grounded]:
    said = content_words_of([written(answer.output) for answer in answers])
    asked = content_words_of([question_of(example.input) for example in test])
    texts = list(dict.fromkeys(passage.text for each in sources for passage in each))
    words = dict(zip(texts, content_words_of(texts), strict=True))
    return [
        grounded(answer, question, [words[passage.text] for passage in each])
        for answer, question, each in zip(said, asked, sources, strict=True)
    ]


def _outcomes(test: Sequence[Example], values: Sequence[float | None]) -> Mapping[str, float]:
    return {example.id: value for example, value in zip(test, values, strict=True) if value is not None}


def _about_grounding(elsewhere: Sequence[float | None], empty: int) -> Text:
    chance = [value for value in elsewhere if value is not None]
    mean = sum(chance) / len(chance) if chance else 0.0
    none_given = Text(en="", ko="")
    if empty:
        none_given = Text(
            en=f" {empty} answers were given no passage, because none was found or fitted; they rest on nothing.",
            ko=f" 답변 {empty}개에는 찾았거나 들어갈 만한 자료가 없어 근거 없이 쓴 것으로 셌습니다.",
        )
    return Text(
        en=f"With passages of another question it would be {mean:.1%}. Words are compared and not meaning; what only repeats the "
        f"question is left out.{none_given.en}",
        ko=f"다른 질문의 자료와 견주면 {mean:.1%}입니다. 뜻이 아니라 단어를 비교하며, 질문을 되풀이한 말은 뺐습니다.{none_given.ko}",
    )


plugin = Retrieval()
