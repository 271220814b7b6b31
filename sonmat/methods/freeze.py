"""Partial fine-tuning: the last layers and the head train, everything below stays frozen. Between head-only and full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from sonmat.core.errors import SettingError
from sonmat.core.protocols import Family, FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.training.estimates import TrainedShare, estimate_training
from sonmat.training.settings import TrainingSettings
from sonmat.training.tuning import load_whole, save_whole, tune
from sonmat.training.weights import LoadedBase, train_only

if TYPE_CHECKING:
    from torch import nn


class FreezeSettings(TrainingSettings):
    """The upper layers hold what is special to a task, the lower what is general (Lee, Tang and Lin 2019: a quarter of the
    layers reaches nine tenths of full tuning's quality; Howard and Ruder 2018 for higher rates than in full tuning)."""

    learning_rate: float = Field(1e-4, gt=0, le=1, description="Highest step size of AdamW for the trained layers.")
    epochs: int = Field(5, ge=1, le=1000, description="Passes over the training rows, unless early stopping ends sooner.")
    last_layers: int = Field(2, ge=1, description="How many of the model's layers train, counted from the output.")


class Freeze:
    name = "freeze"
    title = Text(en="last layers only", ko="마지막 층만 학습")
    role: Literal["floor", "base", "tuned"] = "tuned"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = FreezeSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if base is None:
            return No(Text(en="needs a base model", ko="기본 모델이 필요합니다"))
        if base.layers < 2:
            return No(Text(en="the base has no layers to choose from", ko="고를 수 있는 층이 없는 모델입니다"))
        if base.model_type == "albert":
            return No(
                Text(
                    en="ALBERT's layers share their weights, so the last cannot train alone",
                    ko="ALBERT는 모든 층이 가중치를 나눠 써서 마지막 층만 학습할 수 없습니다",
                )
            )
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        layers = workload.base.layers if workload.base else 2
        proposed: Json = {"last_layers": max(1, round(layers / 4))}
        if task.generates:
            return {**proposed, "batch_size": 8, "epochs": 3}
        if task.modality == "image":
            return {**proposed, "learning_rate": 3e-4, "batch_size": 32}
        return proposed

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, FreezeSettings)
        base = workload.base
        share = settings.last_layers / base.layers if base and base.layers else 1.0
        trained = int((base.parameters - base.embedding_parameters) * share) if base else 0
        return estimate_training(workload, TrainedShare(trained, share, frozen_once=True), settings)

    def fit(self, job: FitJob) -> FitResult:
        assert isinstance(job.settings, FreezeSettings)
        family, last_layers = job.family, job.settings.last_layers
        assert family is not None, "a base model always has a family"
        return tune(job, job.settings, lambda loaded: _last_layers(loaded, family, last_layers), save_whole)

    def load(self, saved: SavedModel) -> Predictor:
        return load_whole(saved)


def _last_layers(loaded: LoadedBase, family: Family, count: int) -> nn.Module:
    blocks = family.blocks(loaded.model)
    if count > len(blocks):
        raise SettingError(
            Text(
                en=f"freeze: last_layers is {count}, and the base has only {len(blocks)} layers.",
                ko=f"freeze: last_layers가 {count}인데 기본 모델의 층은 {len(blocks)}개뿐입니다.",
            ),
            Text(en=f"Choose 1 to {len(blocks)}.", ko=f"1에서 {len(blocks)} 사이로 고르세요."),
        )
    chosen = {id(parameter) for block in blocks[-count:] for parameter in block.parameters()}
    names = {name for name, parameter in loaded.model.named_parameters() if id(parameter) in chosen}
    train_only(loaded.model, names | loaded.head)
    return loaded.model


plugin = Freeze()
