"""The untuned base, asked as well as can be: instruction and format chosen on the validation rows alone.

In: a user's own instructions, those made from the task and the training rows, and those that the base writes itself. Out:
`prompt.json`, the best of them, and `prompts_tried.json`, all of them with their scores. No weight changes.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from sonmat.core.protocols import FitJob, FitResult, No, Predictor, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import Device, Estimate, Json, ModelFacts
from sonmat.prompting.asking import (
    answering_cost,
    as_saved,
    asking_with,
    can_be_asked,
    keep_choice,
    load_choice,
    reading_cost,
    ways_of_answering,
)
from sonmat.prompting.choosing import Asking, answers_needed, choose_prompt
from sonmat.prompting.own_words import own_instructions
from sonmat.prompting.prompt import Prompt
from sonmat.prompting.wordings import wordings
from sonmat.training.estimates import estimate_answering
from sonmat.training.tuning import load_prompted


class BestPromptSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    instructions: tuple[str, ...] = Field(
        (),
        description="Your own instructions to try; '@FILE' stands for those in a text file, with empty lines between them.",
    )
    prompts: int = Field(12, ge=1, le=200, description="Most wordings to try: the task's own words, yours, and made ones.")
    rows: int = Field(64, ge=1, le=5000, description="Most validation rows that a prompt is tried on.")
    own_words: bool = Field(True, description="Whether the base writes instructions itself from training examples.")
    max_new_tokens: int = Field(
        16,
        ge=1,
        description="Room for naming a label, in tokens, or more if a label is longer; for chat the plan's limit counts.",
    )

    @field_validator("instructions", mode="before")
    @classmethod
    def _read_files(cls, value: Any) -> Any:
        """Files are read once, when the run is planned: what is tried does not change with them."""
        given = [value] if isinstance(value, str) else list(value)
        found: list[Any] = []
        for each in given:
            found += _paragraphs(each[1:]) if isinstance(each, str) and each.startswith("@") else [each]
        return tuple(found)


class BestPrompt:
    name = "best-prompt"
    title = Text(en="base model, best prompt", ko="기본 모델에 가장 나은 질문")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = BestPromptSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return can_be_asked(task, base)

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, BestPromptSettings)
        rows = min(settings.rows, workload.validation_rows)
        count = max(settings.prompts, 1 + len(settings.instructions))
        tried = answers_needed(count, rows) * reading_cost(workload, 0, ("written", "likeliest"))
        answered = workload.test_rows * answering_cost(workload, 0)
        return estimate_answering(replace(workload, test_rows=1, mean_tokens=tried + answered), new_tokens=0)

    def fit(self, job: FitJob) -> FitResult:
        settings = job.settings
        assert isinstance(settings, BestPromptSettings)
        saved = as_saved(job, self.name)
        model, tokenizer = load_prompted(saved)
        asking = asking_with(saved, model, tokenizer, settings.max_new_tokens)
        own = []
        if settings.own_words and job.base is not None and job.base.chat:
            own = own_instructions(model, tokenizer, job.task, job.spec, job.train, job.seed, job.device)
        asked = wordings(job.task, job.spec, job.train, settings.instructions, own, settings.prompts)
        tries = choose_prompt(job, _read_in_every_way(job, asked), settings.rows, asking)
        return keep_choice(tries, job.folder, _budget(len(asked), len(tries.tried), tries.tried[0].rows))

    def load(self, saved: SavedModel) -> Predictor:
        assert isinstance(saved.settings, BestPromptSettings)
        model, tokenizer = load_prompted(saved)
        asking: Asking = asking_with(saved, model, tokenizer, saved.settings.max_new_tokens)
        return load_choice(saved, asking)


def _paragraphs(file: str) -> list[str]:
    try:
        content = Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read as a text file in UTF-8 ({type(error).__name__})") from error
    found = [" ".join(part.split()) for part in content.split("\n\n") if part.strip()]
    if not found or any(part.startswith("@") for part in found):
        raise ValueError(f"{file} holds no instruction, or one that begins with '@'")
    return found


def _read_in_every_way(job: FitJob, asked: list[Prompt]) -> list[Prompt]:
    return [prompt.model_copy(update={"answer": way}) for prompt in asked for way in ways_of_answering(job.task, job.spec)]


def _budget(prompts: int, ways: int, rows: int) -> Text:
    if ways == prompts:
        return Text(
            en=f"{prompts} prompts on up to {rows} validation rows", ko=f"검증 행 최대 {rows}개로 프롬프트 {prompts}개 비교"
        )
    return Text(
        en=f"{prompts} prompts, {ways} with every way of reading the answer, on up to {rows} validation rows",
        ko=f"검증 행 최대 {rows}개로 프롬프트 {prompts}개(답을 읽는 방식까지 {ways}가지) 비교",
    )


plugin = BestPrompt()
