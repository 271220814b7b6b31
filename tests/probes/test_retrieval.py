"""The retrieval probe: planted answers from passages and from nowhere are told apart, and right passages are known or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sonmat.core.probing import Seen
from sonmat.core.proof import Measure, Passage, Prediction
from sonmat.core.protocols import No, Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.probes.retrieval import plugin
from sonmat.retrieval.answering import RetrievingPredictor
from sonmat.retrieval.grounding import grounded, holders
from sonmat.retrieval.index import PassageIndex
from sonmat.retrieval.lexical import LexicalIndex
from sonmat.retrieval.passages import example_passages
from tests.probes.arms import Arm, by_name, candidate, example, setting
from tests.retrieval.made import passages

CITIES = ("Seoul", "Busan", "Daegu", "Incheon", "Gwangju", "Ulsan", "Jeju", "Suwon")
FACTS = {
    city: f"The library of {city} lends books for {number} weeks and asks readers to bring a blue card number {number}."
    for number, city in enumerate(CITIES, start=2)
}
TEST = [example(f"e{city}", f"How long does {city} lend?", FACTS[city]) for city in CITIES]
TRAIN = [example("t0", "What is the weather like?", "Nobody can say for sure.")]
RAG = candidate().model_copy(update={"method": "rag"})


@dataclass(frozen=True)
class Given:
    """Hands passages to a function in place of a model."""

    asked: Predictor
    say: Callable[[str, Sequence[Passage]], str]

    def fitting(self, question: Question, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        return tuple(passages)

    def answers(self, questions: Sequence[Question], passages: Sequence[Sequence[Passage]]) -> Iterator[Prediction]:
        for question, given in zip(questions, passages, strict=True):
            text = self.say(question.input["messages"][-1]["content"], given)
            yield Prediction(row=question.row, output={"text": text}, seconds=0.0)


@dataclass(frozen=True)
class Watching:
    """Stands between, as the proof does."""

    behind: Predictor

    def loaded(self) -> Predictor:
        return self.behind

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        return self.behind.answer(questions)


def quoting(question: str, given: Sequence[Passage]) -> str:
    return given[0].text


def inventing(question: str, given: Sequence[Passage]) -> str:
    return "Elephants repaint distant volcanoes every purple morning."


def measured(say: Callable[[str, Sequence[Passage]], str], texts: Sequence[str], **world: Any) -> dict[str, Measure]:
    rows = world.pop("test", TEST)
    place = setting(world.pop("train", TRAIN), rows)
    found = [*passages(*texts), *example_passages(TRAIN)]
    index = PassageIndex(found, LexicalIndex.of([passage.text for passage in found]), None)
    predictor = Watching(RetrievingPredictor(index, "words", 2, Given(Arm(str), say)))
    seen_rows = list(plugin.observe(place, RAG, predictor))
    answers = {answer.row: answer for answer in predictor.answer([Question(row.id, row.input) for row in rows])}
    return by_name(plugin.measure(place, Seen(RAG, answers, seen_rows), None))


def test_an_answer_from_its_passages_is_grounded_and_an_invented_one_is_not() -> None:
    texts = list(FACTS.values())
    quoted, invented = measured(quoting, texts), measured(inventing, texts)
    assert quoted["grounded_words"].value == quoted["grounded_pairs"].value == 1
    assert invented["grounded_words"].value == invented["grounded_pairs"].value == 0
    assert quoted["grounded_words"].items == len(TEST)


def test_the_one_who_invents_is_shown_first() -> None:
    def mixed(question: str, given: Sequence[Passage]) -> str:
        return inventing(question, given) if "Ulsan" in question else quoting(question, given)

    found = measured(mixed, list(FACTS.values()))
    assert found["grounded_words"].rows[0] == found["grounded_pairs"].rows[0] == "eUlsan"
    assert found["grounded_words"].value == pytest.approx(7 / 8)
    assert found["grounded_words"].low is not None
    assert found["grounded_words"].low < 7 / 8


def test_what_passages_of_another_question_would_give_is_said() -> None:
    note = measured(quoting, list(FACTS.values()))["grounded_pairs"].note
    assert note is not None
    share = float(note.en.split("would be ")[1].split("%")[0])
    assert 20 < share < 95


def test_answers_without_passages_rest_on_nothing() -> None:
    found = measured(lambda question, given: "Books go out for two weeks.", [])
    assert found["grounded_words"].value == 0
    assert found["grounded_words"].note is not None
    assert "8 answers were given no passage" in found["grounded_words"].note.en


def test_right_passages_are_those_that_hold_the_reference() -> None:
    found = measured(quoting, list(FACTS.values()))
    assert found["first"].value == found["recall_5"].value == found["mrr"].value == found["ndcg"].value == 1
    assert found["mrr"].items == 8
    assert found["first"].note is not None
    assert "known for 8 of 8 test rows: named by 0" in found["first"].note.en


def test_a_right_passage_that_is_found_late_counts_less() -> None:
    # Each question shares a rare word with a wrong passage, too.
    wrong = [f"How long, how long: {city} {city} lend lend" for city in CITIES]
    found = measured(quoting, [*wrong, *FACTS.values()])
    assert found["first"].value == 0
    assert set(found["first"].rows) == {row.id for row in TEST}
    assert 0.3 < found["mrr"].value <= 0.5
    assert found["recall_5"].value == 1


def test_rows_without_a_right_passage_are_not_counted() -> None:
    found = measured(quoting, list(FACTS.values())[:3])
    assert found["mrr"].items == 3
    assert found["grounded_words"].items == 8
    assert "mrr" not in measured(inventing, ["Something else altogether about the lending of ships."])


def test_a_row_may_name_its_document() -> None:
    rows = [row.model_copy(update={"slices": {"document": "p4"}}) for row in TEST[:1]]
    found = measured(quoting, list(FACTS.values()), test=rows)
    assert found["first"].value == 0
    assert found["first"].note is not None
    assert "named by 1" in found["first"].note.en


def test_in_a_cross_validation_rankings_are_not_measured_because_rows_would_find_themselves() -> None:
    found = measured(quoting, list(FACTS.values()), train=[*TRAIN, *TEST])
    assert set(found) == {"grounded_words", "grounded_pairs"}


def test_only_arms_that_look_things_up_are_probed() -> None:
    place = setting(TRAIN, TEST)
    assert isinstance(plugin.supports(place, RAG), Yes)
    assert isinstance(plugin.supports(place, candidate()), No)


def test_what_the_question_says_itself_is_no_sign_of_grounding() -> None:
    question, answer = ("library", "seoul"), ("library", "seoul", "open", "nine")
    assert grounded(answer, question, [("open", "late")]).words == 0.5
    assert grounded(question, question, [("open",)]).words is None
    assert grounded(answer, question, [("seoul", "open", "nine")]).pairs == 1


def test_short_answers_are_held_by_nothing_and_long_ones_by_a_good_part() -> None:
    long = " ".join(
        f"Step {number}: turn the {color} wheel." for number, color in enumerate(("red", "blue", "green", "grey"))
    )
    found = passages("Yes, of course you can.", long.split(" Step 2")[0])
    index = PassageIndex(found, LexicalIndex.of([passage.text for passage in found]), None)
    assert [[each.id for each in row] for row in holders(index, ["Yes, of course.", long])] == [[], ["p1"]]


def test_korean_answers_are_compared_by_morphemes() -> None:
    texts = ["데비안 패키지는 apt 명령으로 설치하고 지울 수 있으며 설정은 보존됩니다."]
    rows = [
        example(
            "k", "패키지를 어떻게 설치하나요?", "데비안에서는 apt 명령을 써서 패키지를 설치하고 지우며 설정을 보존합니다."
        )
    ]
    found = measured(lambda question, given: "apt 명령으로 설치한 뒤 설정을 보존합니다.", texts, test=rows)
    assert found["grounded_words"].value > 0.7


def test_every_sentence_is_in_both_languages() -> None:
    found = measured(quoting, list(FACTS.values()))
    texts: list[Text] = [text for measure in found.values() for text in (measure.title, measure.note) if text is not None]
    assert all(any("가" <= sign <= "힣" for sign in text.ko) for text in texts)
