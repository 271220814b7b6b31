"""A method: the answer of the training example that shares most words with the question. A floor without any model."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts

EXAMPLES_FILE = "examples.json"


class NearestExampleSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class NearestPredictor:
    known: list[tuple[frozenset[str], Json]]

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in questions:
            if not question.write:
                yield Prediction(row=question.row, output={}, seconds=0.0)
                continue
            start = time.perf_counter()
            asked = words_of(question.input)
            share, target = max(((overlap(asked, words), target) for words, target in self.known), key=lambda pair: pair[0])
            yield Prediction(row=question.row, output=target, confidence=share, seconds=time.perf_counter() - start)


class NearestExample:
    name = "nearest-example"
    title = Text(en="answer of the nearest example", ko="가장 비슷한 예시의 답")
    role: Literal["floor", "base", "tuned"] = "floor"
    needs_base = False
    learns = True
    Settings: type[BaseModel] = NearestExampleSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if task.modality != "text":
            return No(Text(en="compares words", ko="단어를 비교하는 방법입니다"))
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        return Estimate(peak_bytes=200 << 20, seconds=1.0, basis=Text(en="no model", ko="모델 없음"))

    def fit(self, job: FitJob) -> FitResult:
        pairs = [[sorted(words_of(example.input)), example.target] for example in job.train]
        (job.folder / EXAMPLES_FILE).write_text(json.dumps(pairs, ensure_ascii=False), encoding="utf-8")
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        pairs = json.loads((saved.folder / EXAMPLES_FILE).read_text(encoding="utf-8"))
        return NearestPredictor([(frozenset(words), target) for words, target in pairs])


def words_of(input: Json) -> frozenset[str]:
    text = input["text"] if "text" in input else input["messages"][-1]["content"]
    return frozenset(re.findall(r"\w+", text.casefold()))


def overlap(a: frozenset[str], b: frozenset[str]) -> float:
    """Jaccard index: shared words over all words, 0 to 1."""
    return len(a & b) / len(a | b) if a | b else 0.0


plugin = NearestExample()
