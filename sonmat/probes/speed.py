"""Speed: how long an answer takes alone and in a batch, until its first word, and what the model needs of memory and disk.

In: questions of the test set, asked one at a time and then together. Out: latency (p50, p95, p99), seconds until the first token,
tokens a second, peak memory, size and load time. Times are of the machine that the proof runs on and of whatever else it did then;
each says how many questions it rests on. An arm that is asked elsewhere is not asked again, because each question may cost
money there: its answers to the test set have their times.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from sonmat.core.probing import Seen, Setting, Work
from sonmat.core.proof import Change, Measure, Unit
from sonmat.core.protocols import Predictor, Question, Yes
from sonmat.core.text import Text
from sonmat.core.values import Candidate, Json
from sonmat.probing.answers import bytes_of
from sonmat.statistics.quantiles import Quantile, median_difference, quantile_of

ALONE: Final = 30
"""Questions asked one at a time."""
FIRST: Final = 10
"""Questions of which only the first token is written."""
TOGETHER: Final = 32
"""Questions asked together, unless that would take longer than the limit."""
LIMIT_SECONDS: Final = 60.0
"""For the questions of each kind; what was not asked by then is left out, and said."""
FEWEST: Final = 5
"""Questions that are asked alone however long they take."""
TIMING_NOISE: Final = 1.25
"""Two processes on one machine differ by so much for no reason of theirs."""

_QUANTILES: Final = (
    ("p50", 0.50, Text(en="seconds per answer, median", ko="답변 하나에 걸리는 시간, 중앙값")),
    ("p95", 0.95, Text(en="seconds per answer, 95th percentile", ko="답변 하나에 걸리는 시간, 95번째 백분위수")),
    ("p99", 0.99, Text(en="seconds per answer, 99th percentile", ko="답변 하나에 걸리는 시간, 99번째 백분위수")),
)


class Speed:
    name = "speed"
    title = Text(en="Speed", ko="속도")
    measures: tuple[str, ...] = (
        "p50", "p95", "p99", "first_token", "batched", "tokens_per_second", "memory", "size", "load",
    )  # fmt: skip

    def supports(self, setting: Setting, candidate: Candidate) -> Yes:
        return Yes()

    def observe(self, setting: Setting, candidate: Candidate, predictor: Predictor) -> Iterator[Json]:
        here = not candidate.elsewhere
        if here:
            _warm_up(setting, predictor)
        alone = list(_timed(setting, predictor, "alone", ALONE if here else 0, ALONE))
        yield from alone
        if setting.task.generates:
            yield from _timed(setting, predictor, "first", FIRST if here else 0, FIRST, longest=1)
        yield _together(setting, predictor, alone) if here else {"row": "together", "seconds": None}

    def work(self, setting: Setting, candidate: Candidate) -> Work:
        first = FIRST if setting.task.generates else 0
        rows = ALONE + first + 1
        if candidate.elsewhere:
            return Work(rows)
        questions = 1 + ALONE + first + TOGETHER
        read = questions * sum(bytes_of(example.input) for example in setting.test) / max(len(setting.test), 1)
        # References say how long answers are; a token has some four bytes.
        long = sum(bytes_of(example.target) for example in setting.test) / max(len(setting.test), 1) / 4
        return Work(rows, read, questions * long if setting.task.generates else 0.0, True, 2 * LIMIT_SECONDS)

    def measure(self, setting: Setting, own: Seen, base: Seen | None) -> Sequence[Measure]:
        arm = own.candidate.id
        measures = [*_latencies(setting, own, base), *_first_token(own), *_in_batches(own)]
        if own.measured is not None and not own.candidate.elsewhere:
            cost = own.measured
            measures += [
                _single(arm, "memory", _MEMORY, float(cost.peak_bytes), "bytes"),
                _single(arm, "size", _SIZE, float(cost.model_bytes), "bytes"),
                _single(arm, "load", _LOAD, cost.load_seconds, "seconds"),
            ]
        return measures


def _warm_up(setting: Setting, predictor: Predictor) -> None:
    """The first question pays for what is set up once."""
    for _ in predictor.answer([Question("warm-up", setting.test[0].input)]):
        pass


def _timed(
    setting: Setting, predictor: Predictor, kind: str, wanted: int, rows: int, longest: int | None = None
) -> Iterator[Json]:
    """One row a question; without a time for those that were not asked."""
    start = time.perf_counter()
    for number in range(rows):
        example = setting.test[number % len(setting.test)]
        late = number >= FEWEST and time.perf_counter() - start > LIMIT_SECONDS
        seconds = None
        tokens = 0
        if number < wanted and not late:
            before = time.perf_counter()
            (answer,) = predictor.answer([Question(example.id, example.input, max_new_tokens=longest)])
            seconds, tokens = time.perf_counter() - before, answer.tokens
        yield {"row": f"{kind}-{number + 1}", "question": example.id, "seconds": seconds, "tokens": tokens}


def _together(setting: Setting, predictor: Predictor, alone: Sequence[Json]) -> Json:
    median = float(np.median([row["seconds"] for row in alone if row["seconds"] is not None]))
    count = max(2, min(TOGETHER, int(LIMIT_SECONDS / max(median, 1e-9))))
    examples = [setting.test[number % len(setting.test)] for number in range(count)]
    start = time.perf_counter()
    answers = list(predictor.answer([Question(f"{number}", each.input) for number, each in enumerate(examples)]))
    seconds = time.perf_counter() - start
    return {"row": "together", "questions": count, "seconds": seconds, "tokens": sum(each.tokens for each in answers)}


def _latencies(setting: Setting, own: Seen, base: Seen | None) -> list[Measure]:
    times = _times(own)
    note = _how_many(own, len(times))
    found = []
    for name, share, title in _QUANTILES:
        quantile = quantile_of(list(times.values()), share)
        change = _change(setting, times, _times(base)) if base is not None and name == "p50" else None
        found.append(_of_quantile(own.candidate.id, name, title, quantile, len(times), change, _limits(quantile, note)))
    return found


def _times(seen: Seen) -> dict[str, float]:
    """Seconds by question asked alone; of an arm that is asked elsewhere, those of its answers."""
    if seen.candidate.elsewhere:
        return {row: answer.seconds for row, answer in seen.answers.items()}
    rows = [row for row in seen.rows if row["row"].startswith("alone-") and row["seconds"] is not None]
    return {row["row"]: row["seconds"] for row in rows}


def _change(setting: Setting, own: dict[str, float], base: dict[str, float]) -> Change | None:
    """Of the median; beyond noise only where it is also more than two processes differ by chance."""
    both = [row for row in own if row in base]
    if len(both) < FEWEST:
        return None
    mine, theirs = [own[row] for row in both], [base[row] for row in both]
    interval = median_difference(mine, theirs, setting.seed)
    slower, faster = sorted((float(np.median(mine)), float(np.median(theirs))), reverse=True)
    apart = (interval.low > 0 or interval.high < 0) and slower > TIMING_NOISE * faster
    shown = interval if apart else interval.including(0.0)
    difference = float(np.median(mine) - np.median(theirs))
    return Change(difference=difference, low=shown.low, high=shown.high, beyond_noise=apart)


def _first_token(own: Seen) -> list[Measure]:
    times = [row["seconds"] for row in own.rows if row["row"].startswith("first-") and row["seconds"] is not None]
    if not times:
        return []
    quantile = quantile_of(times, 0.5)
    note = Text(
        en=f"Median of {len(times)} questions, each ended after one token.",
        ko=f"질문 {len(times)}개에서 토큰 하나만 쓰게 하고 잰 중앙값입니다.",
    )
    return [_of_quantile(own.candidate.id, "first_token", _FIRST_TOKEN, quantile, len(times), None, note)]


def _in_batches(own: Seen) -> list[Measure]:
    row = next((row for row in own.rows if row["row"] == "together" and row["seconds"]), None)
    if row is None:
        return []
    questions, arm = int(row["questions"]), own.candidate.id
    note = Text(
        en=f"One batch of {questions} questions, asked once; no interval can be had of it.",
        ko=f"질문 {questions}개를 한 번에 물어 한 차례 쟀습니다. 구간은 구할 수 없습니다.",
    )
    found = [_single(arm, "batched", _BATCHED, row["seconds"] / questions, "seconds", questions, note)]
    if row["tokens"]:
        rate = row["tokens"] / row["seconds"]
        tokens = _single(arm, "tokens_per_second", _RATE, rate, "tokens per second", questions, note)
        found.append(tokens.model_copy(update={"higher_is_better": True}))
    return found


def _of_quantile(
    arm: str, name: str, title: Text, quantile: Quantile, items: int, change: Change | None, note: Text
) -> Measure:
    measure = _single(arm, name, title, quantile.value, "seconds", items, note)
    return measure.model_copy(update={"low": quantile.low, "high": quantile.high, "change": change})


def _single(
    arm: str, name: str, title: Text, value: float, unit: Unit, items: int = 1, note: Text | None = None
) -> Measure:
    return Measure(
        probe=Speed.name,
        name=name,
        title=title,
        arm=arm,
        value=value,
        items=items,
        unit=unit,
        higher_is_better=False,
        note=note,
    )


def _how_many(own: Seen, asked: int) -> Text:
    if own.candidate.elsewhere:
        return Text(
            en=f"Of {asked} answers to the test set, with the way there and back.",
            ko=f"테스트 문항 {asked}개의 답변에 걸린 시간이며 통신 시간을 포함합니다.",
        )
    if asked < ALONE:
        return Text(
            en=f"Only {asked} of {ALONE} questions could be asked alone within {LIMIT_SECONDS:.0f} seconds.",
            ko=f"{LIMIT_SECONDS:.0f}초 안에 질문 {ALONE}개 가운데 {asked}개만 하나씩 물을 수 있었습니다.",
        )
    return Text(en=f"{asked} questions asked one at a time.", ko=f"질문 {asked}개를 하나씩 물었습니다.")


def _limits(quantile: Quantile, note: Text) -> Text:
    if quantile.high is not None:
        return note
    return Text(
        en=f"{note.en} Too few for an upper end of the interval.",
        ko=f"{note.ko} 구간의 위쪽 끝을 구하기에는 너무 적습니다.",
    )


_MEMORY = Text(en="peak memory of answering", ko="답할 때 최대 메모리")
_SIZE = Text(en="size on the disk", ko="디스크에서 차지하는 크기")
_LOAD = Text(en="time to load", ko="불러오는 시간")
_FIRST_TOKEN = Text(en="seconds to the first token", ko="첫 토큰까지 걸리는 시간")
_BATCHED = Text(en="seconds per answer in a batch", ko="한꺼번에 물을 때 답변 하나의 시간")
_RATE = Text(en="tokens a second in a batch", ko="한꺼번에 물을 때 초당 토큰 수")

plugin = Speed()
