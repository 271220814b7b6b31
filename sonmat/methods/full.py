"""Full fine-tuning: every weight trains. The strongest method where data and memory allow, and the most forgetful."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.training.estimates import TrainedShare, estimate_training, trained_in_full
from sonmat.training.settings import TrainingSettings
from sonmat.training.tuning import load_whole, save_whole, tune
from sonmat.training.weights import LoadedBase

if TYPE_CHECKING:
    from torch import nn


class FullSettings(TrainingSettings):
    """Learning rates: encoders 2e-5 to 5e-5 (Devlin et al. 2019, appendix A.3); language models of billions of weights 1e-5
    to 2e-5 (Alpaca, Taori et al. 2023), small ones higher; convolutional networks 1e-4, because with frozen batch statistics 1e-3
    ends in one answer for all (docs/log.md). Those of small language models
    and of images were chosen by trials (docs/results.md)."""


class Full:
    name = "full"
    title = Text(en="full fine-tuning", ko="전체 미세조정")
    role: Literal["floor", "base", "tuned"] = "tuned"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = FullSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return Yes() if base is not None else No(Text(en="needs a base model", ko="기본 모델이 필요합니다"))

    def propose(self, task: Task, workload: Workload) -> Json:
        if task.generates:
            small = workload.base is not None and workload.base.parameters < 500_000_000
            return {"learning_rate": 5e-5 if small else 1e-5, "batch_size": 8, "schedule": "cosine"}
        if task.modality == "image":
            return {"learning_rate": 1e-4, "batch_size": 32, "epochs": 5}
        return {"learning_rate": 5e-5, "epochs": 5 if workload.train_rows < 3000 else 3}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, FullSettings)
        return estimate_training(workload, TrainedShare(trained_in_full(workload), 1.0, whole_layers=True), settings)

    def fit(self, job: FitJob) -> FitResult:
        assert isinstance(job.settings, FullSettings)
        return tune(job, job.settings, _everything, save_whole)

    def load(self, saved: SavedModel) -> Predictor:
        return load_whole(saved)


def _everything(loaded: LoadedBase) -> nn.Module:
    loaded.model.requires_grad_(True)
    return loaded.model


plugin = Full()
