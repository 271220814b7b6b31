"""What the methods that ask have in common: the loaded base as a predictor, a saved prompt, and what asking costs.

In: a job or a saved model with its base loaded. Out: `Asking`, predictors, tokens for estimates. It loads no weights itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sonmat.core.protocols import FitJob, FitResult, No, SavedModel, Task, Workload, Yes
from sonmat.core.text import Text
from sonmat.core.values import ModelFacts, Spec
from sonmat.inference.predictor import NeuralPredictor
from sonmat.inference.token_costs import WRITTEN_COST
from sonmat.prompting.choosing import TRIES_FILE, Asking, Tries
from sonmat.prompting.predictor import Nearest, PromptedChat, PromptedPredictor, answer_room
from sonmat.prompting.prompt import PROMPT_FILE, Answering, Prompt
from sonmat.runs.files import read_value, write_value

if TYPE_CHECKING:
    from torch import nn

WRITTEN_LABEL_TOKENS = 6
"""Of a label and what a small model says around it, where it does not talk on."""
TURN_TOKENS = 12
"""Of a chat template and the words around a text, for each turn."""


def can_be_asked(task: Task, base: ModelFacts | None) -> Yes | No:
    """Whether questions of the task can be put to the base in words."""
    if task.modality != "text":
        return No(Text(en="a picture or sound cannot be put into words", ko="이미지나 소리는 말로 물을 수 없습니다"))
    if base is None or not (base.chat or task.generates):
        return No(
            Text(
                en="needs a base model that follows prompts; this one is an encoder",
                ko="질문에 답하는 기본 모델이 필요합니다. 이 모델은 인코더입니다",
            )
        )
    return Yes()


def ways_of_answering(task: Task, spec: Spec) -> tuple[Answering, ...]:
    """Labels can be written or chosen by their likelihood; text is written."""
    return ("written", "likeliest", "calibrated") if spec.labels and not task.generates else ("written",)


def as_saved(job: FitJob, method: str) -> SavedModel:
    """The job's model as it will be loaded, for loading its base."""
    return SavedModel(job.folder, method, job.task, job.spec, job.base, job.family, job.settings, job.device)


def asking_with(
    saved: SavedModel, model: nn.Module, tokenizer: Any, least_room: int, nearest: Nearest | None = None
) -> Asking:
    """How prompts are put to the loaded base of `saved`.

    Args:
        least_room: tokens that a written label may take, or more if a label is longer.
    """
    if saved.task.generates:
        return Asking(NeuralPredictor(model, tokenizer, saved.task, saved.spec, saved.device), nearest)
    room = answer_room(saved.spec, tokenizer, least_room)
    plain = PromptedPredictor(model, tokenizer, saved.task, saved.spec, saved.device, room)
    return Asking(plain, nearest)


def keep_choice(tries: Tries, folder: Path, budget: Text) -> FitResult:
    """Write the best prompt, and all that were tried, into the model folder."""
    best = tries.tried[0]
    write_value(folder / PROMPT_FILE, best.prompt)
    write_value(folder / TRIES_FILE, tries)
    return FitResult(selection={tries.metric: best.score} if best.rows else {}, budget=budget if best.rows else None)


def load_choice(saved: SavedModel, asking: Asking) -> PromptedPredictor | PromptedChat:
    """The predictor of a folder that `keep_choice` wrote.

    Raises:
        RunError: the folder holds no prompt.
    """
    return asking.predictor(read_value(saved.folder / PROMPT_FILE, Prompt))


def reading_cost(workload: Workload, shots: float, ways: Sequence[Answering]) -> float:
    """Tokens that one row costs, those that are written counted as what they cost beside reading.

    What all prompts begin with is read once and not counted.
    """
    shown = shots * (workload.mean_tokens + workload.mean_target_tokens + TURN_TOKENS)
    prompt = workload.mean_tokens + TURN_TOKENS + shown
    if not workload.classes:
        return prompt + workload.mean_target_tokens
    written = prompt + WRITTEN_COST * WRITTEN_LABEL_TOKENS if "written" in ways else 0.0
    chosen = prompt + workload.classes * WRITTEN_LABEL_TOKENS / 2 if "likeliest" in ways else 0.0
    return written + chosen


def answering_cost(workload: Workload, shots: float) -> float:
    """Tokens that one row of the test set costs; see `reading_cost`."""
    if workload.classes:
        return max(reading_cost(workload, shots, ("written",)), reading_cost(workload, shots, ("likeliest",)))
    return reading_cost(workload, shots, ("written",)) + WRITTEN_COST * 2 * workload.mean_target_tokens
