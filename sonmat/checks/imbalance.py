"""Classes of very different sizes, for which accuracy flatters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sonmat.checking.classes import ClassCounts
from sonmat.core.protocols import Surroundings, Watch
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.reading.rows import has_classes

_RATIO = 10
"""Largest to smallest class. From there on, always naming the large class scores above 90 % against the small one."""
_SHOWN = 10


class Imbalance:
    name = "imbalance"
    title = Text(en="Balance of the classes", ko="분류 사이의 균형")

    def watch(self, data: Surroundings) -> Watch | None:
        return ClassCounts(self._findings) if has_classes(data.kind) else None

    def _findings(self, counts: Counter[str], ids: dict[str, list[str]], rows: int) -> Iterator[Finding]:
        if len(counts) < 2:
            return
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        (large, most), (small, fewest) = ranked[0], ranked[-1]
        if most < _RATIO * fewest:
            return
        share = most / rows
        yield Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"The largest class '{large}' has {most / fewest:.0f} times the rows of the smallest, '{small}'. "
                f"Always answering '{large}' would be right in {share:.0%} of the cases.",
                ko=f"가장 큰 분류 '{large}'의 행 수가 가장 작은 '{small}'의 {most / fewest:.0f}배입니다. "
                f"늘 '{large}'(이)라고만 답해도 {share:.0%}는 맞습니다.",
            ),
            fix=Text(
                en="Look at macro-F1 and the figures of each class, and add rows of the small classes.",
                ko="정확도보다 macro-F1과 분류별 수치를 보고, 작은 분류의 행을 더하세요.",
            ),
            evidence=tuple(f"'{label}' ({count:,})" for label, count in [*ranked[: _SHOWN - 1], ranked[-1]][: len(ranked)]),
        )


plugin = Imbalance()
