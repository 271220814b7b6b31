"""Retrieval in front of a model: what it is given, what it never sees, and that its folder stands alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sonmat import plugins
from sonmat.conformance.method import CPU, tiny_base
from sonmat.core.errors import Paused
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, Predictor, Question, SavedModel
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, ModelFacts, Source
from sonmat.inference.predictor import NeuralPredictor
from sonmat.methods.rag import Rag, RagSettings
from sonmat.retrieval.answering import INSTRUCTIONS, BeforeTheQuestion, RetrievingPredictor
from sonmat.retrieval.choosing import LookUp
from sonmat.runs.files import read_value
from tests.retrieval.made import passages

CHAT = plugins.find("tasks", "chat")
TOPICS = ("open", "close", "hello", "day", "six", "nine", "evening")
RAG = Rag()


def silent(kind: str, message: Text | None = None, /, **data: Any) -> None:
    pass


def chat(id: str, question: str, answer: str) -> Example:
    messages = [{"role": "user", "content": question}]
    return Example(id=id, input={"messages": messages}, target={"text": answer}, source=Source(file="a.jsonl", row=1))


TRAIN = [chat(f"t{number}", f"{topic} item{number}", f"at {topic}") for number, topic in enumerate(TOPICS)]
VALIDATION = [chat(f"v{number}", f"when {topic}", "at nine") for number, topic in enumerate(TOPICS[:4])]
TEST = [chat(f"e{number}", f"do you {topic}", "at six") for number, topic in enumerate(TOPICS)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ModelFacts:
    return tiny_base(CHAT, tmp_path_factory.mktemp("base")).model_copy(update={"max_positions": 64})


def job(base: ModelFacts, folder: Path, **changes: Any) -> FitJob:
    (folder / "model").mkdir(parents=True)
    plain = FitJob(
        task=CHAT,
        spec=CHAT.tiny().spec,
        base=base,
        family=plugins.find("families", base.family),
        settings=RagSettings(),
        train=TRAIN,
        validation=VALIDATION,
        selection=plugins.find("metrics", CHAT.selection_metric),
        folder=folder / "model",
        work=folder / "work",
        seed=0,
        device=CPU,
        emit=silent,
        should_pause=lambda: False,
        cache=folder / "cache",
    )
    return replace(plain, **changes)


def opened(made: FitJob, over: SavedModel | None = None) -> Predictor:
    saved = SavedModel(
        made.folder, "rag", made.task, made.spec, made.base, made.family, made.settings, made.device, None, over
    )
    return RAG.load(saved)


def asked(predictor: Predictor, examples: Sequence[Example], **how: Any) -> dict[str, Prediction]:
    return {
        found.row: found
        for found in predictor.answer([Question(each.id, each.input, each.target, **how) for each in examples])
    }


@pytest.fixture(scope="module")
def fitted(base: ModelFacts, tmp_path_factory: pytest.TempPathFactory) -> tuple[FitJob, FitResult, dict[str, Prediction]]:
    made = job(base, tmp_path_factory.mktemp("fitted"))
    result = RAG.fit(made)
    return made, result, asked(opened(made), [*TEST, *TRAIN])


Fitted = tuple[FitJob, FitResult, dict[str, Prediction]]


def test_answers_carry_the_passages_that_the_model_was_given(fitted: Fitted) -> None:
    _, _, answers = fitted
    for number, topic in enumerate(TOPICS):
        sources = answers[f"e{number}"].sources
        assert sources[0].row == f"t{number}"
        assert topic in sources[0].text
    assert all(answer.reference_nll is not None for answer in answers.values())


def test_rows_of_other_parts_are_never_found(fitted: Fitted) -> None:
    _, _, answers = fitted
    assert {source.row for answer in answers.values() for source in answer.sources} <= {example.id for example in TRAIN}


def test_a_training_row_is_never_found_for_itself(fitted: Fitted) -> None:
    _, _, answers = fitted
    for example in TRAIN:
        assert example.id not in {source.row for source in answers[example.id].sources}


def test_the_guard_against_finding_oneself_is_needed(fitted: Fitted) -> None:
    made, _, _ = fitted
    renamed = [example.model_copy(update={"id": f"x{example.id}"}) for example in TRAIN]
    answers = asked(opened(made), renamed)
    assert all(answers[f"x{example.id}"].sources[0].row == example.id for example in TRAIN)


def test_the_likelihood_is_that_of_the_reference_behind_the_passages(fitted: Fitted) -> None:
    made, _, answers = fitted
    predictor = opened(made)
    assert isinstance(predictor, RetrievingPredictor)
    neural = predictor.loaded()
    answer = answers["e0"]
    listed = "\n\n".join(source.text for source in answer.sources)
    content = f"{INSTRUCTIONS['en']}\n\n{listed}\n\nQuestion: do you open"
    question = Question("q", {"messages": [{"role": "user", "content": content}]}, TEST[0].target)
    (expected,) = neural.answer([question])
    assert expected.output == answer.output
    assert expected.reference_nll == pytest.approx(answer.reference_nll, rel=1e-4)


def test_the_choice_is_made_on_validation_rows_and_declared(fitted: Fitted) -> None:
    made, result, answers = fitted
    assert result.budget is not None
    assert "3 ways of looking things up tried on 4 validation rows" in result.budget.en
    assert "검증 행 4개" in result.budget.ko
    chosen = read_value(made.folder / "retrieval.json", LookUp)
    # The score of the choice is what its predictor gives the validation rows.
    found = asked(opened(made), VALIDATION, write=False)
    nats = sum(answer.reference_nll or 0.0 for answer in found.values())
    letters = sum(len(str(example.target["text"])) for example in VALIDATION)
    assert result.selection["nll_per_character"] == pytest.approx(nats / letters, rel=1e-3)
    assert all(len(answer.sources) <= chosen.passages for answer in answers.values())


def test_what_the_user_set_is_not_chosen(base: ModelFacts, tmp_path: Path) -> None:
    made = job(base, tmp_path, settings=RagSettings(passages=2, by="words"))
    assert RAG.fit(made).budget is None
    assert read_value(made.folder / "retrieval.json", LookUp) == LookUp(by="words", passages=2)


def test_documents_are_searched_beside_or_instead_of_examples(base: ModelFacts, tmp_path: Path) -> None:
    (tmp_path / "guide.md").write_text("# Visits\nwe open at nine on zebra day")
    for search, expected in (("all", {"guide.md#1", "t0"}), ("documents", {"guide.md#1"}), ("examples", {"t0"})):
        settings = RagSettings(search=search, passages=5)
        made = job(base, tmp_path / search, settings=settings, documents=(tmp_path / "guide.md",))
        RAG.fit(made)
        answer = asked(opened(made), [chat("q", "open", "at nine")])["q"]
        assert {source.id for source in answer.sources} == expected


def test_a_pause_stops_between_two_tries(base: ModelFacts, tmp_path: Path) -> None:
    with pytest.raises(Paused):
        RAG.fit(job(base, tmp_path, should_pause=lambda: True))


def test_over_a_tuned_model_the_folder_stands_alone(base: ModelFacts, tmp_path: Path) -> None:
    lora = plugins.find("methods", "lora")
    settings = lora.Settings.model_validate({"epochs": 2, "learning_rate": 1e-2, "batch_size": 4, "rank": 4})
    under = job(base, tmp_path / "under", settings=settings)
    lora.fit(under)
    tuned = SavedModel(under.folder, "lora", CHAT, under.spec, base, under.family, settings, CPU, load=lora.load)
    made = job(base, tmp_path / "over", over=tuned)
    RAG.fit(made)
    shutil.rmtree(tmp_path / "under")
    inner = replace(tuned, folder=made.folder / "over")
    answers = asked(opened(made, over=inner), TEST)
    untuned = asked(opened(made), TEST)
    assert all(answers[row].sources == untuned[row].sources for row in answers)
    assert any(answers[row].reference_nll != untuned[row].reference_nll for row in answers)


class Echo:
    """Answers with what it was asked."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in reversed(questions):
            yield Prediction(row=question.row, output={"text": question.input["messages"][-1]["content"]}, seconds=0.5)


def given(longest: int, question: Json, texts: Sequence[str]) -> tuple[tuple[str, ...], str]:
    giving = BeforeTheQuestion(Echo(), CHAT.tiny().processor, longest, max_new_tokens=8)
    kept = giving.fitting(Question("q", question), passages(*texts))
    (answer,) = giving.answers([Question("q", question)], [kept])
    return tuple(passage.text for passage in kept), str(answer.output["text"])


def test_passages_that_leave_no_room_are_left_out_and_the_question_stays_whole() -> None:
    question = {"messages": [{"role": "user", "content": "when do you open"}]}
    texts = ("a short one", "very long " * 40, "another short one")
    assert given(500, question, texts)[0] == texts
    assert given(60, question, texts)[0] == (texts[0], texts[2])
    assert given(24, question, texts) == ((), "when do you open")


def test_the_model_is_told_in_the_language_of_the_question() -> None:
    question = {"messages": [{"role": "system", "content": "친절하게"}, {"role": "user", "content": "언제 여나요?"}]}
    _, words = given(500, question, ("아홉 시에 엽니다.",))
    assert words == f"{INSTRUCTIONS['ko']}\n\n아홉 시에 엽니다.\n\n질문: 언제 여나요?"


def test_earlier_turns_and_tools_stay_as_they_are() -> None:
    turns = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "good day"},
        {"role": "user", "content": "open"},
    ]
    seen: list[Json] = []

    class Noting(Echo):
        def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
            seen.extend(question.input for question in questions)
            return super().answer(questions)

    giving = BeforeTheQuestion(Noting(), CHAT.tiny().processor, 500, 8)
    before = {"messages": turns}
    list(giving.answers([Question("q", before)], [passages("x")]))
    assert seen[0]["messages"][:2] == turns[:2]
    assert turns[2]["content"] == "open"


def test_a_row_may_be_asked_twice_at_once(fitted: Fitted) -> None:
    made, _, _ = fitted
    predictor = opened(made)
    questions = [Question("same", TEST[0].input), Question("same", TEST[3].input)]
    found = list(predictor.answer(questions))
    assert [answer.row for answer in found] == ["same", "same"]
    assert {answer.sources[0].row for answer in found} == {"t0", "t3"}


def test_the_model_behind_is_the_base_as_it_is(fitted: Fitted) -> None:
    made, _, _ = fitted
    predictor = opened(made)
    assert isinstance(predictor, RetrievingPredictor)
    neural = predictor.loaded()
    assert isinstance(neural, NeuralPredictor)
    assert neural.spec.max_tokens == 64
