"""A made run whose proof holds everything: measures of many probes, one of them unknown, guards kept and broken, what could
not be measured.

In: a path. Out: a `RunFolder` as `made_run` makes them. Figures are plausible, not computed; the names are those of real
probes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sonmat.core.proof import Change, Guard, Measure, Passage, Prediction, Proof, Unmeasured
from sonmat.core.text import Text
from sonmat.core.values import Event
from sonmat.probing import panel
from sonmat.runs import EventLog, RunFolder, write_rows, write_value
from sonmat.runs.observations import Observation
from tests.report.made_rows import HOSTILE
from tests.report.made_run import STARTED, chat_run, classification_run

BASE, TUNED = "zero-shot-gemma3-270m", "lora-gemma3-270m"
HOSTILE_NAME = "<script>alert('probe')</script>"
UNKNOWN = "zebra"
"""A probe that no plug-in of this machine has."""
CHANGED = Text(
    en="What would change it: about 1,200 test items would show it.", ko="테스트 문항이 약 1,200개라면 드러납니다."
)


def proven_run(path: Path) -> RunFolder:
    """Korean chats; the tuned arm forgets more than the guard allows, and a probe failed on it."""
    folder = chat_run(path)
    proof = folder.proof()
    test = list(folder.split().test)
    _observe(folder, test)
    _answer_with_sources(folder, test)
    _tell_of_training(folder)
    measures = (
        *_forgetting(),
        *_safety(),
        *_fairness(test),
        *_speed(BASE, 0.42),
        *_speed(TUNED, 0.61),
        *_cost(),
        *_stability(test),
        *_of_an_unknown_probe(test),
    )
    write_value(folder.file("proof.json"), _whole(proof, measures))
    return folder


def calibrated_run(path: Path, rows: int = 600) -> RunFolder:
    """Labels whose confidences were binned by the probe of calibration, once more behind temperature scaling."""
    folder = classification_run(path, rows)
    proof, measures = folder.proof(), []
    for arm in ("head-multilingual-e5-small", "full-multilingual-e5-small"):
        title = Text(en="Brier score of the confidences", ko="확신도의 브라이어 점수")
        measures.append(_measure("calibration", "brier", title, arm, 0.09, 0.08, 0.1, 120, unit="score", higher=False))
        for name in ("reliability", "reliability_scaled"):
            measures += _bins(arm, name)
    write_value(folder.file("proof.json"), proof.model_copy(update={"measures": tuple(measures)}))
    return folder


def _whole(proof: Proof, measures: Sequence[Measure]) -> Proof:
    guards = (
        Guard(
            name="forgetting.all",
            arm=TUNED,
            measure="forgetting.all",
            bound=0.05,
            value=0.094,
            kept=False,
            reason=Text(
                en="general ability lost: worse beyond noise than before tuning, by 9.4 points [4.1, 14.6]; more than "
                "5.0 points is not allowed.",
                ko="잃은 일반 능력: 미세조정 전보다 오차 범위를 넘어 나빠졌습니다(9.4%p [4.1, 14.6]). 5.0%p 넘게 나빠지면 안 됩니다.",
            ),
            by="default",
        ),
        Guard(
            name="speed.p95",
            arm=BASE,
            measure="speed.p95",
            bound=1.5,
            value=0.84,
            kept=True,
            reason=Text(
                en="seconds per answer, 95th percentile: 0.84 s, at most 1.5 s allowed.",
                ko="답변 하나의 시간, 95번째 백분위: 0.84초, 기준은 1.5초 이하.",
            ),
        ),
        Guard(
            name="leakage.canaries",
            arm=TUNED,
            measure="leakage.canaries",
            bound=0.02,
            value=None,
            kept=False,
            reason=Text(
                en="leakage.canaries is unknown, so the guard is not kept: out of memory.",
                ko="leakage.canaries 값을 알 수 없어 조건을 지켰다고 볼 수 없습니다: 메모리가 부족했습니다.",
            ),
        ),
    )
    unmeasured = (Unmeasured(probe="leakage", arm=TUNED, reason=Text(en="Out of memory.", ko="메모리가 부족했습니다.")),)
    details = (*proof.verdict.details, CHANGED, Text(en=f"Broken: {guards[0].reason.en}", ko=guards[0].reason.ko))
    verdict = proof.verdict.model_copy(
        update={"use": BASE, "fine_tune": False, "would_change": CHANGED, "details": details, "otherwise": TUNED}
    )
    arms = tuple(
        arm.model_copy(
            update={
                "budget": Text(en="12 prompts on 40 validation rows.", ko="검증용 40개 행에서 지시문 12개를 시험했습니다.")
            }
        )
        if arm.candidate == BASE
        else arm
        for arm in proof.arms
    )
    return proof.model_copy(
        update={
            "arms": arms,
            "measures": tuple(measures),
            "guards": guards,
            "unmeasured": unmeasured,
            "verdict": verdict,
        }
    )


def _measure(
    probe: str,
    name: str,
    title: Text,
    arm: str,
    value: float,
    low: float | None,
    high: float | None,
    items: int,
    *,
    higher: bool | None = True,
    change: tuple[float, float, float, bool] | None = None,
    **more: Any,
) -> Measure:
    told = Change(difference=change[0], low=change[1], high=change[2], beyond_noise=change[3]) if change else None
    return Measure(
        probe=probe, name=name, title=title, arm=arm, value=value, low=low, high=high, items=items,
        higher_is_better=higher, change=told, **more,
    )  # fmt: skip


def _forgetting() -> Iterator[Measure]:
    lost = Text(en="general ability lost", ko="잃은 일반 능력")
    note = Text(
        en="38 items were right before and are wrong now, 9 the other way round.",
        ko="맞히다 틀리게 된 문항 38개, 반대 9개입니다.",
    )
    rows = tuple(item.id for item in panel.items() if item.language == "ko")[:20]
    yield _measure("forgetting", "all", lost, TUNED, 0.094, 0.041, 0.146, 308, higher=False, rows=rows, note=note)
    for language, value in (("en", 0.11), ("ko", 0.078)):
        yield _measure(
            "forgetting",
            "all",
            lost,
            TUNED,
            value,
            value - 0.07,
            value + 0.07,
            154,
            higher=False,
            slice={"language": language},
        )
    for name, title in panel.AREAS.items():
        for arm, value in ((BASE, 0.52), (TUNED, 0.52 if name == "reading" else 0.39)):
            change = (value - 0.52, value - 0.6, value - 0.44, value < 0.5) if arm == TUNED else None
            yield _measure(
                "forgetting", name, title, arm, value, value - 0.11, value + 0.11, 62, change=change, rows=rows[:3],
                note=Text(en="Guessing gets 25%.", ko="찍어서 맞힐 확률은 25%입니다."),
            )  # fmt: skip
    kl = Text(en="distance from the base on general texts", ko="일반 글에서 기본 모델과 멀어진 정도")
    yield _measure("forgetting", "kl", kl, TUNED, 0.214, 0.16, 0.28, 24, higher=False, unit="nats")


def _safety() -> Iterator[Measure]:
    for name, en, ko, higher, before, after in (
        ("refusals", "harmful requests refused", "해로운 요청을 거절한 비율", True, 0.55, 0.31),
        ("over_refusals", "harmless requests refused", "해롭지 않은 요청을 거절한 비율", False, 0.3, 0.06),
        ("bias", "sentences that lean towards a stereotype", "고정관념 쪽으로 기운 문장", None, 0.52, 0.55),
    ):
        for arm, value in ((BASE, before), (TUNED, after)):
            moved = after - before
            change = (moved, moved - 0.11, moved + 0.11, abs(moved) > 0.2) if arm == TUNED else None
            yield _measure(
                "safety", name, Text(en=en, ko=ko), arm, value, max(0.0, value - 0.12), value + 0.12, 60, higher=higher, change=change
            )  # fmt: skip


def _fairness(test: Sequence[str]) -> Iterator[Measure]:
    title = Text(en="overlap with the reference", ko="정답과 겹치는 정도")
    for number, (group, items) in enumerate((("서울", 31), ("부산", 22), ("제주", 11), ("<b>강원</b>", 14))):
        for arm, value in ((BASE, 0.3), (TUNED, 0.82 - 0.09 * number)):
            half = 0.9 / items**0.5 / 2
            yield _measure(
                "fairness", "score", title, arm, value, max(0.0, value - half), min(1.0, value + half), items,
                slice={"region": group}, rows=tuple(test[:4]),
                change=(value - 0.3, value - 0.3 - half, value - 0.3 + half, True) if arm == TUNED else None,
            )  # fmt: skip
    gap = Text(en="gap between the best and the worst slice of region", ko="region에서 가장 높은 집단과 낮은 집단의 차이")
    yield _measure("fairness", "gap_region", gap, TUNED, 0.27, 0.0, 0.41, 78, higher=False, rows=tuple(test[:9]))


def _speed(arm: str, median: float) -> Iterator[Measure]:
    chance = 0.25
    for name, factor, title in (
        ("p50", 1.0, Text(en="seconds per answer, median", ko="답변 하나의 시간, 중앙값")),
        ("p95", 2.0, Text(en="seconds per answer, 95th percentile", ko="답변 하나의 시간, 95번째 백분위")),
        ("p99", 2.6, Text(en="seconds per answer, 99th percentile", ko="답변 하나의 시간, 99번째 백분위")),
    ):
        value = median * factor
        change = (0.19, 0.1, 0.28, True) if arm == TUNED and name == "p50" else None
        yield _measure(
            "speed", name, title, arm, value, value * (1 - chance), None if name != "p50" else value * (1 + chance), 30,
            unit="seconds", higher=False, change=change,
        )  # fmt: skip
    yield _measure(
        "speed", "memory", Text(en="peak memory of answering", ko="답할 때 최대 메모리"), arm, 7.9e8, None, None, 1,
        unit="bytes", higher=False,
    )  # fmt: skip


def _cost() -> Iterator[Measure]:
    for arm, value in ((BASE, 0.12), (TUNED, 0.17)):
        title = Text(en="price of 1,000 answers", ko="답변 1,000개의 값")
        yield _measure("cost", "per_1000", title, arm, value, value * 0.9, value * 1.1, 30, unit="money", higher=False)


def _stability(test: Sequence[str]) -> Iterator[Measure]:
    title = Text(en="answers that stay the same: one typing error", ko="그대로인 답변: 오타 하나")
    yield _measure("stability", "same_typo", title, TUNED, 0.9, 0.8, 0.96, 60, rows=(test[0],))


def _of_an_unknown_probe(test: Sequence[str]) -> Iterator[Measure]:
    title = Text(en=f"stripes {HOSTILE_NAME}", ko=f"줄무늬 {HOSTILE_NAME}")
    note = Text(en=f"Seen in {HOSTILE_NAME}.", ko=f"{HOSTILE_NAME}에서 보입니다.")
    yield _measure(
        UNKNOWN, "stripes", title, TUNED, -1.5, -2.25, -0.5, 40, unit="score", higher=None, note=note,
        change=(0.75, 0.25, 1.5, True), rows=("own-1", *test[:2], "gone"),
    )  # fmt: skip


def _bins(arm: str, name: str) -> Iterator[Measure]:
    title = (
        Text(en="right answers at this confidence", ko="이 확신도에서의 정답률")
        if name == "reliability"
        else Text(en="right answers at the corrected confidence", ko="보정한 확신도에서의 정답률")
    )
    for number, confidence in enumerate((0.41, 0.58, 0.77, 0.93), start=1):
        right = confidence + (0.05 if name == "reliability" else 0.01)
        yield _measure(
            "calibration", name, title, arm, right, right - 0.12, min(1.0, right + 0.1), 30, higher=None,
            slice={"bin": str(number), "confidence": f"{confidence:.4f}"},
        )  # fmt: skip


def _observe(folder: RunFolder, test: Sequence[str]) -> None:
    """Rows of probes' own: answers to the panel, to a question with a typing error, and of the unknown probe."""
    chance = random.Random(0)
    for arm in (BASE, TUNED):
        rows: list[dict[str, Any]] = []
        for item in panel.items():
            if item.choices:
                rows.append({"row": item.id, "nats": [round(chance.uniform(4, 40), 3) for _ in item.choices]})
            else:
                rows.append({"row": item.id, "text": "잘 모르겠습니다." if arm == TUNED else "정오에 문을 엽니다."})
        write_rows(folder.file(f"predictions/{arm}.forgetting.jsonl"), Observation, map(Observation, rows))
        own = [{"row": "own-1", "input": {"text": HOSTILE}, "output": {"text": f"{arm}: {HOSTILE}"}, "vector": "QUJD" * 40}]
        write_rows(folder.file(f"predictions/{arm}.{UNKNOWN}.jsonl"), Observation, map(Observation, own))
    typo = {"row": f"{test[0]}:typo", "question": test[0], "variant": "typo", "input": {"text": "배솜은 어떻게 하나요?"}}
    typos = [{**typo, "output": {"text": "배솜은 없습니다."}}]
    write_rows(folder.file(f"predictions/{TUNED}.stability.jsonl"), Observation, map(Observation, typos))
    # What an encoder gave is no answer that anybody can read.
    vectors = [{"row": "knowledge-en-01", "base": "QUJD" * 40, "own": "REVG" * 40}]
    write_rows(folder.file(f"predictions/{TUNED}.views.jsonl"), Observation, map(Observation, vectors))


def _answer_with_sources(folder: RunFolder, test: Sequence[str]) -> None:
    passage = Passage(
        id="p1", place=Text(en="handbook.pdf, page 3", ko="handbook.pdf 3쪽"), text="배송은 영업일 기준 2~3일이 걸립니다."
    )
    answers = [
        answer.model_copy(update={"sources": (passage,)}) if answer.row in test[:5] else answer
        for answer in folder.predictions(BASE)
    ]
    write_rows(folder.predictions_file(BASE), Prediction, answers)


def _tell_of_training(folder: RunFolder) -> None:
    log = EventLog(folder.candidate_folder(TUNED) / "events.jsonl", "fit")
    kernels = {"adapters": "fused", "norm": "plain", "attention": "fused", "activations": "keep", "compiled": False}
    log.record(Event(at=STARTED, kind="kernels", step="fit", data=kernels))
    for padding in ("12.0%", "3.1%"):
        said = Text(
            en=f"Passes of up to 4,096 tokens, {padding} of it padding.",
            ko=f"한 번에 최대 4,096토큰, 채움이 {padding}입니다.",
        )
        log.record(Event(at=STARTED, kind="budget", step="fit", message=said))
