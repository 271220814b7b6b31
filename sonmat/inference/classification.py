"""What all classification tasks share, whatever their input: labels, losses, answers, and the prompt for a chat model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from sonmat.core.protocols import Answer, Message, RowLosses
from sonmat.core.values import Example, Json, Spec

if TYPE_CHECKING:
    import torch


class LabelTarget(BaseModel):
    """One label."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(min_length=1)


class LabelOutput(BaseModel):
    """The label that was chosen, and every label's share."""

    label: str
    """'' where a prompted model named none of the labels."""
    scores: dict[str, float] = Field(default_factory=dict)
    """Probability of every label. Where errors have costs, `label` is that of least expected cost."""


def labels_of(examples: Sequence[Example]) -> tuple[str, ...]:
    """Every label of the examples in the order of their names."""
    return tuple(sorted(Counter(example.target["label"] for example in examples)))


def label_config(spec: Spec) -> Json:
    """Keyword arguments that give a Transformers classifier its labels."""
    return {
        "num_labels": len(spec.labels),
        "id2label": dict(enumerate(spec.labels)),
        "label2id": {label: index for index, label in enumerate(spec.labels)},
    }


def losses_of(logits: torch.Tensor, labels: torch.Tensor) -> RowLosses:
    """Cross-entropy in nats of float32 `logits` (rows, labels) against int64 `labels` (rows,); one item a row."""
    import torch

    return RowLosses(
        sums=torch.nn.functional.cross_entropy(logits, labels, reduction="none"),
        items=torch.ones(len(labels), device=logits.device),
    )


def answers_of(logits: torch.Tensor, spec: Spec) -> list[Answer]:
    """The most probable label of each row of float32 `logits` (rows, labels), with every label's probability."""
    shares = logits.softmax(dim=-1).tolist()
    answers = []
    for row in shares:
        best = max(range(len(row)), key=row.__getitem__)
        answers.append(Answer({"label": spec.labels[best], "scores": scores_of(spec.labels, row)}, confidence=row[best]))
    return answers


def scores_of(labels: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    """Every label's probability, rounded to six digits that count: a share of 3e-9 is not 0, and costs and temperatures heed it."""
    return {label: float(f"{share:.6g}") for label, share in zip(labels, shares, strict=True)}


def prompt_for(input: Json, shots: Sequence[Example], spec: Spec) -> list[Message]:
    """A text and the labels to choose from, as chat messages; `shots` go before it as answered turns."""
    listed = "\n".join(f"- {label}" for label in spec.labels)
    opening = f"Classify the text. Answer with exactly one of these labels and nothing else:\n{listed}"
    messages: list[Message] = []
    for shot in shots:
        messages.append({"role": "user", "content": f"Text: {shot.input['text']}\nLabel:"})
        messages.append({"role": "assistant", "content": shot.target["label"]})
    messages.append({"role": "user", "content": f"Text: {input['text']}\nLabel:"})
    messages[0] = {"role": "user", "content": f"{opening}\n\n{messages[0]['content']}"}
    return messages


def named_label(text: str, spec: Spec) -> str:
    """The label that `text` names first, whatever its case; '' if it names none."""
    said = text.casefold()
    if said.strip() in {label.casefold() for label in spec.labels}:
        return next(label for label in spec.labels if label.casefold() == said.strip())
    found = []
    for label in spec.labels:
        # Korean puts particles and endings right behind a word: '긍정입니다' names '긍정'.
        end = r"(?![^\W가-힣])" if "가" <= label[-1] <= "힣" else r"(?!\w)"
        match = re.search(rf"(?<!\w){re.escape(label.casefold())}{end}", said)
        if match:
            # Of two labels that begin at the same place the longer one is meant.
            found.append((match.start(), -len(label), label))
    return min(found)[2] if found else ""
