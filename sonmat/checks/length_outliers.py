"""Inputs and targets far longer or shorter than the rest, and answers of one word among long ones. In characters."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes

_FEWEST_ROWS = 50
_FAR = 6.0
"""Robust standard deviations of the logarithm; lengths are about log-normal, of which this leaves one in 500 million."""
_FEWEST_TIMES = 4.0
"""The typical length; nothing nearer is an outlier, however alike the others are."""
_LEAST_SPREAD = 0.15
_MOST_SHARE = 0.05
"""Of the rows. More are no outliers but another sort of text, such as short talk beside explanations."""
_USUAL_WORDS = 20
"""Median words of an answer from which one of a single word is odd."""
_ONE_WORD_SHARE = 0.05
_SHOWN = 5
_BINS = 30


class LengthOutliers:
    name = "length_outliers"
    title = Text(en="Unusual lengths", ko="유난히 길거나 짧은 글")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Lengths(data) if data.kind.modality == "text" else None


class _Lengths:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.answers = not has_classes(data.kind)
        self.inputs, self.targets, self.words = array("I"), array("I"), array("H")

    def see(self, rows: Rows) -> None:
        self.inputs.extend(map(len, rows.inputs))
        if self.answers:
            self.targets.extend(map(len, rows.targets))
            self.words.extend(min(text.count(" ") + text.count("\n") + 1, 0xFFFF) for text in rows.targets)

    def findings(self) -> Iterator[Finding]:
        if len(self.inputs) < _FEWEST_ROWS:
            return
        yield from self._outliers(np.frombuffer(self.inputs, np.uint32), _INPUTS, "input")
        if self.answers:
            yield from self._outliers(np.frombuffer(self.targets, np.uint32), _TARGETS, "target")
            yield from self._single_words(np.frombuffer(self.words, np.uint16))

    def _outliers(self, lengths: NDArray[np.uint32], of: Text, role: str) -> Iterator[Finding]:
        logs = np.log(np.maximum(lengths, 1))
        middle = float(np.median(logs))
        spread = max(1.4826 * float(np.median(np.abs(logs - middle))), _LEAST_SPREAD)
        far = np.abs(logs - middle) > max(_FAR * spread, float(np.log(_FEWEST_TIMES)))
        places = np.flatnonzero(far)
        if not 0 < len(places) <= _MOST_SHARE * len(lengths):
            return
        long, typical = int((logs[places] > middle).sum()), round(float(np.exp(middle)))
        worst = places[np.argsort(-np.abs(logs[places] - middle), kind="stable")][:_SHOWN]
        counts, edges = np.histogram(logs, bins=_BINS)
        yield Finding(
            check=plugin.name,
            severity="note",
            what=Text(
                en=f"{of.en} far from the usual {typical:,} characters: {long:,} much longer, {len(places) - long:,} much shorter.",
                ko=f"보통 {typical:,}자인 {of.ko} 가운데 {long:,}개는 훨씬 길고 {len(places) - long:,}개는 훨씬 짧습니다.",
            ),
            fix=Text(
                en="Look at these rows: several records in one, or a piece of one, are the usual causes.",
                ko="이 행들을 살펴보세요. 여러 건이 한 행에 붙었거나 잘린 경우가 많습니다.",
            ),
            rows=tuple(self.data.ids[int(place)] for place in places),
            evidence=tuple(f"{int(lengths[place]):,}" for place in worst),
            data={
                "role": role,
                "median": typical,
                "counts": counts.tolist(),
                "edges": [round(float(edge), 1) for edge in np.exp(edges)],
            },
        )

    def _single_words(self, words: NDArray[np.uint16]) -> Iterator[Finding]:
        usual = float(np.median(words))
        places = np.flatnonzero(words == 1)
        if usual < _USUAL_WORDS or not 0 < len(places) < _ONE_WORD_SHARE * len(words):
            return
        yield Finding(
            check=plugin.name,
            severity="note",
            what=Text(
                en=f"{len(places):,} answers are a single word, while the usual answer has {usual:.0f}.",
                ko=f"보통 {usual:.0f}어절인 답 가운데 {len(places):,}개는 한 낱말뿐입니다.",
            ),
            fix=Text(
                en="Write these answers out, or leave the rows out; they teach the model to answer shortly now and then.",
                ko="이 답들을 온전히 쓰거나 행을 빼세요. 그대로 두면 모델이 이따금 지나치게 짧게 답합니다.",
            ),
            rows=tuple(self.data.ids[int(place)] for place in places),
            data={"role": "target", "median_words": usual},
        )


_INPUTS, _TARGETS = Text(en="Inputs", ko="입력"), Text(en="Targets", ko="정답")

plugin = LengthOutliers()
