"""Retrieval-augmented generation (Lewis et al. 2020): the model is given what the training examples and the user's own documents
say about a question, and answers with it. In front of the untuned base, or of a tuned model (`FitJob.over`).

In: training rows, documents. Out: a folder with an index, how many passages and which search were chosen on the validation rows,
and, over a tuned model, that model, so that the folder stands alone. No weight is changed. Rows of other parts are not in the index.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.proof import Passage, Prediction
from sonmat.core.protocols import OVER, FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Example, Json, ModelFacts
from sonmat.inference.predictor import NeuralPredictor
from sonmat.inference.token_costs import WRITTEN_COST
from sonmat.prompting.asking import can_be_asked
from sonmat.prompting.predictor import PromptedPredictor, answer_room
from sonmat.prompting.prompt import Prompt, Shot, can_be_shown, shot_of
from sonmat.prompting.rendering import Renderer
from sonmat.retrieval.answering import BeforeTheQuestion, Giving, RetrievingPredictor
from sonmat.retrieval.choosing import COUNTS, USUAL_COUNT, Choice, LookUp, choose_look_up, most_tries, ways_to_search
from sonmat.retrieval.dense import SentenceEncoder
from sonmat.retrieval.documents import read_documents
from sonmat.retrieval.index import By, PassageIndex
from sonmat.retrieval.passages import WORDS, document_passages, example_passages
from sonmat.runs.files import read_rows, read_value, write_rows, write_value
from sonmat.training.estimates import estimate_answering
from sonmat.training.tuning import load_prompted, load_saved_processor

INDEX, CHOSEN_FILE, SHOTS_FILE = "index", "retrieval.json", "shots.jsonl"
NO_ENCODER: Final = "none"
TOKENS_A_PASSAGE: Final = 200
"""Of a passage as documents usually give them: at most 200 words, often half of that."""
LABEL_ROOM: Final = 16
"""Tokens that naming a label may take, or more if a label is longer."""


class RagSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    passages: int | None = Field(
        None, ge=1, le=50, description="Passages that go with a question at most; tried on the validation rows if left out."
    )
    by: By | None = Field(
        None,
        description="Search by words (BM25), by meaning (an encoder) or by both, fused; tried on the validation rows if left out.",
    )
    search: Literal["all", "examples", "documents"] = Field(
        "all", description="Where to look: in the training examples, in the documents, or in all there is."
    )
    encoder: str = Field(
        "", description="Encoder for the search by meaning, 'none' for words alone; the plan chooses if ''."
    )
    question_prefix: str = Field("", description="What the encoder was trained to see before a question, e.g. 'query: '.")
    passage_prefix: str = Field("", description="What the encoder was trained to see before a text, e.g. 'passage: '.")
    passage_words: int = Field(
        WORDS, ge=20, le=2000, description="Longest passage of a document, in words; two Korean syllables count as one."
    )
    instruction: str = Field(
        "", description="What a chat model is told about the passages; a sentence in the question's language if ''."
    )
    max_tokens: int = Field(
        2048, ge=32, description="Longest prompt with passages and answer, in tokens; less where the base takes less."
    )
    tried_rows: int = Field(64, ge=1, description="Validation rows that each way of searching is tried on at most.")


@dataclass(frozen=True)
class AsShots:
    """Labels: found examples stand before the question as questions that were answered, the nearest last."""

    asked: PromptedPredictor
    shots: dict[str, Shot]
    """By training row."""

    def fitting(self, question: Question, passages: Sequence[Passage]) -> tuple[Passage, ...]:
        known = [passage for passage in passages if passage.row in self.shots]
        asked = self.asked
        renderer = Renderer(asked.task, asked.spec, asked.tokenizer, asked.max_new_tokens)
        return tuple(known[: renderer.shots_that_fit(Prompt(), question.input, self._shown(known))])

    def answers(self, questions: Sequence[Question], passages: Sequence[Sequence[Passage]]) -> Iterator[Prediction]:
        written = [self._shown(given) for question, given in zip(questions, passages, strict=True) if question.write]
        most = max((len(shown) for shown in written), default=0)
        asked = replace(self.asked, prompt=Prompt(nearest=most), nearest=lambda inputs, count: written)
        return asked.answer(questions)

    def _shown(self, passages: Sequence[Passage]) -> list[Shot]:
        return [self.shots[passage.row] for passage in reversed(passages)]


class Rag:
    name = "rag"
    title = Text(en="looking things up (RAG)", ko="자료를 찾아 답하기(RAG)")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = RagSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if not ("messages" in task.Input.model_fields or "label" in task.Target.model_fields):
            return No(Text(en="takes chat or texts with labels", ko="대화나 라벨이 있는 글에만 씁니다"))
        return can_be_asked(task, base)

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, RagSettings)
        tries = most_tries(settings.by, settings.passages, encoder=settings.encoder != NO_ENCODER)
        tried = tries * min(settings.tried_rows, workload.validation_rows) if tries > 1 else 0
        # While it is tried, passages are on average as many as the middle of what is tried.
        told = min(workload.mean_tokens + (settings.passages or USUAL_COUNT) * TOKENS_A_PASSAGE, settings.max_tokens)
        most = min(workload.mean_tokens + (settings.passages or max(COUNTS)) * TOKENS_A_PASSAGE, settings.max_tokens)
        written = LABEL_ROOM if workload.classes else 2 * workload.mean_target_tokens
        tokens = tried * told + workload.test_rows * (most + WRITTEN_COST * written)
        return estimate_answering(replace(workload, test_rows=1, mean_tokens=tokens), new_tokens=0)

    def fit(self, job: FitJob) -> FitResult:
        settings = job.settings
        assert isinstance(settings, RagSettings)
        encoder = _encoder(job.encoder, settings)
        index = PassageIndex.of(_passages(job, settings), encoder, (job.cache or job.work) / "vectors", job.emit)
        index.save(job.folder / INDEX)
        if not job.task.generates:
            write_rows(job.folder / SHOTS_FILE, Example, [example for example in job.train if can_be_shown(example)])
        giving = _giving(_as_saved(job), settings)
        choice = choose_look_up(
            job,
            ways_to_search(settings.by, encoder=encoder is not None),
            settings.passages,
            settings.tried_rows,
            lambda look_up: RetrievingPredictor(index, look_up.by, look_up.passages, giving),
        )
        write_value(job.folder / CHOSEN_FILE, choice.best)
        if choice.score is None:
            return FitResult()
        return FitResult(selection={job.selection.name: choice.score}, budget=_budget(choice))

    def load(self, saved: SavedModel) -> Predictor:
        settings = saved.settings
        assert isinstance(settings, RagSettings)
        chosen = read_value(saved.folder / CHOSEN_FILE, LookUp)
        index = PassageIndex.load(saved.folder / INDEX, _encoder(saved.encoder, settings))
        return RetrievingPredictor(index, chosen.by, chosen.passages, _giving(saved, settings))


def _passages(job: FitJob, settings: RagSettings) -> list[Passage]:
    """All that may be looked up; a task with labels is helped by examples alone."""
    found: list[Passage] = []
    if job.documents and settings.search != "examples" and job.task.generates:
        kept = job.cache / "documents" if job.cache is not None else None
        for document in read_documents(job.documents, kept).documents:
            found += document_passages(document, settings.passage_words)
    if settings.search != "documents":
        found += example_passages([example for example in job.train if can_be_shown(example)])
    return found


def _encoder(facts: ModelFacts | None, settings: RagSettings) -> SentenceEncoder | None:
    return SentenceEncoder(facts, settings.question_prefix, settings.passage_prefix) if facts is not None else None


def _as_saved(job: FitJob) -> SavedModel:
    """The model that is being made, with its own copy of the one that it asks."""
    over = None
    if job.over is not None:
        # Files of a model are replaced and never written into, so that both may have the same ones.
        shutil.copytree(job.over.folder, job.folder / OVER, copy_function=_link)
        over = replace(job.over, folder=job.folder / OVER)
    return SavedModel(
        folder=job.folder,
        method=plugin.name,
        task=job.task,
        spec=job.spec,
        base=job.base,
        family=job.family,
        settings=job.settings,
        device=job.device,
        encoder=job.encoder,
        over=over,
    )


def _link(source: str, goal: str) -> None:
    try:
        os.link(source, goal)
    except OSError:
        # Another disk, or one that knows no links.
        shutil.copy2(source, goal)


def _giving(saved: SavedModel, settings: RagSettings) -> Giving:
    """The loaded model with the way it is given passages."""
    assert saved.base is not None, "a prompted model always has a base"
    longest = min(settings.max_tokens, saved.base.max_positions)
    spec = saved.spec.model_copy(update={"max_tokens": longest})
    if saved.over is not None:
        assert saved.over.load is not None, "whoever opens a model says how it is loaded"
        tuned = saved.over.load(replace(saved.over, spec=spec))
        return BeforeTheQuestion(
            tuned, load_saved_processor(saved.over), longest, spec.max_new_tokens, settings.instruction
        )
    model, tokenizer = load_prompted(saved)
    if saved.task.generates:
        asked = NeuralPredictor(model, tokenizer, saved.task, spec, saved.device)
        return BeforeTheQuestion(asked, tokenizer, longest, spec.max_new_tokens, settings.instruction)
    room = answer_room(spec, tokenizer, LABEL_ROOM)
    shots = {example.id: shot_of(example) for example in read_rows(saved.folder / SHOTS_FILE, Example)}
    return AsShots(PromptedPredictor(model, tokenizer, saved.task, spec, saved.device, room), shots)


def _budget(choice: Choice) -> Text:
    return Text(
        en=f"{choice.tried} ways of looking things up tried on {choice.rows} validation rows; "
        f"chosen: {choice.best.passages} passages by {_BY[choice.best.by].en}",
        ko=f"찾는 방식 {choice.tried}가지를 검증 행 {choice.rows}개에서 비교해 고름: {_BY[choice.best.by].ko} 자료 "
        f"{choice.best.passages}개",
    )


_BY: Final = {
    "words": Text(en="words", ko="단어로 찾은"),
    "meaning": Text(en="meaning", ko="뜻으로 찾은"),
    "both": Text(en="words and meaning", ko="단어와 뜻으로 찾은"),
}

plugin = Rag()
