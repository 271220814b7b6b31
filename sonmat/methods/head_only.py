"""Head-only tuning: the pretrained body stays as it is, a new output layer learns on its features. Fast, forgets nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.training.estimates import TrainedShare, estimate_training
from sonmat.training.settings import TrainingSettings
from sonmat.training.tuning import load_whole, save_whole, tune
from sonmat.training.weights import LoadedBase, train_only

if TYPE_CHECKING:
    from torch import nn


class HeadOnlySettings(TrainingSettings):
    """A fresh output layer bears a rate far above the body's: AdamW's own default of 1e-3 (Kingma and Ba 2015)."""

    learning_rate: float = Field(1e-3, gt=0, le=1, description="Highest step size of AdamW for the new output layer.")
    epochs: int = Field(10, ge=1, le=1000, description="Passes over the training rows, unless early stopping ends sooner.")


class HeadOnly:
    name = "head-only"
    title = Text(en="new output layer only", ko="출력층만 학습")
    role: Literal["floor", "base", "tuned"] = "tuned"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = HeadOnlySettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if base is None:
            return No(Text(en="needs a base model", ko="기본 모델이 필요합니다"))
        if task.generates:
            return No(
                Text(
                    en="a language model's output layer is its vocabulary, not a new one",
                    ko="언어 모델의 출력층은 어휘 그 자체라 새로 만들지 않습니다",
                )
            )
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, HeadOnlySettings)
        hidden = workload.base.hidden_size if workload.base else 0
        head = hidden * hidden + hidden * max(workload.classes, 1)
        share = TrainedShare(head, 0.0, frozen_once=True)
        return estimate_training(workload, share, settings)

    def fit(self, job: FitJob) -> FitResult:
        assert isinstance(job.settings, HeadOnlySettings)
        return tune(job, job.settings, _head, save_whole)

    def load(self, saved: SavedModel) -> Predictor:
        return load_whole(saved)


def _head(loaded: LoadedBase) -> nn.Module:
    train_only(loaded.model, loaded.head)
    return loaded.model


plugin = HeadOnly()
