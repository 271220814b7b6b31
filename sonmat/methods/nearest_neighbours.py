"""The untuned encoder with the training rows beside it: the label that most of the nearest ones have (Fix and Hodges 1951).

In: texts or pictures with labels. Out: the training rows' vectors and labels (no texts, no pictures) in `neighbours.json` and
`vectors.npz`; no weight changes. How many neighbours vote, and whether nearer ones count more, is chosen on the validation rows.
Vectors are the mean of the last hidden states, computed once and kept for all folds. The search is exact.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.errors import DataError
from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Example, Json, ModelFacts, Spec
from sonmat.embedding.directions import unit_rows
from sonmat.embedding.encoder import Encoder, LoadedEncoder, LoadedPictureEncoder
from sonmat.inference.shares import answer_from_shares
from sonmat.inference.validating import judged_rows
from sonmat.runs.files import atomic_write
from sonmat.training.estimates import estimate_answering

NEIGHBOURS_FILE, VECTORS_FILE = "neighbours.json", "vectors.npz"
TASKS: Final = ("AutoModelForSequenceClassification", "AutoModelForImageClassification")
_LIKENESSES_AT_ONCE: Final = 1 << 23
"""Of questions to training rows: about 250 MB with what is made of them."""
_CLOSEST: Final = 1e-3
"""Distances below this count as this: an identical row outweighs others, but not all of them."""

Weighting = Literal["equal", "nearer"]
Floats = NDArray[np.float32]


class NearestNeighboursSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        (1, 3, 5, 9, 15), min_length=1, description="Numbers of neighbours to try on the validation rows."
    )
    weighting: Weighting | None = Field(
        None,
        description="Whether nearer neighbours count more (by one over the distance) or all the same; both are tried if left out.",
    )


@dataclass(frozen=True)
class Voting:
    """How neighbours decide."""

    neighbours: int
    weighting: Weighting


@dataclass(frozen=True)
class Neighbours:
    """Training rows: their vectors, and the place of each one's label."""

    vectors: Floats
    """Rows of length 1, shape (rows, width)."""
    places: NDArray[np.int64]
    labels: tuple[str, ...]

    def shares(self, vectors: Floats, voting: Voting) -> NDArray[np.float64]:
        """Of every label, shape (vectors, labels): the votes for it and its share of all rows as one vote more.

        That one vote (the m-estimate of Cestnik 1990 with m = 1) breaks ties towards the commoner label, and keeps a lone neighbour
        from being certain of everything.
        """
        found = np.empty((len(vectors), len(self.labels)))
        usual = np.bincount(self.places, minlength=len(self.labels)) / len(self.places)
        count = min(voting.neighbours, len(self.places))
        at_once = max(1, _LIKENESSES_AT_ONCE // len(self.places))
        for first in range(0, len(vectors), at_once):
            likeness = vectors[first : first + at_once] @ self.vectors.T
            nearest = _nearest(likeness, count)
            near = np.take_along_axis(likeness, nearest, axis=1).astype(np.float64)
            weights = np.ones_like(near)
            if voting.weighting == "nearer":
                weights = 1 / np.maximum(np.sqrt(np.maximum(2 - 2 * near, 0)), _CLOSEST)
                weights *= count / weights.sum(axis=1, keepdims=True)
            votes = np.zeros((len(near), len(self.labels)))
            np.add.at(votes, (np.arange(len(near))[:, None], self.places[nearest]), weights)
            found[first : first + len(near)] = (votes + usual) / (count + 1)
        return found


def _nearest(likeness: Floats, count: int) -> NDArray[np.int64]:
    """Places of the `count` greatest of each line, the greatest first; of equals the first ones, whatever else is asked."""
    # Added, so that 0 and -0 are one number.
    bits = (likeness + np.float32(0)).view(np.int32)
    # As whole numbers floats keep their order, negative ones the other way round.
    ordered = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)
    # The place in the lower half makes every number another, without sorting whole lines.
    keys = (~ordered).astype(np.int64) << 32 | np.arange(likeness.shape[1])
    found = np.sort(np.partition(keys, count - 1, axis=1)[:, :count], axis=1)
    return np.asarray(found & 0xFFFFFFFF, dtype=np.int64)


class Looks(Protocol):
    """Makes vectors of length 1 of a few inputs, with the places of the inputs that they are of."""

    def __call__(self, inputs: Sequence[Json]) -> Iterator[tuple[list[int], Floats]]: ...


@dataclass(frozen=True)
class NeighboursPredictor:
    known: Neighbours
    voting: Voting
    looks: Looks
    all_labels: tuple[str, ...]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        yield from (Prediction(row=question.row, output={}, seconds=0.0) for question in questions if not question.write)
        asked = [question for question in questions if question.write]
        start = time.perf_counter()
        for places, vectors in self.looks([question.input for question in asked]):
            shares = self.known.shares(vectors, self.voting)
            seconds = (time.perf_counter() - start) / len(places)
            for place, row in zip(places, shares.tolist(), strict=True):
                by_label = dict(zip(self.known.labels, row, strict=True))
                yield answer_from_shares(asked[place].row, by_label, self.all_labels, seconds)
            start = time.perf_counter()


class NearestNeighbours:
    name = "nearest-neighbours"
    title = Text(en="base encoder, nearest training rows", ko="기본 인코더, 가장 가까운 학습 행")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = NearestNeighboursSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if task.auto_model not in TASKS:
            return No(Text(en="takes texts or pictures with one label", ko="라벨이 하나인 글이나 그림에만 씁니다"))
        if base is None or base.chat:
            return No(Text(en="needs an encoder", ko="인코더가 필요합니다"))
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        rows = workload.train_rows + workload.validation_rows + workload.test_rows
        return estimate_answering(replace(workload, test_rows=rows), new_tokens=0)

    def fit(self, job: FitJob) -> FitResult:
        settings = job.settings
        assert isinstance(settings, NearestNeighboursSettings)
        vectors = _vectors(job, [*job.train, *job.validation])
        labels = [example.target["label"] for example in job.train]
        names = tuple(sorted(set(labels)))
        places = np.array([names.index(label) for label in labels], dtype=np.int64)
        known = Neighbours(vectors[: len(job.train)], places, names)
        scores = {way: _score(job, known, vectors[len(job.train) :], way) for way in _ways(settings)}
        # Of equals the first: fewer neighbours, all counting the same.
        best = max(scores, key=scores.__getitem__)
        _save(known, best, job.folder)
        if len(scores) == 1 or not job.validation:
            return FitResult()
        value = scores[best] if job.selection.higher_is_better else -scores[best]
        return FitResult(selection={job.selection.name: value}, budget=_budget(len(scores), len(job.validation), best))

    def load(self, saved: SavedModel) -> Predictor:
        assert saved.base is not None, "an encoder is always there"
        content = json.loads((saved.folder / NEIGHBOURS_FILE).read_text(encoding="utf-8"))
        with np.load(saved.folder / VECTORS_FILE, allow_pickle=False) as stored:
            known = Neighbours(stored["vectors"], stored["places"], tuple(content["labels"]))
        voting = Voting(content["neighbours"], content["weighting"])
        return NeighboursPredictor(known, voting, _looking(saved.task, saved.spec, saved.base), saved.spec.labels)


def _ways(settings: NearestNeighboursSettings) -> list[Voting]:
    weightings: tuple[Weighting, ...] = (settings.weighting,) if settings.weighting else ("equal", "nearer")
    counts = sorted(set(settings.neighbours))
    # One neighbour has nobody to be weighed against.
    return [Voting(count, weighting) for count in counts for weighting in (weightings if count > 1 else weightings[:1])]


def _vectors(job: FitJob, examples: Sequence[Example]) -> Floats:
    assert job.base is not None, "an encoder is always there"
    encoder = Encoder(job.base, job.spec.text_prefix, (job.cache or job.work) / "vectors", job.spec.max_tokens)
    if job.task.modality == "image":
        return encoder.of_pictures([_readable(job.spec, example.input) for example in examples], job.emit)
    return encoder.of_texts([example.input["text"] for example in examples], job.emit)


def _looking(task: Task, spec: Spec, base: ModelFacts) -> Looks:
    if task.modality == "image":
        pictures = LoadedPictureEncoder(base)

        def look_at_pictures(inputs: Sequence[Json]) -> Iterator[tuple[list[int], Floats]]:
            for places, compute in pictures.batches([_readable(spec, input) for input in inputs]):
                yield places, unit_rows(compute())

        return look_at_pictures
    texts = LoadedEncoder(base, spec.max_tokens)

    def look_at_texts(inputs: Sequence[Json]) -> Iterator[tuple[list[int], Floats]]:
        for places, compute in texts.batches([spec.text_prefix + input["text"] for input in inputs]):
            yield places, unit_rows(compute())

    return look_at_texts


def _readable(spec: Spec, input: Json) -> Path:
    """Raises:
    DataError: the file cannot be opened as a picture.
    """
    from PIL import Image

    path = Path(spec.media_root) / str(input["image"])
    try:
        with Image.open(path):
            return path
    except OSError as error:
        raise DataError(
            Text(
                en=f"{path} is not a readable picture: {error}", ko=f"{path}은(는) 읽을 수 있는 이미지가 아닙니다: {error}"
            ),
            Text(en="Give a PNG, JPEG or WebP file.", ko="PNG, JPEG, WebP 파일을 주세요."),
        ) from error


def _score(job: FitJob, known: Neighbours, vectors: Floats, voting: Voting) -> float:
    if not job.validation:
        return 0.0
    shares = known.shares(vectors, voting).tolist()
    outputs = []
    for row, example in zip(shares, job.validation, strict=True):
        by_label: Mapping[str, float] = dict(zip(known.labels, row, strict=True))
        outputs.append(answer_from_shares(example.id, by_label, job.spec.labels, 0.0).output)
    judged = judged_rows(job, job.validation, outputs)
    value = float(job.selection.value(job.selection.statistics(judged).sum(axis=0)))
    return value if job.selection.higher_is_better else -value


def _save(known: Neighbours, voting: Voting, folder: Path) -> None:
    content = {"labels": known.labels, "neighbours": voting.neighbours, "weighting": voting.weighting}
    atomic_write(folder / NEIGHBOURS_FILE, json.dumps(content, ensure_ascii=False))
    arrays = io.BytesIO()
    np.savez(arrays, vectors=known.vectors, places=known.places)
    atomic_write(folder / VECTORS_FILE, arrays.getvalue())


def _budget(tried: int, rows: int, best: Voting) -> Text:
    nearer = best.weighting == "nearer"
    return Text(
        en=f"{tried} ways of voting tried on {rows} validation rows; chosen: {best.neighbours} neighbour"
        f"{'s' if best.neighbours > 1 else ''}{', nearer ones count more' if nearer else ''}",
        ko=f"투표 방식 {tried}가지를 검증 행 {rows}개에서 비교해 고름: 이웃 {best.neighbours}개"
        f"{', 가까울수록 큰 비중' if nearer else ''}",
    )


plugin = NearestNeighbours()
