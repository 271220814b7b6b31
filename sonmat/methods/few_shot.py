"""The untuned base, shown the training examples that are nearest to each question. How many is chosen on the validation rows.

In: training and validation rows. Out: the examples that are searched, `prompt.json` with their number, and `prompts_tried.json`. No
weight changes. Rows of other parts of the split are never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.errors import DataError
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
from sonmat.prompting.choosing import Tries, answers_needed, choose_prompt, sample_of
from sonmat.prompting.nearest import NearestExamples, examples_to_show, load_examples
from sonmat.prompting.prompt import Prompt
from sonmat.prompting.rendering import Renderer
from sonmat.training.estimates import estimate_answering
from sonmat.training.tuning import load_prompted

MOST_LOST = 0.5
"""A number of shots is not tried where, on average over some rows, more than this many of them do not fit."""
_ROWS_LOOKED_AT = 16


class FewShotSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    shots: tuple[int, ...] = Field(
        (1, 3, 5, 8), min_length=1, description="Numbers of examples to try; those that fit into the context are."
    )
    rows: int = Field(64, ge=1, le=5000, description="Most validation rows that a number is tried on.")
    max_new_tokens: int = Field(
        16,
        ge=1,
        description="Room for naming a label, in tokens, or more if a label is longer; for chat the plan's limit counts.",
    )


class FewShot:
    name = "few-shot"
    title = Text(en="base model, shown similar examples", ko="기본 모델에 비슷한 예시를 보여 줌")
    role: Literal["floor", "base", "tuned"] = "base"
    needs_base = True
    learns = True
    Settings: type[BaseModel] = FewShotSettings

    def supports(self, task: Task, base: ModelFacts | None, device: Device) -> Yes | No:
        return can_be_asked(task, base)

    def propose(self, task: Task, workload: Workload) -> Json:
        return {}

    def estimate(self, settings: BaseModel, workload: Workload) -> Estimate:
        assert isinstance(settings, FewShotSettings)
        rows = min(settings.rows, workload.validation_rows)
        mean = sum(settings.shots) / len(settings.shots)
        tried = answers_needed(len(settings.shots), rows) * reading_cost(workload, mean, ("written", "likeliest"))
        answered = workload.test_rows * answering_cost(workload, max(settings.shots))
        return estimate_answering(replace(workload, test_rows=1, mean_tokens=tried + answered), new_tokens=0)

    def fit(self, job: FitJob) -> FitResult:
        settings = job.settings
        assert isinstance(settings, FewShotSettings)
        shots = examples_to_show(job.train, job.seed)
        if not shots:
            raise _nothing_to_show()
        nearest = NearestExamples(shots)
        nearest.save(job.folder)
        saved = as_saved(job, self.name)
        model, tokenizer = load_prompted(saved)
        asking = asking_with(saved, model, tokenizer, settings.max_new_tokens, nearest)
        counts = _counts_that_fit(job, settings, nearest, tokenizer, asking.room)
        ways = ways_of_answering(job.task, job.spec)
        prompts = [Prompt(nearest=count, answer=way) for count in counts for way in ways]
        tries = choose_prompt(job, prompts, settings.rows, asking)
        return keep_choice(tries, job.folder, _budget(counts, len(ways), tries))

    def load(self, saved: SavedModel) -> Predictor:
        assert isinstance(saved.settings, FewShotSettings)
        model, tokenizer = load_prompted(saved)
        nearest = load_examples(saved.folder)
        return load_choice(saved, asking_with(saved, model, tokenizer, saved.settings.max_new_tokens, nearest))


def _counts_that_fit(
    job: FitJob, settings: FewShotSettings, nearest: NearestExamples, tokenizer: object, room: int
) -> list[int]:
    """The numbers of shots to try, smallest first; the smallest always, because a long row loses what does not fit."""
    counts = sorted({count for count in settings.shots if 0 < count <= len(nearest.shots)}) or [len(nearest.shots)]
    rows = sample_of(job.validation, _ROWS_LOOKED_AT, job.seed)
    renderer = Renderer(job.task, job.spec, tokenizer, room)
    kept = counts[:1]
    for count in counts[1:]:
        prompt = Prompt(nearest=count)
        found = nearest([row.input for row in rows], count)
        fitting = [renderer.shots_that_fit(prompt, row.input, shown) for row, shown in zip(rows, found, strict=True)]
        if fitting and sum(fitting) / len(fitting) >= count - MOST_LOST:
            kept.append(count)
    return kept


def _budget(counts: Sequence[int], ways: int, tries: Tries) -> Text:
    rows, numbers = tries.tried[0].rows, ", ".join(map(str, counts))
    if ways == 1:
        return Text(
            en=f"{numbers} examples tried on up to {rows} validation rows",
            ko=f"검증 행 최대 {rows}개로 예시 {numbers}개를 비교",
        )
    return Text(
        en=f"{numbers} examples, each with {ways} ways of reading the answer, tried on up to {rows} validation rows",
        ko=f"검증 행 최대 {rows}개로 예시 {numbers}개를 답을 읽는 방식 {ways}가지씩 비교",
    )


def _nothing_to_show() -> DataError:
    return DataError(
        Text(
            en="Every training example calls or offers tools, which cannot be shown as examples to another question.",
            ko="학습 예시가 모두 도구를 쓰는 것이라, 다른 질문의 예시로 보여 줄 수 없습니다.",
        ),
        Text(
            en="Leave few-shot out: name the methods to try with --method.",
            ko="--method로 시도할 방법을 지정해 few-shot을 빼세요.",
        ),
    )


plugin = FewShot()
