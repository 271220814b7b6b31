"""LoRA: small low-rank updates beside frozen weights (Hu et al. 2021), saved as a PEFT adapter of a few megabytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, Field

from sonmat.core.errors import ModelError
from sonmat.core.protocols import Family, FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.inference.device import compute_dtype
from sonmat.training.estimates import TrainedShare, estimate_training
from sonmat.training.settings import TrainingSettings
from sonmat.training.tuning import answering_dtype, load_saved_processor, predictor_of, tune
from sonmat.training.weights import LoadedBase, load_base

if TYPE_CHECKING:
    from torch import nn


ADAPTER_FILE = "adapter_model.safetensors"


class LoraSettings(TrainingSettings):
    """Rank 16 on all linear layers, which matters more than the rank (Dettmers et al. 2023, section 4), and a rate ten times
    full tuning's (Schulman et al. 2025, "LoRA Without Regret"); no decay on so few weights."""

    learning_rate: float = Field(2e-4, gt=0, le=1, description="Highest step size of AdamW for the adapter.")
    weight_decay: float = Field(0.0, ge=0, description="AdamW's decay of the adapter's matrices.")
    rank: int = Field(16, ge=1, le=1024, description="Rank of each update: more can hold more, and costs more memory.")
    alpha: float = Field(32.0, gt=0, description="The update is scaled by alpha / rank.")
    adapter_dropout: float = Field(0.0, ge=0, lt=1, description="Dropout on the adapter's input.")


class Lora:
    name = "lora"
    title = Text(en="LoRA adapter", ko="LoRA 어댑터")
    role: Literal["floor", "base", "tuned"] = "tuned"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = LoraSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        if base is None:
            return No(Text(en="needs a base model", ko="기본 모델이 필요합니다"))
        if task.modality == "image" and base.vocabulary == 0 and base.model_type.startswith("mobilenet"):
            return No(
                Text(
                    en="the base is made of convolutions by channel, which leave a low-rank update nothing to save",
                    ko="채널별 합성곱으로 된 모델이라 저랭크 갱신으로 아낄 것이 없습니다",
                )
            )
        return Yes()

    def propose(self, task: Task, workload: Workload) -> Json:
        if task.generates:
            return {"batch_size": 8, "schedule": "cosine"}
        return {"learning_rate": 1e-3, "epochs": 5}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, LoraSettings)
        base = workload.base
        assert base is not None, "LoRA always has a base"
        # A matrix of n x m weights gets rank · (n + m). One of n and m is the hidden size, so that all m of a block together are its
        # weights by the hidden size; there are seven matrices at most.
        body = base.parameters - base.embedding_parameters
        trained = settings.rank * (body // max(base.hidden_size, 1) + 7 * base.layers * base.hidden_size)
        frozen = 2 if workload.device.bf16 and workload.classes == 0 else 4
        share = TrainedShare(trained, 0.75, frozen, beside=True, whole_layers=not settings.adapter_dropout)
        return estimate_training(workload, share, settings)

    def fit(self, job: FitJob) -> FitResult:
        settings, family = job.settings, job.family
        assert isinstance(settings, LoraSettings)
        assert family is not None, "a base model always has a family"
        dtype = compute_dtype(job.device) if job.task.generates else None
        return tune(
            job, settings, lambda loaded: _with_adapter(loaded, family, settings), _save_adapter, dtype, whole=False
        )

    def load(self, saved: SavedModel) -> Predictor:
        from peft import PeftModel

        assert saved.base is not None, "LoRA always has a base"
        dtype = answering_dtype(saved.task, saved.device)
        loaded = load_base(saved.task, saved.spec, saved.base.path, seed=0, dtype=dtype)
        model = PeftModel.from_pretrained(loaded.model, str(saved.folder))
        _check_applied(model, saved.folder)
        return predictor_of(saved, model, load_saved_processor(saved))


def _with_adapter(loaded: LoadedBase, family: Family, settings: LoraSettings) -> nn.Module:
    from peft import LoraConfig, get_peft_model

    # Whole names: PEFT matches endings, and 'dense' alone would train every layer of that name in full.
    head_modules = sorted({name.rpartition(".")[0] for name in loaded.head})
    targets = family.lora_targets
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.adapter_dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        exclude_modules=head_modules or None,
        modules_to_save=head_modules or None,
    )
    model: nn.Module = get_peft_model(loaded.model, config)
    for parameter in model.parameters():
        if parameter.requires_grad:
            # The optimiser's small steps would be lost in bf16's eight bits.
            parameter.data = parameter.data.float()
    return model


def _save_adapter(model: Any, folder: Path) -> None:
    model.save_pretrained(str(folder))


def _check_applied(model: nn.Module, folder: Path) -> None:
    """Every update of the file is in the model: an adapter that is not found is otherwise silently left out."""
    from safetensors.torch import load_file

    loaded = {name.replace(".default.", "."): value for name, value in model.named_parameters() if "lora_B" in name}
    saved = {name: value for name, value in load_file(folder / ADAPTER_FILE).items() if "lora_B" in name}
    missing = [
        name for name, value in saved.items() if name not in loaded or not bool((loaded[name].to(value) == value).all())
    ]
    if missing or not saved:
        raise ModelError(
            Text(
                en=f"The adapter in {folder} was not applied: {len(missing)} of its {len(saved)} updates are not in the model.",
                ko=f"{folder}의 어댑터가 적용되지 않았습니다. 갱신 {len(saved)}개 중 {len(missing)}개가 모델에 없습니다.",
            ),
            Text(
                en=f"Fit the candidate again (`sonmat fit`), or restore {ADAPTER_FILE} from a copy.",
                ko=f"후보를 다시 학습하거나(`sonmat fit`) {ADAPTER_FILE}을(를) 되살리세요.",
            ),
        )


plugin = Lora()
