"""Made arms for the tests of probes: functions from a question to an answer in place of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

from sonmat import plugins
from sonmat.core.probing import Probe, Seen, Setting
from sonmat.core.proof import Measure, Prediction
from sonmat.core.protocols import Predictor, Question
from sonmat.core.recipe import Recipe
from sonmat.core.text import verbatim
from sonmat.core.values import Candidate, Estimate, Example, Json, Source, Spec

_MADE_OF = (
    "amber birch cedar delta ember flint grove hazel ivory jade kelp larch maple north olive pearl quartz river slate tulip"
)
WORDS = _MADE_OF.split()
"""What made answers are made of."""
Say = Callable[[str], str]
Nats = Callable[[str, str], float]
"""From question and reference to nats."""


@dataclass(frozen=True)
class Arm(Predictor):
    say: Say
    nats: Nats | None = None

    def answer(self, questions: Sequence[Question]) -> Iterator[Prediction]:
        # Backwards: answers come in any order.
        for question in reversed(questions):
            asked = question.input["messages"][-1]["content"]
            nats = None
            if self.nats and question.reference:
                nats = self.nats(asked, question.reference["text"])
            text = self.say(asked) if question.write else ""
            yield Prediction(
                row=question.row, output={"text": text}, seconds=0.0, tokens=len(text.split()), reference_nll=nats
            )


def example(id: str, question: str, answer: str, **more: Any) -> Example:
    return Example(
        id=id,
        input={"messages": [{"role": "user", "content": question}]},
        target={"text": answer},
        source=Source(file="made.jsonl", row=1),
        **more,
    )


def setting(
    train: Sequence[Example], test: Sequence[Example], languages: tuple[str, ...] = ("en",), **recipe: Any
) -> Setting:
    return Setting(
        task=plugins.find("tasks", "chat"),
        spec=Spec(),
        languages=languages,
        train=train,
        test=test,
        seed=0,
        recipe=Recipe.model_validate({"data": ("made.jsonl",), **recipe}),
    )


def candidate(id: str = "tuned", role: Literal["floor", "base", "tuned"] = "tuned", spec: Spec | None = None) -> Candidate:
    words = verbatim("made")
    return Candidate(
        id=id,
        method="made",
        role=role,
        spec=spec or Spec(),
        # An untuned base that is asked as it is.
        learns=role == "tuned",
        reason=words,
        estimate=Estimate(peak_bytes=0, seconds=0.0, basis=words),
    )


def seen(probe: Probe, world: Setting, arm: Arm, of: Candidate | None = None) -> Seen:
    """What the proof and the probe would see of `arm`."""
    of = of or candidate()
    questions = [Question(row.id, row.input, row.target) for row in world.test]
    rows: list[Json] = list(probe.observe(world, of, arm))
    assert len({row["row"] for row in rows}) == len(rows)
    return Seen(of, {answer.row: answer for answer in arm.answer(questions)}, rows)


def measured(
    name: str, world: Setting, arm: Arm, base: Arm | None = None, of: Candidate | None = None
) -> dict[str, Measure]:
    """Measures of the probe `name` by their names."""
    probe: Probe = import_module(f"sonmat.probes.{name}").plugin
    before = seen(probe, world, base, candidate("base", "base")) if base else None
    measures = probe.measure(world, seen(probe, world, arm, of), before)
    return by_name(measures)


def by_name(measures: Sequence[Measure]) -> dict[str, Measure]:
    found: Mapping[str, Measure] = {measure.name: measure for measure in measures}
    assert len(found) == len(measures)
    return dict(found)
