"""Chooses among prompts by the validation rows, within a budget that is declared beforehand (successive halving, Jamieson and
Talwalkar 2016).

In: prompts, validation rows, a model. Out: every prompt with the rows that it was tried on and its score there, the best first. All
prompts answer a small sample, the better half a sample twice as large that holds the first, and so on; the first prompt stays to
the end, so that the best is compared with it on the same rows. Answers are kept in the job's work folder: an interrupted choice
goes on where it was. The test rows are never seen.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from sonmat.checking.progress import Progress
from sonmat.core.errors import Paused
from sonmat.core.protocols import FitJob, Predictor, Question
from sonmat.core.text import Text
from sonmat.core.values import Example, Json, Value
from sonmat.inference.predictor import NeuralPredictor
from sonmat.inference.validating import judged_rows
from sonmat.prompting.predictor import Nearest, PromptedChat, PromptedPredictor, label_output, mean_shares
from sonmat.prompting.prompt import Prompt
from sonmat.runs.files import sha256_of

FIRST_ROWS = 16
"""Validation rows that all prompts are tried on."""
ANSWERS_FILE = "prompt_answers.jsonl"
TRIES_FILE = "prompts_tried.json"


class Try(Value):
    """A prompt, and what it came to on the first `rows` rows of the validation sample."""

    prompt: Prompt
    rows: int
    score: float


class Tries(Value):
    """All that was tried, the best first."""

    metric: str
    tried: tuple[Try, ...]


@dataclass(frozen=True)
class Asking:
    """How a prompt becomes a predictor of the loaded base.

    Args:
        plain: asks the base for labels, or for chat.
    """

    plain: PromptedPredictor | NeuralPredictor
    nearest: Nearest | None = None

    @property
    def room(self) -> int:
        """Tokens that an answer may take."""
        plain = self.plain
        return plain.spec.max_new_tokens if isinstance(plain, NeuralPredictor) else plain.max_new_tokens

    def predictor(self, prompt: Prompt) -> PromptedPredictor | PromptedChat:
        if isinstance(self.plain, NeuralPredictor):
            return PromptedChat(self.plain, prompt, self.nearest)
        known = self.plain
        return PromptedPredictor(
            known.model, known.tokenizer, known.task, known.spec, known.device, known.max_new_tokens, prompt, self.nearest
        )


def choose_prompt(job: FitJob, prompts: Sequence[Prompt], most_rows: int, asking: Asking) -> Tries:
    """`prompts` tried on up to `most_rows` validation rows; only one prompt, or no row, is no choice.

    Raises:
        Paused: the job was asked to.
    """
    sample = sample_of(job.validation, most_rows, job.seed)
    if len(prompts) == 1 or not sample:
        return Tries(metric=job.selection.name, tried=tuple(Try(prompt=prompt, rows=0, score=0.0) for prompt in prompts))
    answers = _Answers(job, asking, _progress(job, prompts, len(sample)))
    left = list(prompts)
    tried: dict[int, Try] = {}
    for size in rungs(len(sample)):
        found = [answers.tried(prompt, sample[:size]) for prompt in left]
        tried.update({_place(prompts, prompt): result for prompt, result in zip(left, found, strict=True)})
        # Of equally good prompts the one that comes first is simpler.
        order = sorted(range(len(left)), key=lambda place: -_goodness(job, found[place].score))
        best = order[: max(1, -(-len(left) // 2))]
        left = [prompt for place, prompt in enumerate(left) if place in best or prompt is prompts[0]]
    ranked = sorted(tried.items(), key=lambda entry: (-entry[1].rows, -_goodness(job, entry[1].score), entry[0]))
    return Tries(metric=job.selection.name, tried=tuple(result for _, result in ranked))


def rungs(rows: int) -> list[int]:
    """Sizes of the growing samples: 16, 32, 64, ..., the last `rows`."""
    sizes = [min(FIRST_ROWS, rows)]
    while sizes[-1] < rows:
        sizes.append(min(2 * sizes[-1], rows))
    return sizes


def answers_needed(prompts: int, rows: int) -> int:
    """How many answers choosing among `prompts` on up to `rows` rows takes at most: what a budget is made of."""
    total = before = 0
    left = prompts
    for size in rungs(rows) if rows else []:
        total += left * (size - before)
        before, left = size, min(left, -(-left // 2) + 1)
    return total


def sample_of(rows: Sequence[Example], most: int, seed: int) -> list[Example]:
    """Up to `most` of `rows` in an order whose every beginning holds labels as evenly as may be; the same for one seed."""
    drawn = list(rows)
    random.Random(seed).shuffle(drawn)
    by_label: dict[str, list[Example]] = {}
    for example in drawn:
        by_label.setdefault(str(example.target.get("label", "")), []).append(example)
    turns = [example for turn in zip_longest(*by_label.values()) for example in turn if example is not None]
    return turns[:most]


@dataclass
class _Answers:
    """What each prompt answers to each row, asked once."""

    job: FitJob
    asking: Asking
    progress: Progress
    known: dict[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.file: Path = self.job.work / ANSWERS_FILE
        if not self.file.exists():
            return
        for line in self.file.read_text(encoding="utf-8").splitlines():
            try:
                self.known.update(json.loads(line))
            except ValueError:
                continue  # the line that a kill cut short is asked again

    def tried(self, prompt: Prompt, rows: Sequence[Example]) -> Try:
        asked = _asked(prompt)
        digest = sha256_of(asked)
        missing = [row for row in rows if self._key(digest, row) not in self.known]
        for row, answer in self._ask(asked, missing):
            self._keep(self._key(digest, row), answer)
        found = [self.known[self._key(digest, row)] for row in rows]
        if prompt.answer == "calibrated":
            prompt = prompt.model_copy(update={"mean_shares": mean_shares([each["shares"] for each in found])})
        return Try(prompt=prompt, rows=len(rows), score=self._score(prompt, rows, found))

    def _ask(self, prompt: Prompt, rows: Sequence[Example]) -> Iterator[tuple[Example, Json]]:
        predictor = self.asking.predictor(prompt)
        if isinstance(predictor, PromptedPredictor) and prompt.answer != "written":
            prompts = predictor.prompts_of([row.input for row in rows])
            for place, shares, _ in predictor.shares_of(prompts):
                yield rows[place], {"shares": shares}
            return
        yield from self._predicted(predictor, rows)

    def _predicted(self, predictor: Predictor, rows: Sequence[Example]) -> Iterator[tuple[Example, Json]]:
        # Tasks that generate are selected by likelihood, as tuned models are.
        write = not self.job.task.generates
        by_id = {row.id: row for row in rows}
        questions = [Question(row.id, row.input, row.target, write=write) for row in rows]
        for prediction in predictor.answer(questions):
            yield by_id[prediction.row], {"output": prediction.output, "nats": prediction.reference_nll}

    def _score(self, prompt: Prompt, rows: Sequence[Example], found: Sequence[Json]) -> float:
        """The selection metric; of what has no value, its worst."""
        metric = self.job.selection
        outputs = [label_output(prompt, each["shares"]) if "shares" in each else each["output"] for each in found]
        statistics = metric.statistics(judged_rows(self.job, rows, outputs, [each.get("nats") for each in found]))
        valued = statistics[(statistics == statistics).all(axis=1)]
        if not len(valued):
            return float("-inf") if metric.higher_is_better else float("inf")
        return float(metric.value(valued.sum(axis=0)))

    def _key(self, digest: str, row: Example) -> str:
        return f"{digest[:16]} {row.id}"

    def _keep(self, key: str, answer: Json) -> None:
        self.known[key] = answer
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps({key: answer}, ensure_ascii=False) + "\n")
        self.progress.step()
        if self.job.should_pause():
            raise Paused(Text(en="Paused while choosing a prompt.", ko="프롬프트를 고르는 중에 멈췄습니다."))


def _asked(prompt: Prompt) -> Prompt:
    """What is computed for `prompt`: both ways of choosing by likelihood ask the same."""
    return prompt if prompt.answer == "written" else prompt.wording.model_copy(update={"answer": "likeliest"})


def _progress(job: FitJob, prompts: Sequence[Prompt], rows: int) -> Progress:
    different = len({sha256_of(_asked(prompt)) for prompt in prompts})
    what = Text(en="Trying prompts on validation rows", ko="검증 행으로 프롬프트를 비교하는 중")
    return Progress(job.emit, what, answers_needed(different, rows))


def _goodness(job: FitJob, score: float) -> float:
    return score if job.selection.higher_is_better else -score


def _place(prompts: Sequence[Prompt], prompt: Prompt) -> int:
    return next(place for place, each in enumerate(prompts) if each is prompt)
