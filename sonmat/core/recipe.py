"""What a user may ask of a run: the same names on the command line, in a recipe file and in Python."""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator

from sonmat.core.faults import Misfit
from sonmat.core.text import Language, Text
from sonmat.core.values import Paths


class TokenPrice(BaseModel):
    """What an endpoint charges for a million tokens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: float = Field(ge=0, description="For tokens that it reads.")
    output: float = Field(ge=0, description="For tokens that it writes, hidden reasoning included.")


class Recipe(BaseModel):
    """Everything a run was asked for. What is left out is decided by the steps and said aloud."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Paths = Field(
        min_length=1, description="Files or folders of examples, hub:OWNER/NAME, or a manifest (.yaml) that lists several."
    )
    task: str | None = Field(None, description="Task name, e.g. text-classification; recognised from the data if left out.")
    input: str | None = Field(None, description="Column that holds the input.")
    target: str | None = Field(None, description="Column that holds the answer.")
    map: dict[str, str] = Field(
        default_factory=dict, description="Columns to read under another name, e.g. {instruction: 질문, output: 답변}."
    )
    template: str | None = Field(
        None, description="Input made of columns, e.g. '{audience} 고객에게 보내는 {occasion} 문구를 써 줘'."
    )
    group: str | None = Field(
        None, description="Column whose equal values must stay in one split part (a customer, a patient)."
    )
    slices: tuple[str, ...] = Field((), description="Columns to report results by.")
    part: str | None = Field(
        None, description="Column that says train, validation or test; recognised by its values if left out."
    )
    time: str | None = Field(
        None, description="Column with dates: the split then tests on the latest rows and learns from the earliest."
    )
    shares: tuple[float, float, float] = Field(
        (0.70, 0.15, 0.15),
        description="Shares of the rows to train, validate and test with: 60-80, 10-20 and 10-20 %, together 100 %.",
    )
    folds: int | None = Field(
        None,
        ge=0,
        description="Cross-validation with this many folds instead of a test set, 0 for never; by the number of rows if left out.",
    )
    base: str | None = Field(
        None, description="Base model: a catalogue name, hub:ID, folder, .gguf file or wheel:NAME==VERSION."
    )
    method: tuple[str, ...] = Field(
        (), description="Methods to try; the plan chooses those that tune if none of them is named."
    )
    minutes: float = Field(10.0, gt=0, description="Time that fitting may take in all, in minutes.")
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of every random choice.")
    bad_rows: Literal["stop", "drop"] = Field(
        "stop", description="What to do with rows that cannot be used: stop and say so, or drop them into the ledger."
    )
    labels: Literal["ask", "merge", "keep"] = Field(
        "ask",
        description="Labels that differ only in case or spaces: stop and ask, merge into the commonest, or keep apart.",
    )
    normalise: Literal["keep", "fix"] = Field(
        "keep", description="Control characters, broken encodings and HTML left in texts: leave them, or mend them."
    )
    duplicates: Literal["keep", "drop"] = Field("keep", description="Rows that repeat another row: keep or drop.")
    near_duplicates: Literal["keep", "drop"] = Field(
        "keep", description="Rows that nearly repeat another row: keep (in one part of the split) or drop."
    )
    leakage: Literal["stop", "drop", "keep"] = Field(
        "stop",
        description="Rows of a given test or validation part that also stand in training: stop, drop them from training, or keep.",
    )
    personal_data: Literal["keep", "redact", "drop", "stop"] = Field(
        "keep",
        description="E-mail addresses, phone and identity numbers and the like: keep, replace, drop the rows, or stop.",
    )
    skip: tuple[str, ...] = Field((), description="Checks of the audit that are left out.")
    embedder: str | None = Field(
        None, description="Encoder for label errors and the map of the data; counts of words and letters if left out."
    )
    accept_licence: tuple[str, ...] = Field((), description="Catalogue names whose licence terms you accept.")
    allow_truncation: bool = Field(
        False, description="Train although more than 1 % of the tokens would be cut off at the model's longest input."
    )
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Settings by method name, e.g. {lora: {rank: 8, learning_rate: 1e-4}}."
    )
    documents: Paths = Field(
        (),
        description="Files and folders to look answers up in (txt, md, html, pdf, docx, hwpx): arms with retrieval search them.",
    )
    arm: tuple[str, ...] = Field(
        (),
        description="Further arms: models of other runs that have not learnt from the test rows, as run:FOLDER:CANDIDATE; and models "
        "that another machine answers for, as openai:URL:MODEL, to which all test questions are sent.",
    )
    probes: tuple[str, ...] | None = Field(
        None,
        description="Probes of the proof, e.g. forgetting, safety, fairness, stability; all that fit if left out, '' for none.",
    )
    guards: dict[str, FiniteFloat] = Field(
        default_factory=dict,
        description="Bounds that an arm must keep to be recommended, by measure, e.g. {forgetting.all: 0.05}.",
    )
    price: float | None = Field(
        None, ge=0, description="Price of this machine for an hour, in your currency: makes costs from times."
    )
    token_prices: dict[str, TokenPrice] = Field(
        default_factory=dict,
        description="Prices of endpoints by model, for a million tokens, in your currency, e.g. "
        "{gpt-4.1-mini: {input: 0.4, output: 1.6}}.",
    )
    judge: str | None = Field(
        None,
        description="Model that says which of two answers is better, as openai:URL:MODEL: the questions, references and answers of "
        "the test set are sent to it.",
    )
    cost: dict[str, float | dict[str, float]] = Field(
        default_factory=dict,
        description="What errors cost, by true label, or by true label and answer, e.g. {spam: 20} or {spam: {ham: 20}}; else 1.",
    )
    expect: dict[str, Any] = Field(
        default_factory=dict,
        description="What every written answer must keep: {json_schema, regex, longest, shortest, contains, excludes, language}.",
    )
    curve: bool | None = Field(
        None,
        description="Learning curve of the tuned arm, on halves, quarters and eighths of its rows: always, never, or, if left out, "
        "within what is left of the minutes.",
    )
    max_tokens: int | None = Field(None, gt=7, description="Longest row in tokens; the base model's own limit if left out.")
    lang: Language | None = Field(None, description="Language of messages and report: en or ko; the locale's if left out.")

    @field_validator("cost")
    @classmethod
    def _costs(cls, cost: dict[str, float | dict[str, float]]) -> dict[str, float | dict[str, float]]:
        for row in cost.values():
            if not all(0 <= each < math.inf for each in (row.values() if isinstance(row, dict) else [row])):
                raise Misfit(Text(en="expected costs of 0 or more", ko="비용은 0 이상이어야 합니다"))
        return cost

    @field_validator("shares")
    @classmethod
    def _in_bounds(cls, shares: tuple[float, float, float]) -> tuple[float, float, float]:
        train, validation, test = shares
        whole = abs(train + validation + test - 1) < 1e-6
        if not (whole and 0.6 <= train <= 0.8 and 0.1 <= validation <= 0.2 and 0.1 <= test <= 0.2):
            raise Misfit(
                Text(
                    en="expected 60 to 80 % to train, 10 to 20 % to validate and 10 to 20 % to test with, together 100 %",
                    ko="학습 60~80%, 검증 10~20%, 테스트 10~20%를 합쳐 100%여야 합니다",
                )
            )
        return shares
