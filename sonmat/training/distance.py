"""How far a model in training has moved from its base: KL(base‖model) on general texts that no training sees.

In: a job, its model while that still stands where the base does, and later the same model. Out: nats per token. Only the base's 64
likeliest tokens of each position are told apart, so it is a little too small; it orders models, no more. No item of the proof's panel
is among the texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonmat.core.protocols import FitJob
from sonmat.core.values import Example, Source
from sonmat.inference.predictor import computing
from sonmat.training.general_texts import watched_texts

if TYPE_CHECKING:
    from torch import nn

    from sonmat.inference.divergence import Likeliest


class Distance:
    """From where the weights were when it was first asked."""

    def __init__(self, job: FitJob, model: nn.Module, processor: Any) -> None:
        self.job, self.model, self.rows = job, model, list[Any]()
        if job.task.generates and "messages" in job.task.Input.model_fields:
            spec = job.spec.model_copy(update={"supervise": "last"})
            self.rows = [job.task.encode(_example(text.prompt, text.text), processor, spec) for text in watched_texts()]
        self.start: list[Likeliest] = []

    def __call__(self) -> float | None:
        """Nats per token; None of models that write nothing."""
        from sonmat.inference.divergence import divergence_of_likeliest, likeliest, log_probabilities

        nats, tokens = 0.0, 0
        for place, row in enumerate(self.rows):
            with computing(self.job.device):
                found = log_probabilities(self.model, row)
                if len(self.start) == place:
                    self.start.append(likeliest(found))
                nats += float(divergence_of_likeliest(self.start[place], found).sum())
            tokens += len(found)
        return nats / tokens if tokens else None


def _example(prompt: str, text: str) -> Example:
    input = {"messages": [{"role": "user", "content": prompt}]}
    return Example(id="general", input=input, target={"text": text}, source=Source(file="", row=0))
