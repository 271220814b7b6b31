"""The base model as it is, asked in words: what everybody has before any tuning. For chat models."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, Question, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts, Prediction, Spec
from sonmat.inference.generation import generate
from sonmat.inference.predictor import batches_by_length, computing
from sonmat.inference.rendering import render_prompt
from sonmat.training.estimates import estimate_answering
from sonmat.training.tuning import load_prompted, predictor_of

if TYPE_CHECKING:
    from torch import nn


class ZeroShotSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(
        16,
        ge=1,
        description="Room for naming a label, in tokens, or more if a label is longer; for chat the plan's limit counts.",
    )


@dataclass(frozen=True)
class PromptedPredictor:
    """Asks a chat model through `task.ask` and reads its words through `task.parse`."""

    model: nn.Module
    tokenizer: Any
    task: Task
    spec: Spec
    device: Device
    max_new_tokens: int

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        prompts = [
            render_prompt(self.task.ask(question.input, (), self.spec) or [], self.tokenizer) for question in questions
        ]
        # The end of a prompt asks the question, so a prompt that is too long loses its beginning.
        prompts = [prompt[-self.spec.max_tokens :] for prompt in prompts]
        for group in batches_by_length([len(prompt) for prompt in prompts]):
            start = time.perf_counter()
            with computing(self.device):
                written = generate(self.model, self.tokenizer, [prompts[index] for index in group], self.max_new_tokens)
            seconds = (time.perf_counter() - start) / len(group)
            for index, answer in zip(group, written, strict=True):
                yield Prediction(
                    row=questions[index].row,
                    output=self.task.parse(answer.text, self.spec),
                    confidence=answer.confidence,
                    seconds=seconds,
                    tokens=answer.tokens,
                )


class ZeroShot:
    name = "zero-shot"
    title = Text(en="base model, prompted", ko="기본 모델에 질문만")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = False
    Settings: type[BaseModel] = ZeroShotSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if task.modality != "text":
            return No(Text(en="a picture or sound cannot be put into words", ko="이미지나 소리는 말로 물을 수 없습니다"))
        if base is None or not (base.chat or task.generates):
            return No(
                Text(
                    en="needs a base model that follows prompts; this one is an encoder",
                    ko="질문에 답하는 기본 모델이 필요합니다. 이 모델은 인코더입니다",
                )
            )
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, ZeroShotSettings)
        # A token written one at a time costs about ten times one that is read with others.
        written = settings.max_new_tokens if workload.classes else 2 * workload.mean_target_tokens
        return estimate_answering(workload, new_tokens=10 * written)

    def fit(self, job: FitJob) -> FitResult:
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        assert isinstance(saved.settings, ZeroShotSettings)
        model, tokenizer = load_prompted(saved)
        if saved.task.generates:
            return predictor_of(saved, model, tokenizer)
        longest = max((len(tokenizer(label)["input_ids"]) for label in saved.spec.labels), default=0)
        room = max(saved.settings.max_new_tokens, longest + 2)
        return PromptedPredictor(model, tokenizer, saved.task, saved.spec, saved.device, room)


plugin = ZeroShot()
