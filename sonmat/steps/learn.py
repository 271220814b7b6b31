"""Learn: what people said of the released model's answers, gathered for the next round.

In: `traffic.jsonl`, one `Review` a line, written by whoever shows answers to people. Out: `learn.json`, the counts. Turning
reviews into training rows, and the gate that a next model must pass, are built on this.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from sonmat.core.protocols import Emit
from sonmat.core.text import Text
from sonmat.core.values import Json, Learning, Value
from sonmat.runs import RunFolder, read_rows, write_value


class Review(Value):
    """One answer that a person looked at."""

    input: Json
    output: Json
    verdict: Literal["accepted", "edited", "rejected"]
    correction: Json | None = None
    """The target that the person wrote instead."""


def learn(folder: RunFolder, emit: Emit, inputs: str) -> None:
    """Count the reviews so far."""
    traffic = folder.file("traffic.jsonl")
    counts = Counter(review.verdict for review in read_rows(traffic, Review)) if traffic.exists() else Counter[str]()
    found = Learning(accepted=counts["accepted"], edited=counts["edited"], rejected=counts["rejected"])
    write_value(folder.file("learn.json"), found, inputs)
    if counts:
        emit(
            "reviews",
            Text(
                en=f"{found.edited} edited and {found.rejected} rejected answers wait to be learnt from.",
                ko=f"고친 답 {found.edited}개와 거절한 답 {found.rejected}개가 다음 학습을 기다립니다.",
            ),
        )
