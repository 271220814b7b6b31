"""Arms that look things up: what they search, what they compare meanings by, and the one in front of the tuned model.

In: the candidates that were chosen, the recipe. Out: the same with the search settled in each arm that retrieves, and one arm more:
the first tuned model with what can be looked up. Documents are read here once, so that whoever brought one that cannot be read
hears of it before anything is trained. It searches nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sonmat import plugins
from sonmat.core.errors import SonmatError
from sonmat.core.protocols import Emit, Task, Workload
from sonmat.core.recipe import Recipe
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Estimate, Json, ModelFacts, Refused
from sonmat.embedding.encoder import encoder_for
from sonmat.models import catalogue, resolve
from sonmat.retrieval.documents import documents_fingerprint, read_documents
from sonmat.retrieval.passages import document_passages
from sonmat.runs import RunFolder
from sonmat.steps.plan.choose import RETRIEVING, too_long
from sonmat.training.estimates import operations_per_token, useful_rate

NO_ENCODER: Final = "none"
_PASSAGE_PREFIXES: Final = {"query: ": "passage: "}
"""What encoders were trained to see before a text to search in, by what stands before a question."""
TOKENS_A_PASSAGE: Final = 300
_SHOWN_PROBLEMS: Final = 20


def with_retrieval(
    chosen: Sequence[Candidate],
    task: Task,
    folder: RunFolder,
    recipe: Recipe,
    languages: Sequence[str],
    workload: Workload,
    refused: list[Refused],
    emit: Emit,
) -> tuple[Candidate, ...]:
    """`chosen` with everything about the search; an arm that would take too long goes to `refused`.

    Args:
        workload: of the base that is tuned.
    Raises:
        DataError: no document at all can be read.
        ModelError: the encoder that the user named cannot be had.
    """
    retrieving = [candidate for candidate in chosen if candidate.method == RETRIEVING]
    if not retrieving or not task.generates:
        _say_documents_are_unused(recipe, emit)
    if not retrieving:
        return tuple(chosen)
    documents, pieces = "", 0
    if recipe.documents and task.generates:
        pieces = _read(recipe, folder, int(retrieving[0].settings["passage_words"]), emit)
        documents = documents_fingerprint([Path(path) for path in recipe.documents])
    encoder = _encoder(task, recipe, retrieving[0].settings, languages, folder, emit)
    settled = [_settled(each, encoder, documents) if each in retrieving else each for each in chosen]
    if encoder is not None:
        place = chosen.index(retrieving[0])
        settled[place] = _with_encoding(settled[place], encoder, workload, pieces)
    over = _over(settled, retrieving[0].estimate, task, recipe, refused)
    return (*settled, over) if over is not None else tuple(settled)


def _settled(candidate: Candidate, encoder: ModelFacts | None, documents: str) -> Candidate:
    settings, origins = dict(candidate.settings), dict(candidate.origins)
    prefix = plugins.find("families", encoder.family).text_prefix if encoder is not None else ""
    planned = {
        "encoder": encoder.name if encoder is not None else NO_ENCODER,
        "question_prefix": prefix,
        "passage_prefix": _PASSAGE_PREFIXES.get(prefix, prefix),
    }
    for name, value in planned.items():
        if origins[name] != "user":
            settings[name], origins[name] = value, "plan"
    update = {"settings": settings, "origins": origins, "encoder": encoder, "documents": documents}
    return candidate.model_copy(update=update)


def _with_encoding(candidate: Candidate, encoder: ModelFacts, workload: Workload, pieces: int) -> Candidate:
    """The candidate with the time that the vectors take, once: folds and the other arm find them computed."""
    tokens = workload.train_rows * (workload.mean_tokens + workload.mean_target_tokens) + pieces * TOKENS_A_PASSAGE
    rate = useful_rate(workload.device)
    seconds = round(candidate.estimate.seconds + tokens * operations_per_token(encoder) / rate, 1)
    return candidate.model_copy(update={"estimate": candidate.estimate.model_copy(update={"seconds": seconds})})


def _over(
    chosen: Sequence[Candidate], estimate: Estimate, task: Task, recipe: Recipe, refused: list[Refused]
) -> Candidate | None:
    """The arm in front of the tuned model that promises most; None where the task writes no answers or nothing is tuned.

    Args:
        estimate: of looking up and answering, vectors not counted.
    """
    tuned = next((candidate for candidate in chosen if candidate.role == "tuned"), None)
    if tuned is None or tuned.base is None or not task.generates:
        return None
    before = next((each for each in chosen if each.method == RETRIEVING and each.base == tuned.base), None)
    if before is None:
        return None
    over = before.model_copy(
        update={
            "id": f"{RETRIEVING}-{tuned.id}",
            "role": "tuned",
            "spec": tuned.spec,
            "over": tuned.id,
            "estimate": estimate,
            "reason": Text(
                en=f"{tuned.id}, given what can be looked up: whether tuning and retrieval add up",
                ko=f"{tuned.id}에 찾은 자료를 함께 줍니다. 미세조정과 검색이 서로 보태는지 봅니다",
            ),
        }
    )
    others = sum(each.estimate.seconds for each in chosen if each.role == "tuned" or (each.role == "base" and each.learns))
    problem = too_long(over, recipe.minutes * 60 - others, recipe)
    if problem is not None:
        refused.append(Refused(method=RETRIEVING, base=tuned.id, reason=problem))
        return None
    return over


def _encoder(
    task: Task, recipe: Recipe, settings: Json, languages: Sequence[str], folder: RunFolder, emit: Emit
) -> ModelFacts | None:
    """What meanings are compared by; None for words alone.

    Raises:
        ModelError: the user named it, and it cannot be had or takes no text.
    """
    if settings["encoder"] == NO_ENCODER or settings["by"] == "words":
        return None
    named = settings["encoder"] or recipe.embedder
    try:
        facts = resolve(named or _default_encoder(languages), accepted=recipe.accept_licence, emit=emit)
        prefix = plugins.find("families", facts.family).text_prefix
        return encoder_for(task, facts, prefix, folder.file("cache") / "vectors").facts
    except SonmatError as error:
        if named or settings["by"] is not None:
            raise
        emit(
            "fallback",
            Text(
                en=f"Passages are searched by words alone, without an encoder to compare meanings by. {error.what.en}",
                ko=f"뜻을 비교할 인코더가 없어 단어로만 자료를 찾습니다. {error.what.ko}",
            ),
        )
        return None


def _default_encoder(languages: Sequence[str]) -> str:
    """The catalogue's first encoder that speaks the data's languages, else the one that speaks most."""
    encoders = [entry for entry in catalogue() if entry.kind == "encoder"]
    fitting = (entry for entry in encoders if languages and set(languages) <= set(entry.languages))
    return next(fitting, max(encoders, key=lambda entry: len(entry.languages))).name


def _read(recipe: Recipe, folder: RunFolder, words: int, emit: Emit) -> int:
    """Read the documents and say what was found; returns the number of passages.

    Raises:
        DataError: none of them can be read.
    """
    shelf = read_documents([Path(path) for path in recipe.documents], folder.file("cache") / "documents")
    passages = sum(len(document_passages(document, words)) for document in shelf.documents)
    left = f"; {shelf.passed_over} files of other kinds were left aside" if shelf.passed_over else ""
    left_ko = f" 다른 종류의 파일 {shelf.passed_over}개는 넘어갔습니다." if shelf.passed_over else ""
    emit(
        "documents",
        Text(
            en=f"Documents to look answers up in: {len(shelf.documents)}, cut into {passages:,} passages{left}.",
            ko=f"답을 찾아볼 문서 {len(shelf.documents)}개를 읽어 {passages:,}조각으로 나눴습니다.{left_ko}",
        ),
        documents=len(shelf.documents),
        passages=passages,
        unreadable=len(shelf.problems),
    )
    for problem in shelf.problems[:_SHOWN_PROBLEMS]:
        emit(
            "document_unreadable",
            Text(
                en=f"{problem.name} cannot be searched. {problem.why.en}",
                ko=f"{problem.name}은(는) 찾아볼 수 없습니다. {problem.why.ko}",
            ),
            document=problem.name,
        )
    more = len(shelf.problems) - _SHOWN_PROBLEMS
    if more > 0:
        said = Text(en=f"{more} more documents cannot be searched.", ko=f"그 밖에 문서 {more}개도 찾아볼 수 없습니다.")
        emit("document_unreadable", said)
    return passages


def _say_documents_are_unused(recipe: Recipe, emit: Emit) -> None:
    if not recipe.documents:
        return
    emit(
        "unused",
        Text(
            en="The documents have no effect: no arm of this plan writes answers that could be looked up in them.",
            ko="문서를 쓰지 않습니다. 이 계획에는 문서에서 답을 찾아 쓰는 후보가 없습니다.",
        ),
    )
