"""What a user may ask of a run: the same names on the command line, in a recipe file and in Python."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.text import Language


class Recipe(BaseModel):
    """Everything a run was asked for. What is left out is decided by the steps and said aloud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: str = Field(description="File or folder of examples.")
    task: str | None = Field(None, description="Task name, e.g. text-classification; recognised from the data if left out.")
    input: str | None = Field(None, description="Column that holds the input.")
    target: str | None = Field(None, description="Column that holds the answer.")
    group: str | None = Field(
        None, description="Column whose equal values must stay in one split part (a customer, a patient)."
    )
    slices: tuple[str, ...] = Field((), description="Columns to report results by.")
    base: str | None = Field(
        None, description="Base model: a catalogue name, hub:ID, folder, .gguf file or wheel:NAME==VERSION."
    )
    method: tuple[str, ...] = Field((), description="Methods to try; the plan chooses if left out.")
    minutes: float = Field(10.0, gt=0, description="Time that fitting may take in all, in minutes.")
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of every random choice.")
    bad_rows: Literal["stop", "drop"] = Field(
        "stop", description="What to do with rows that cannot be used: stop and say so, or drop them into the ledger."
    )
    labels: Literal["ask", "merge", "keep"] = Field(
        "ask",
        description="Labels that differ only in case or spaces: stop and ask, merge into the commonest, or keep apart.",
    )
    accept_licence: tuple[str, ...] = Field((), description="Catalogue names whose licence terms you accept.")
    allow_truncation: bool = Field(
        False, description="Train although more than 1 % of the tokens would be cut off at the model's longest input."
    )
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Settings by method name, e.g. {lora: {rank: 8, learning_rate: 1e-4}}."
    )
    max_tokens: int | None = Field(None, gt=7, description="Longest row in tokens; the base model's own limit if left out.")
    lang: Language | None = Field(None, description="Language of messages and report: en or ko; the locale's if left out.")
