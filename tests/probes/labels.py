"""A made run of text classification, and arms that are functions from a text to a label and a confidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sonmat import plugins
from sonmat.core.probing import Setting
from sonmat.core.proof import Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.core.recipe import Recipe
from sonmat.core.values import Example, Source, Spec


@dataclass(frozen=True)
class Labeller(Predictor):
    label: Callable[[str], str]
    confidence: Callable[[str], float | None] = lambda text: 0.9

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        for question in reversed(questions):
            text = question.input["text"]
            yield Prediction(
                row=question.row, output={"label": self.label(text)}, confidence=self.confidence(text), seconds=0.0
            )


def labelled(id: str, text: str, label: str, **more: Any) -> Example:
    return Example(id=id, input={"text": text}, target={"label": label}, source=Source(file="made.jsonl", row=1), **more)


def label_setting(test: Sequence[Example], train: Sequence[Example] = ()) -> Setting:
    return Setting(
        task=plugins.find("tasks", "text-classification"),
        spec=Spec(labels=("no", "yes")),
        languages=("en",),
        train=train,
        test=test,
        seed=0,
        recipe=Recipe(data=("made.jsonl",)),
    )
