"""The base model as it is, asked in words: what everybody has before any tuning. For chat models."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.inference.token_costs import WRITTEN_COST
from sonmat.prompting.asking import asking_with, can_be_asked
from sonmat.training.estimates import estimate_answering
from sonmat.training.tuning import load_prompted


class ZeroShotSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    max_new_tokens: int = Field(
        16,
        ge=1,
        description="Room for naming a label, in tokens, or more if a label is longer; for chat the plan's limit counts.",
    )


class ZeroShot:
    name = "zero-shot"
    title = Text(en="base model, prompted", ko="기본 모델에 질문만")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = False
    Settings: type[BaseModel] = ZeroShotSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return can_be_asked(task, base)

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, ZeroShotSettings)
        written = settings.max_new_tokens if workload.classes else 2 * workload.mean_target_tokens
        return estimate_answering(workload, new_tokens=WRITTEN_COST * written)

    def fit(self, job: FitJob) -> FitResult:
        return FitResult()

    def load(self, saved: SavedModel) -> Predictor:
        assert isinstance(saved.settings, ZeroShotSettings)
        model, tokenizer = load_prompted(saved)
        return asking_with(saved, model, tokenizer, saved.settings.max_new_tokens).plain


plugin = ZeroShot()
