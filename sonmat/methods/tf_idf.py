"""Words and groups of letters, weighed and added up: what a text can be told by without any pretrained model.

In: texts with labels. Out: readable terms and their weights for every label, in `terms.json` and `weights.npz`; no pickle, and
answering needs neither scikit-learn nor PyTorch. TF-IDF with multinomial logistic regression (scikit-learn's, L2); what is counted and
how strongly weights are held small is chosen on the validation rows. The test that a fine-tuned encoder has to pass: where a linear
model on words is as good, it is thousands of times cheaper to run (Wang and Manning 2012; Wahba et al. 2022).
"""

from __future__ import annotations

import io
import json
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.errors import Paused
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Example, Json, ModelFacts
from sonmat.embedding.term_weights import Of, TermWeights
from sonmat.inference.shares import answer_from_shares
from sonmat.inference.validating import judged_rows
from sonmat.runs.files import atomic_write

if TYPE_CHECKING:
    from scipy import sparse

TERMS_FILE, WEIGHTS_FILE = "terms.json", "weights.npz"
_ROUNDS: Final = 300
"""Most iterations of the optimiser; what has not converged by then is tried like any other."""
_AT_ONCE: Final = 512
"""Questions that are answered together."""
_START_SECONDS: Final = 3.0
_SECONDS_A_TOKEN: Final = 2e-5
"""Cutting a token's text into terms, all tries together."""
_SECONDS_A_TOKEN_AND_CLASS: Final = 2e-5
"""Fitting, all tries together; measured on 2,000 rows of 13 classes."""


Terms = Literal["words", "letters", "both"]
_KINDS: Final[dict[Terms, tuple[Of, ...]]] = {"letters": ("letters",), "words": ("words",), "both": ("words", "letters")}


class TfIdfSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    terms: Terms | None = Field(
        None,
        description="What is counted: words and pairs of words, groups of 2 to 4 letters, or both; tried on the validation rows if "
        "left out.",
    )
    strengths: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = Field(
        (1.0, 10.0, 100.0),
        min_length=1,
        description="Values of C to try: the larger, the less the weights are held small.",
    )
    most_terms: int = Field(30_000, ge=10, description="Terms of each kind at most, the commonest first.")


@dataclass(frozen=True)
class TfIdfPredictor:
    kinds: tuple[TermWeights, ...]
    weights: NDArray[np.float32]
    """Of every term for every label, shape (terms, labels)."""
    biases: NDArray[np.float32]
    labels: tuple[str, ...]
    """Those that stood in the training rows."""
    all_labels: tuple[str, ...]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        yield from (Prediction(row=question.row, output={}, seconds=0.0) for question in questions if not question.write)
        asked = [question for question in questions if question.write]
        for first in range(0, len(asked), _AT_ONCE):
            group = asked[first : first + _AT_ONCE]
            start = time.perf_counter()
            shares = self.shares([question.input["text"] for question in group])
            seconds = (time.perf_counter() - start) / len(group)
            for question, row in zip(group, shares, strict=True):
                yield answer_from_shares(
                    question.row, dict(zip(self.labels, row.tolist(), strict=True)), self.all_labels, seconds
                )

    def shares(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The probability of every label, shape (texts, labels)."""
        scores = np.asarray(_rows(self.kinds, texts) @ self.weights, dtype=np.float64) + self.biases
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class _Try:
    terms: Terms
    strength: float
    score: float
    """The selection metric, turned so that higher is better."""
    predictor: TfIdfPredictor


class TfIdf:
    name = "tf-idf"
    title = Text(en="words and letters counted", ko="단어와 글자 세기")
    role: Literal["floor", "base", "tuned"] = "floor"
    needs_base = False
    learns = True
    Settings: type[BaseModel] = TfIdfSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if "text" in task.Input.model_fields and "label" in task.Target.model_fields:
            return Yes()
        return No(Text(en="takes texts with labels", ko="라벨이 있는 글에만 씁니다"))

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, TfIdfSettings)
        tokens = workload.train_rows * workload.mean_tokens
        tries = len(settings.strengths) * (1 if settings.terms else len(_KINDS)) / (3 * len(_KINDS))
        seconds = _START_SECONDS + tokens * (_SECONDS_A_TOKEN + _SECONDS_A_TOKEN_AND_CLASS * workload.classes * tries)
        weights = 2 * settings.most_terms * max(workload.classes, 1) * 8 * 12
        return Estimate(
            # The optimiser remembers ten steps; a row has about six terms a token.
            peak_bytes=int((200 << 20) + weights + tokens * 12 * 12),
            seconds=round(seconds, 1),
            basis=Text(en="counts, no pretrained model", ko="사전학습 모델 없이 셈"),
        )

    def fit(self, job: FitJob) -> FitResult:
        settings = job.settings
        assert isinstance(settings, TfIdfSettings)
        tried, best = 0, None
        for each in _tries(job, settings):
            tried += 1
            # Of equals the first: fewer kinds of terms, and weights that are held smaller.
            best = each if best is None or each.score > best.score else best
        assert best is not None, "settings name at least one strength"
        _save(best.predictor, job)
        trained = best.predictor.weights.size
        if tried == 1 or not job.validation:
            return FitResult(trained_parameters=trained)
        value = best.score if job.selection.higher_is_better else -best.score
        return FitResult(
            selection={job.selection.name: value},
            trained_parameters=trained,
            budget=_budget(tried, len(job.validation), best),
        )

    def load(self, saved: SavedModel) -> Predictor:
        content = json.loads((saved.folder / TERMS_FILE).read_text(encoding="utf-8"))
        with np.load(saved.folder / WEIGHTS_FILE, allow_pickle=False) as stored:
            kinds = tuple(
                TermWeights(kind["of"], tuple(kind["terms"]), stored[f"rarity_{kind['of']}"]) for kind in content["kinds"]
            )
            return TfIdfPredictor(kinds, stored["weights"], stored["biases"], tuple(content["labels"]), saved.spec.labels)


def _tries(job: FitJob, settings: TfIdfSettings) -> Iterator[_Try]:
    texts, labels = _texts(job.train), [example.target["label"] for example in job.train]
    chosen: Sequence[Terms] = [settings.terms] if settings.terms else list(_KINDS)
    wanted = {of for terms in chosen for of in _KINDS[terms]}
    learnt = {of: TermWeights.learnt(of, texts, settings.most_terms) for of in sorted(wanted)}
    for terms in chosen:
        kinds = tuple(learnt[of] for of in _KINDS[terms])
        rows = _rows(kinds, texts)
        for strength in sorted(settings.strengths):
            if job.should_pause():
                raise Paused(Text(en="Paused while counting words.", ko="단어를 세는 중에 멈췄습니다."))
            predictor = _fitted(kinds, rows, labels, strength, job.spec.labels)
            yield _Try(terms, strength, _score(job, predictor), predictor)


def _fitted(
    kinds: tuple[TermWeights, ...],
    rows: sparse.csr_matrix,
    labels: Sequence[str],
    strength: float,
    all_labels: tuple[str, ...],
) -> TfIdfPredictor:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    known = sorted(set(labels))
    if len(known) == 1:
        nothing = np.zeros((rows.shape[1], 1), dtype=np.float32)
        return TfIdfPredictor(kinds, nothing, np.zeros(1, np.float32), tuple(known), all_labels)
    model = LogisticRegression(C=strength, max_iter=_ROUNDS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(rows, list(labels))
    weights, biases = model.coef_.T, model.intercept_
    if len(known) == 2:
        # Of two labels scikit-learn keeps the second's lead over the first.
        weights, biases = np.hstack([np.zeros_like(weights), weights]), np.array([0.0, biases[0]])
    return TfIdfPredictor(kinds, weights.astype(np.float32), biases.astype(np.float32), tuple(known), all_labels)


def _score(job: FitJob, predictor: TfIdfPredictor) -> float:
    if not job.validation:
        return 0.0
    found = predictor.answer([Question(str(place), row.input) for place, row in enumerate(job.validation)])
    by_place = {int(each.row): each.output for each in found}
    judged = judged_rows(job, job.validation, [by_place[place] for place in range(len(job.validation))])
    value = float(job.selection.value(job.selection.statistics(judged).sum(axis=0)))
    return value if job.selection.higher_is_better else -value


def _rows(kinds: Sequence[TermWeights], texts: Sequence[str]) -> sparse.csr_matrix:
    from scipy import sparse

    return sparse.csr_matrix(sparse.hstack([kind.rows(texts) for kind in kinds], format="csr"))


def _save(predictor: TfIdfPredictor, job: FitJob) -> None:
    kinds = [{"of": kind.of, "terms": kind.terms} for kind in predictor.kinds]
    atomic_write(job.folder / TERMS_FILE, json.dumps({"labels": predictor.labels, "kinds": kinds}, ensure_ascii=False))
    content = io.BytesIO()
    rarity = {f"rarity_{kind.of}": kind.rarity for kind in predictor.kinds}
    arrays: dict[str, Any] = {"weights": predictor.weights, "biases": predictor.biases, **rarity}
    np.savez_compressed(content, **arrays)
    atomic_write(job.folder / WEIGHTS_FILE, content.getvalue())


def _texts(examples: Sequence[Example]) -> list[str]:
    return [example.input["text"] for example in examples]


def _budget(tried: int, rows: int, best: _Try) -> Text:
    said = _SAID[best.terms]
    return Text(
        en=f"{tried} settings tried on {rows} validation rows; chosen: {said.en}, C = {best.strength:g}",
        ko=f"설정 {tried}가지를 검증 행 {rows}개에서 비교해 고름: {said.ko}, C = {best.strength:g}",
    )


_SAID: Final[dict[Terms, Text]] = {
    "words": Text(en="words", ko="단어"),
    "letters": Text(en="groups of letters", ko="글자 조각"),
    "both": Text(en="words and groups of letters", ko="단어와 글자 조각"),
}

plugin = TfIdf()
