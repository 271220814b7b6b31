"""The floor of every proof: always the answer that is commonest in the training rows. No model, no computing.

Labels come with their shares of the training rows, so that where errors have costs the floor is the cheapest constant answer.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.inference.classification import scores_of
from sonmat.runs.files import atomic_write

ANSWER_FILE = "answer.json"


class MajoritySettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class MajorityPredictor:
    output: Json
    confidence: float

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in questions:
            if question.write:
                yield Prediction(row=question.row, output=self.output, confidence=self.confidence, seconds=0.0)
            else:
                yield Prediction(row=question.row, output={}, seconds=0.0)


class Majority:
    name = "majority"
    title = Text(en="commonest answer", ko="가장 흔한 답")
    role: Literal["floor", "base", "tuned"] = "floor"
    needs_base = False
    learns = True
    Settings: type[BaseModel] = MajoritySettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        return Estimate(peak_bytes=100 << 20, seconds=1.0, basis=Text(en="no model", ko="모델 없음"))

    def fit(self, job: FitJob) -> FitResult:
        counts = Counter(json.dumps(example.target, sort_keys=True, ensure_ascii=False) for example in job.train)
        # Of equally common answers the first in order, so that the same data gives the same floor.
        answer, count = min(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        output = json.loads(answer)
        if "label" in job.task.Target.model_fields:
            labels = Counter(example.target["label"] for example in job.train)
            output["scores"] = scores_of(job.spec.labels, [labels[label] / len(job.train) for label in job.spec.labels])
        content = {"output": output, "confidence": count / len(job.train)}
        atomic_write(job.folder / ANSWER_FILE, json.dumps(content, ensure_ascii=False))
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        content = json.loads((saved.folder / ANSWER_FILE).read_text(encoding="utf-8"))
        return MajorityPredictor(content["output"], content["confidence"])


plugin = Majority()
