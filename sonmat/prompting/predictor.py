"""The predictors that ask an untuned base in words: one for labels, one for chat.

In: questions. Out: predictions. A label is read off what the model writes, each row as soon as it has ended, or off the likelihood
of every label, a group of rows at a time. Chat goes through `NeuralPredictor` with other messages, so that a reference's likelihood
behind the prompt is known as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from sonmat.core.proof import Prediction
from sonmat.core.protocols import Question, Task
from sonmat.core.values import Device, Json, Spec
from sonmat.inference.generation import generate_each
from sonmat.inference.predictor import NeuralPredictor, computing
from sonmat.prompting.label_choice import label_nats, label_tokens
from sonmat.prompting.prompt import Prompt, Shot
from sonmat.prompting.rendering import Renderer

if TYPE_CHECKING:
    from torch import nn

Nearest = Callable[[Sequence[Json], int], list[list[Shot]]]
"""For every input the training examples nearest to it, farthest first."""
AS_THE_TASK_ASKS: Final = Prompt()
SMALLEST_SHARE: Final = 1e-6
"""Mean shares are not taken below this: a label that was never likely would win by any accident."""


@dataclass(frozen=True)
class PromptedPredictor:
    """Asks for a label."""

    model: nn.Module
    tokenizer: Any
    task: Task
    spec: Spec
    device: Device
    max_new_tokens: int
    prompt: Prompt = AS_THE_TASK_ASKS
    nearest: Nearest | None = None

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        asked = [question for question in questions if question.write]
        for question in questions:
            # A label is no text whose likelihood would be comparable to that of other arms.
            if not question.write:
                yield Prediction(row=question.row, output={}, seconds=0.0)
        prompts = self.prompts_of([question.input for question in asked])
        if self.prompt.answer == "written":
            yield from self._written(asked, prompts)
        else:
            yield from self._chosen(asked, prompts)

    def prompts_of(self, inputs: Sequence[Json]) -> list[list[int]]:
        """The token ids that each input is asked with."""
        renderer = Renderer(self.task, self.spec, self.tokenizer, self.max_new_tokens)
        shots = shots_for(self.prompt, inputs, self.nearest)
        return [renderer.ids(self.prompt, input, shown) for input, shown in zip(inputs, shots, strict=True)]

    def shares_of(self, prompts: Sequence[Sequence[int]]) -> Iterator[tuple[int, dict[str, float], float]]:
        """Of each prompt its position, the share of every label in the likelihood of all, and seconds."""
        labels = label_tokens(self.spec.labels, self.tokenizer)
        for found in label_nats(self.model, prompts, labels, lambda: computing(self.device)):
            yield found.index, dict(zip(self.spec.labels, _shares(found.nats), strict=True)), found.seconds

    def _written(self, questions: Sequence[Question], prompts: Sequence[Sequence[int]]) -> Iterator[Prediction]:
        rooms = [question.max_new_tokens or self.max_new_tokens for question in questions]
        for index, answer in generate_each(
            self.model, self.tokenizer, prompts, rooms, computing=lambda: computing(self.device)
        ):
            yield Prediction(
                row=questions[index].row,
                output=self.task.parse(answer.text, self.spec),
                confidence=answer.confidence,
                seconds=answer.seconds,
                tokens=answer.tokens,
            )

    def _chosen(self, questions: Sequence[Question], prompts: Sequence[Sequence[int]]) -> Iterator[Prediction]:
        for index, shares, seconds in self.shares_of(prompts):
            output = label_output(self.prompt, shares)
            yield Prediction(
                row=questions[index].row,
                output=output,
                confidence=output["scores"][output["label"]],
                seconds=seconds,
            )


@dataclass(frozen=True)
class PromptedChat:
    """Asks for the next turn of a conversation."""

    neural: NeuralPredictor
    prompt: Prompt
    nearest: Nearest | None = None

    def loaded(self) -> NeuralPredictor:
        """The model that is asked, as it answers without this prompt."""
        return self.neural

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        spec = self.neural.spec
        renderer = Renderer(self.neural.task, spec, self.neural.processor, spec.max_new_tokens)
        shots = shots_for(self.prompt, [question.input for question in questions], self.nearest)
        changed = [
            replace(question, input=renderer.chat_input(self.prompt, question.input, shown))
            for question, shown in zip(questions, shots, strict=True)
        ]
        yield from self.neural.answer(changed)


def shots_for(prompt: Prompt, inputs: Sequence[Json], nearest: Nearest | None) -> list[tuple[Shot, ...]]:
    """What is shown before each input; the nearest examples last, where a model heeds them most."""
    if nearest is None or prompt.nearest == 0 or not inputs:
        return [prompt.shots] * len(inputs)
    return [(*prompt.shots, *found) for found in nearest(inputs, prompt.nearest)]


def label_output(prompt: Prompt, shares: Mapping[str, float]) -> Json:
    """The label that `shares` speak for as `prompt` reads them, and every label's share."""
    if prompt.answer == "calibrated":
        lifted = {label: share / max(prompt.mean_shares.get(label, 0.0), SMALLEST_SHARE) for label, share in shares.items()}
        total = sum(lifted.values())
        shares = {label: value / total for label, value in lifted.items()}
    scores = {label: round(share, 6) for label, share in shares.items()}
    return {"label": max(shares, key=lambda label: shares[label]), "scores": scores}


def mean_shares(shares: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of every label its mean share over texts; the labels of the texts are not looked at."""
    labels = shares[0] if shares else {}
    return {label: sum(each[label] for each in shares) / len(shares) for label in labels}


def answer_room(spec: Spec, tokenizer: Any, least: int) -> int:
    """Tokens that a written label may take: `least`, or more if a label is longer."""
    longest = max((len(tokenizer(label)["input_ids"]) for label in spec.labels), default=0)
    return max(least, longest + 2)


def _shares(nats: Sequence[float]) -> list[float]:
    highest = max(nats)
    odds = [math.exp(each - highest) for each in nats]
    return [each / sum(odds) for each in odds]
