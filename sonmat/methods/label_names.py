"""The untuned encoder, choosing the label whose name lies nearest to the text: what a base model can do without examples.

In: a text and the labels' names, both embedded by the base. Out: the label of the highest cosine. It shows what the labels'
words alone are worth, and is the base arm of text classification where the base cannot be asked in words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.proof import Prediction
from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts, Spec
from sonmat.inference.device import torch_device
from sonmat.inference.predictor import batches_by_length, computing
from sonmat.inference.quiet import quiet_transformers
from sonmat.training.estimates import estimate_answering

if TYPE_CHECKING:
    import torch
    from torch import nn


class LabelNamesSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature: float = Field(
        0.05, gt=0, description="Divides cosines before they become shares: smaller makes confidences more extreme."
    )


@dataclass(frozen=True)
class NearestLabel:
    encoder: nn.Module
    tokenizer: Any
    spec: Spec
    device: Device
    temperature: float
    labels: torch.Tensor
    """Unit vectors of the labels' names, float32 of shape (labels, hidden size)."""

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        yield from (Prediction(row=question.row, output={}, seconds=0.0) for question in questions if not question.write)
        questions = [question for question in questions if question.write]
        texts = [self.spec.text_prefix + question.input["text"] for question in questions]
        for group in batches_by_length([min(len(text), self.spec.max_tokens) for text in texts]):
            start = time.perf_counter()
            vectors = embed(self.encoder, self.tokenizer, [texts[index] for index in group], self.spec, self.device)
            shares = (vectors @ self.labels.T / self.temperature).softmax(dim=-1).tolist()
            seconds = (time.perf_counter() - start) / len(group)
            for index, row in zip(group, shares, strict=True):
                scores = {label: round(share, 6) for label, share in zip(self.spec.labels, row, strict=True)}
                best = max(scores, key=scores.__getitem__)
                yield Prediction(
                    row=questions[index].row,
                    output={"label": best, "scores": scores},
                    confidence=scores[best],
                    seconds=seconds,
                )


class LabelNames:
    name = "label-names"
    title = Text(en="base encoder, nearest label name", ko="기본 인코더, 가장 가까운 라벨 이름")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = False
    Settings: type[BaseModel] = LabelNamesSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if task.auto_model != "AutoModelForSequenceClassification":
            return No(Text(en="compares texts with names of labels", ko="텍스트를 라벨 이름과 비교하는 방법입니다"))
        if base is None or base.chat:
            return No(Text(en="needs an encoder", ko="인코더가 필요합니다"))
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        return estimate_answering(workload, new_tokens=0)

    def fit(self, job: FitJob) -> FitResult:
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        import transformers

        assert isinstance(saved.settings, LabelNamesSettings)
        assert saved.base is not None, "an encoder is always there"
        with quiet_transformers():
            encoder = transformers.AutoModel.from_pretrained(saved.base.path).to(torch_device(saved.device)).eval()
            tokenizer = transformers.AutoTokenizer.from_pretrained(saved.base.path)
        names = [saved.spec.text_prefix + spoken(label) for label in saved.spec.labels]
        labels = embed(encoder, tokenizer, names, saved.spec, saved.device)
        return NearestLabel(encoder, tokenizer, saved.spec, saved.device, saved.settings.temperature, labels)


def spoken(label: str) -> str:
    """A label as words: 'HassTurnOn' and 'turn_on' become 'Hass Turn On' and 'turn on'."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[_\-./]+", " ", label).strip()


def embed(encoder: nn.Module, tokenizer: Any, texts: Sequence[str], spec: Spec, device: Device) -> torch.Tensor:
    """Mean of the last hidden states over real tokens, scaled to length 1: float32 of shape (texts, hidden size)."""
    import torch

    batch = tokenizer(list(texts), padding=True, truncation=True, max_length=spec.max_tokens, return_tensors="pt")
    batch = batch.to(torch_device(device))
    with computing(device):
        hidden = encoder(**batch).last_hidden_state.float()
    mask = batch["attention_mask"][..., None].float()
    return torch.nn.functional.normalize((hidden * mask).sum(dim=1) / mask.sum(dim=1), dim=-1)


plugin = LabelNames()
