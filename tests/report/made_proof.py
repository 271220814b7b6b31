"""Made answers of candidates and the proof over them, as `prove` would leave them; a part of `made_run`.

In: test examples and how good a candidate is. Out: predictions, arms, comparisons, a verdict. Scores are computed plainly, with
normal intervals: they need to be plausible, not exact.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence

from scipy.stats import binomtest

from sonmat.core.proof import Arm, ClassScore, Comparison, Measured, Prediction, Proof, Score, Verdict
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Example
from sonmat.runs import RunFolder, write_rows, write_value
from tests.report.made_rows import CONFUSABLE

Scores = tuple[tuple[Score, ...], tuple[ClassScore, ...]]
SECONDS = {"majority": 0.00002, "zero-shot": 0.61, "head-only": 0.0121, "freeze": 0.0124, "full": 0.0123, "lora": 0.68}

_DO_NOT = Text(
    en="Do not fine-tune: it does not beat the untuned base beyond noise. Use",
    ko="미세조정하지 마세요. 미세조정하지 않은 기본 모델보다 오차 범위를 넘어 낫지 않습니다. 추천:",
)


def label_answers(test: Sequence[Example], share_right: float, seed: int) -> list[Prediction]:
    chance = random.Random(seed)
    labels = sorted({example.target["label"] for example in test})
    answers = []
    for example in test:
        label = example.target["label"]
        if chance.random() > share_right:
            others = [other for other in labels if other != label]
            likely = CONFUSABLE.get(label)
            label = likely if likely in others and chance.random() < 0.6 else chance.choice(others)
        right = label == example.target["label"]
        confidence = chance.uniform(0.6, 0.99) if right else chance.betavariate(4, 3)
        answers.append(Prediction(row=example.id, output={"label": label}, confidence=round(confidence, 4), seconds=0.011))
    return answers


def text_answers(test: Sequence[Example], share_right: float, seed: int) -> list[Prediction]:
    chance = random.Random(seed)
    answers = []
    for example in test:
        words = example.target["text"].split()
        kept = [
            word if chance.random() < share_right else chance.choice(("그리고", "음", "네네", "모르겠습니다"))
            for word in words
        ]
        text = " ".join(kept) if chance.random() > 0.08 else "잘 모르겠습니다. " * 60
        nll = (1.2 - share_right) * len(example.target["text"])
        answers.append(
            Prediction(row=example.id, output={"text": text}, seconds=0.8, tokens=len(text) // 2, reference_nll=nll)
        )
    return answers


def label_scores(test: Sequence[Example], answers: Sequence[Prediction]) -> Scores:
    pairs = [(example.target["label"], answer.output["label"]) for example, answer in zip(test, answers, strict=True)]
    classes = []
    for label in sorted({target for target, _ in pairs}):
        support = sum(target == label for target, _ in pairs)
        predicted = sum(said == label for _, said in pairs)
        both = sum(target == said == label for target, said in pairs)
        precision, recall = both / max(predicted, 1), both / max(support, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        classes.append(
            ClassScore(label=label, precision=precision, recall=recall, f1=f1, support=support, predicted=predicted)
        )
    accuracy = sum(target == said for target, said in pairs) / len(pairs)
    macro = sum(score.f1 for score in classes) / len(classes)
    return (_interval("accuracy", accuracy, len(pairs)), _interval("macro_f1", macro, len(pairs))), tuple(classes)


def text_scores(test: Sequence[Example], answers: Sequence[Prediction]) -> Scores:
    shares = []
    for example, answer in zip(test, answers, strict=True):
        words = set(example.target["text"].split())
        shares.append(len(words & set(answer.output["text"].split())) / len(words))
    mean = sum(shares) / len(shares)
    return tuple(_interval(metric, mean * factor, len(test)) for metric, factor in (("chrf", 1.0), ("token_f1", 0.9))), ()


def prove(
    folder: RunFolder,
    candidates: Sequence[Candidate],
    test: Sequence[Example],
    answers: Mapping[str, Sequence[Prediction]],
    scores_of: Callable[[Sequence[Example], Sequence[Prediction]], Scores],
    use: str,
    failed: dict[str, Text] | None = None,
) -> None:
    """Write the predictions, what they cost, and the proof; `use` is what the verdict names."""
    arms = [_arm(folder, candidate, test, answers[candidate.id], scores_of) for candidate in candidates]
    rights = {name: _rights(test, given) for name, given in answers.items()}
    comparisons = tuple(_compare(b, a, rights) for number, a in enumerate(arms) for b in arms[number + 1 :])
    best = next(arm for arm in arms if arm.candidate == use)
    proof = Proof(
        headline=best.headline.metric,
        seal="c0ffee" * 10 + "beef",
        items=len(test),
        arms=tuple(arms),
        comparisons=comparisons,
        smallest_detectable=0.035,
        verdict=_verdict(best, arms, len(test)),
        failed=failed or {},
    )
    write_value(folder.file("proof.json"), proof)


def _arm(
    folder: RunFolder,
    candidate: Candidate,
    test: Sequence[Example],
    answers: Sequence[Prediction],
    scores_of: Callable[[Sequence[Example], Sequence[Prediction]], Scores],
) -> Arm:
    seconds, peak_bytes = SECONDS[candidate.method], 790_000_000 if candidate.base else 55_000_000
    write_rows(folder.predictions_file(candidate.id), Prediction, answers)
    measured = Measured(
        candidate=candidate.id,
        seconds_per_answer=seconds,
        seconds=seconds * len(test),
        peak_bytes=peak_bytes,
        collapsed=candidate.role == "floor",
    )
    write_value(folder.predictions_file(candidate.id).with_suffix(".json"), measured)
    scores, classes = scores_of(test, answers)
    return Arm(
        candidate=candidate.id,
        method=candidate.method,
        role=candidate.role,
        base=candidate.base.name if candidate.base else None,
        scores=scores,
        seconds_per_answer=seconds,
        peak_bytes=peak_bytes,
        fit_seconds=128.4 if candidate.role == "tuned" else 0.0,
        per_class=classes,
    )


def _rights(test: Sequence[Example], answers: Sequence[Prediction]) -> list[bool]:
    return [example.target == {"label": answer.output.get("label")} for example, answer in zip(test, answers, strict=True)]


def _compare(a: Arm, b: Arm, rights: Mapping[str, Sequence[bool]]) -> Comparison:
    exact, items = a.headline.metric == "accuracy", a.headline.items
    pairs = list(zip(rights[a.candidate], rights[b.candidate], strict=True))
    only_a, only_b = sum(left > right for left, right in pairs), sum(right > left for left, right in pairs)
    difference = a.headline.value - b.headline.value
    spread = math.sqrt(max(only_a + only_b - (only_a - only_b) ** 2 / items, 1.0)) / items if exact else 0.03
    low, high = difference - 2.4 * spread, difference + 2.4 * spread
    p_value = float(binomtest(only_a, max(only_a + only_b, 1)).pvalue) if exact else None
    return Comparison(
        a=a.candidate,
        b=b.candidate,
        metric=a.headline.metric,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        adjusted_p_value=min(1.0, 3 * p_value) if p_value is not None else None,
        level=0.983,
        a_only_right=only_a if exact else None,
        b_only_right=only_b if exact else None,
        better="a" if low > 0 else "b" if high < 0 else "neither",
    )


def _verdict(best: Arm, arms: Sequence[Arm], items: int) -> Verdict:
    value = f"{100 * best.headline.value:.1f}"
    tuned = best.role == "tuned"
    advice = Text(en="Use", ko="추천:") if tuned else _DO_NOT
    sentence = Text(
        en=f"{advice.en} {best.method} "
        f"({best.candidate}): {best.headline.metric} {value} % [88.4, 96.6]; {best.seconds_per_answer} s per answer.",
        ko=f"{advice.ko} {best.method}"
        f"({best.candidate}). 점수 {value}% [88.4, 96.6]. 답변 하나에 {best.seconds_per_answer}초.",
    )
    details = (
        Text(
            en=f"With {items} test items a difference of about 3.5 points or more between arms like the best ones would be "
            "found in 80 % of cases; smaller ones usually drown in noise.",
            ko=f"테스트 문항 {items}개로는 상위 후보 사이의 차이가 약 3.5%p 이상이면 80% 확률로 알아챌 수 있고, 그보다 작으면 "
            "대개 오차에 묻힙니다.",
        ),
        Text(
            en=f"{len(arms)} arms were compared on the same items; the chance that any winner is named wrongly is at most 5 % "
            "(Holm).",
            ko=f"같은 문항에서 후보 {len(arms)}개를 비교했으며, 승자를 하나라도 잘못 꼽을 확률은 5% 이하입니다(Holm 보정).",
        ),
    )
    return Verdict(use=best.candidate, fine_tune=tuned, sentence=sentence, details=details)


def _interval(metric: str, value: float, items: int) -> Score:
    half = 1.96 * math.sqrt(max(value * (1 - value), 1e-4) / items)
    return Score(metric=metric, value=value, low=max(0.0, value - half), high=min(1.0, value + half), items=items)
