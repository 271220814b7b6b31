"""Settings of the optimisation, shared by every method that trains. Methods narrow the defaults and say where from."""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Activations = Literal["keep", "recompute", "offload"]
Replay = float | Literal["tuned"]
TUNED: Final = "tuned"
SHARES: Final = (0.3, 0.1, 0.0)
"""Shares of replay that `tuned` tries, in the order in which they are trained."""
MOST_REPLAY: Final = 0.9


class TrainingSettings(BaseModel):
    """How weights are optimised. The result depends on these and on the seed, not on the machine's size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(2e-5, gt=0, le=1, description="Highest step size of AdamW; far below pretraining's.")
    epochs: int = Field(3, ge=1, le=1000, description="Passes over the training rows, unless early stopping ends sooner.")
    batch_size: int = Field(16, ge=1, description="Rows of one optimiser step.")
    schedule: Literal["linear", "cosine", "constant"] = Field(
        "linear", description="How the learning rate falls after warm-up."
    )
    warmup_ratio: float = Field(
        0.1, ge=0, lt=1, description="Share of all steps over which the learning rate rises from 0."
    )
    weight_decay: float = Field(0.01, ge=0, description="AdamW's decay of matrices; biases and norms are never decayed.")
    clip_norm: float = Field(1.0, gt=0, description="Longest gradient; a longer one is scaled down to it.")
    dropout: float | None = Field(None, ge=0, lt=1, description="Dropout of the model's layers; its own value if left out.")
    validate_every: int | None = Field(None, ge=1, description="Steps between validations; each epoch if left out.")
    patience: int = Field(3, ge=1, description="Validations without improvement after which training stops early.")
    micro_batch_tokens: int | None = Field(
        None,
        ge=1,
        description="Most tokens, padding included, that one forward pass holds; found by a short probe if left out. Changes "
        "memory, speed and rounding, and with dropout its random pattern, but not what is optimised.",
    )
    activations: Activations = Field(
        "keep",
        description="What the backward pass needs of each layer: kept; recomputed, which costs another forward pass; or offload, "
        "recomputed from inputs that wait in main memory. The plan chooses where memory is short; results are the same.",
    )
    compile: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether layers are compiled; auto: the plan decides by how long the training will take. Same results.",
    )
    optimiser_state: Literal["fp32", "8bit"] = Field(
        "fp32",
        description="What AdamW keeps of each weight: fp32, or a quarter of it in 8 bits (CUDA with bitsandbytes; results differ "
        "a little). The plan chooses 8bit only where nothing else fits.",
    )
    replay: Replay = Field(
        0.0,
        description="Share of an epoch's rows, 0 to 0.9, that are the base's own answers to general prompts, so that it forgets less; "
        "for models that write. Makes an epoch longer by share / (1 - share). tuned: trains with 0, 10 and 30 % and keeps what moved "
        "least from the base among those not worse on the validation rows beyond noise; takes 3.5 times as long.",
    )
    interpolate: bool = Field(
        False,
        description="After training, try the trained change at 0, 25, 50, 75 and 100 % and keep what lies nearest to the base among "
        "those with nine tenths of the best validated gain.",
    )

    @field_validator("replay", mode="before")
    @classmethod
    def _share_or_tuned(cls, given: Any) -> Any:
        try:
            if given == TUNED or 0 <= float(given) <= MOST_REPLAY:
                return given
        except (TypeError, ValueError):
            pass
        raise ValueError(f"expected a share from 0 to {MOST_REPLAY}, or {TUNED}")
