"""Rows that are too long for the chosen base: what would be cut, per row, and targets that would be lost.

It speaks only where the recipe names a base, because tokens are of a base.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator

import numpy as np

from sonmat.core.errors import DataError
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.core.watching import Rows, Surroundings, Watch

_GRAVE_SHARE = 0.01
"""Of all tokens. Above it, the plan stops unless truncation is allowed."""
_SHOWN = 5
_BINS = 30


class TokenLengths:
    name = "token_lengths"
    title = Text(en="Length in tokens", ko="토큰 길이")

    def watch(self, data: Surroundings) -> Watch | None:
        return _Lengths(data) if data.encode is not None else None


class _Lengths:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.tokens, self.cuts = array("I"), array("I")
        """Of each row: tokens that fit and tokens that would be cut. A lost row has neither."""
        self.lost: list[str] = []
        self.reasons: list[Text] = []
        self.worst: list[tuple[int, int]] = []
        """Tokens cut and row of the file, the smallest first."""

    def see(self, rows: Rows) -> None:
        for example in rows.examples:
            self._measure(example)

    def _measure(self, example: Example) -> None:
        assert self.data.encode is not None
        tokens = cut = 0
        try:
            row = self.data.encode(example)
            tokens, cut = row.length, row.cut
        except DataError as error:
            self.lost.append(example.id)
            if len(self.reasons) < _SHOWN:
                place, why = example.source.place, error.what
                self.reasons.append(Text(en=f"{place.en}: {why.en}", ko=f"{place.ko}: {why.ko}"))
        self.tokens.append(tokens)
        self.cuts.append(cut)
        if cut:
            keep = heapq.heappush if len(self.worst) < _SHOWN else heapq.heappushpop
            keep(self.worst, (cut, example.source.row))

    def findings(self) -> Iterator[Finding]:
        if self.lost:
            yield self._lost_targets()
        if any(self.cuts):
            yield self._cut_rows()

    def _lost_targets(self) -> Finding:
        return Finding(
            check=plugin.name,
            severity="blocker",
            what=Text(
                en=f"Answers that do not fit into the base's longest row: {len(self.lost):,}. "
                + "; ".join(reason.en for reason in self.reasons),
                ko=f"모델이 받는 가장 긴 행에 답이 들어가지 않는 행: {len(self.lost):,}개. "
                + "; ".join(reason.ko for reason in self.reasons),
            ),
            fix=Text(
                en="Shorten these answers, raise --max-tokens (up to the base's limit), or choose a base with a longer input.",
                ko="이 답들을 줄이거나 --max-tokens를 (모델의 한도까지) 늘리거나, 더 긴 입력을 받는 모델을 고르세요.",
            ),
            rows=tuple(self.lost),
            data={"tokens": self._histogram()},
        )

    def _cut_rows(self) -> Finding:
        cuts = np.frombuffer(self.cuts, np.uint32)
        places = np.flatnonzero(cuts)
        lost, whole = int(cuts.sum()), int(cuts.sum()) + sum(self.tokens)
        share = lost / whole
        return Finding(
            check=plugin.name,
            severity="warning" if share > _GRAVE_SHARE else "note",
            what=Text(
                en=f"{len(places):,} of {len(cuts):,} rows are too long for the base: {lost:,} tokens ({share:.1%}) would be cut.",
                ko=f"{len(cuts):,}행 가운데 {len(places):,}행이 모델에 너무 길어 {lost:,}토큰({share:.1%})이 잘립니다.",
            ),
            fix=Text(
                en="Shorten or split these rows, or raise --max-tokens. Above 1 % the plan stops unless --allow-truncation is given.",
                ko="이 행들을 줄이거나 나누거나 --max-tokens를 늘리세요. 1%가 넘으면 --allow-truncation 없이는 계획에서 멈춥니다.",
            ),
            rows=tuple(self.data.ids[int(place)] for place in places),
            evidence=tuple(f"{row}: −{cut:,}" for cut, row in sorted(self.worst, reverse=True)),
            data={"cut": lost, "share": round(share, 6), "tokens": self._histogram()},
        )

    def _histogram(self) -> dict[str, list[float]]:
        """Tokens of the rows before any cut."""
        tokens = np.frombuffer(self.tokens, np.uint32) + np.frombuffer(self.cuts, np.uint32)
        counts, edges = np.histogram(tokens, bins=_BINS)
        return {"counts": counts.tolist(), "edges": [round(float(edge), 1) for edge in edges]}


plugin = TokenLengths()
