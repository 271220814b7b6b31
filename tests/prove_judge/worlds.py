"""Made-up arms that answer with a chosen quality, for the tests of the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from sonmat.core.proof import Prediction, Proof
from sonmat.core.protocols import Metric
from sonmat.core.text import Text, verbatim
from sonmat.core.values import Candidate, Estimate, Example, Source
from sonmat.plugins import find
from sonmat.steps.prove.judge import Evidence, judge

LABELS = ("a", "b", "c")
TITLES = {
    "floor": Text(en="commonest answer", ko="가장 흔한 답"),
    "floor-words": Text(en="words counted", ko="단어 세기"),
    "base": Text(en="base model, prompted", ko="기본 모델에 질문만"),
    "base-neighbours": Text(en="nearest training rows", ko="가장 가까운 학습 행"),
    "full": Text(en="full fine-tuning", ko="전체 미세조정"),
    "lora": Text(en="LoRA adapter", ko="LoRA 어댑터"),
}
SECONDS = {"floor": 1e-5, "base": 0.5, "tuned": 0.02}
Role = Literal["floor", "base", "tuned"]


def role_of(candidate: str) -> Role:
    return "floor" if candidate.startswith("floor") else "base" if candidate.startswith("base") else "tuned"


def examples_of(targets: Sequence[str], groups: Sequence[str] | None = None) -> list[Example]:
    return [
        Example(
            id=f"row-{place}",
            input={"text": f"question {place}"},
            target={"label": target},
            source=Source(file="data.csv", row=place + 2),
            group=groups[place] if groups else None,
        )
        for place, target in enumerate(targets)
    ]


def evidence_of(
    candidate: str, answers: Sequence[str], seconds: float | None = None, fit_seconds: float = 60.0
) -> Evidence:
    role = role_of(candidate)
    return Evidence(
        candidate=Candidate(
            id=candidate,
            method=candidate,
            role=role,
            learns=role != "base" or "neighbours" in candidate,
            reason=verbatim("made for a test"),
            estimate=Estimate(peak_bytes=1, seconds=1, basis=verbatim("none")),
        ),
        predictions=[
            Prediction(row=f"row-{place}", output={"label": answer}, seconds=0.01) for place, answer in enumerate(answers)
        ],
        seconds_per_answer=SECONDS[role] if seconds is None else seconds,
        peak_bytes=10**9,
        fit_seconds=fit_seconds if role == "tuned" else 0.0,
    )


def balanced_targets(items: int) -> list[str]:
    return [LABELS[place % len(LABELS)] for place in range(items)]


def answers_with(targets: Sequence[str], wrong: int, start: int = 0) -> list[str]:
    """The targets with `wrong` of them replaced by the next label, spread evenly beginning at `start`."""
    answers = list(targets)
    for number in range(wrong):
        place = (start + number * len(targets) // max(wrong, 1)) % len(targets)
        answers[place] = LABELS[(LABELS.index(targets[place]) + 1) % len(LABELS)]
    return answers


def random_answers(targets: Sequence[str], quality: float, generator: np.random.Generator) -> list[str]:
    return [
        target if generator.random() < quality else LABELS[(LABELS.index(target) + generator.integers(1, 3)) % 3]
        for target in targets
    ]


def proof_of(
    targets: Sequence[str],
    answers: Mapping[str, Sequence[str]],
    *,
    headline: str = "accuracy",
    groups: Sequence[str] | None = None,
    failed: Mapping[str, Text] | None = None,
) -> Proof:
    return judge(
        [evidence_of(candidate, given) for candidate, given in answers.items()],
        examples_of(targets, groups),
        metrics(headline),
        labels=LABELS,
        seed=0,
        seal="sealed",
        failed=failed,
        titles=TITLES,
    )


def metrics(headline: str = "accuracy") -> list[Metric]:
    other = "macro_f1" if headline == "accuracy" else "accuracy"
    return [find("metrics", headline), find("metrics", other)]
