"""Classes of very different sizes, for which accuracy flatters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sonmat.checking.classes import ClassCounts
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Surroundings, Watch
from sonmat.reading.rows import has_classes, has_labels

_RATIO = 10
"""Largest to smallest class. From there on, always naming the large class scores above 90 % against the small one."""
_SHOWN = 10


class Imbalance:
    name = "imbalance"
    title = Text(en="Balance of the classes", ko="클래스 사이의 균형")

    def watch(self, data: Surroundings) -> Watch | None:
        if not has_classes(data.kind):
            return None
        meaning_of = _right_by_habit if has_labels(data.kind) else _share_of_rows
        return ClassCounts(lambda counts, ids, rows: self._findings(counts, meaning_of(counts, rows)))

    def _findings(self, counts: Counter[str], meaning: Text) -> Iterator[Finding]:
        if len(counts) < 2:
            return
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        (large, most), (small, fewest) = ranked[0], ranked[-1]
        if most < _RATIO * fewest:
            return
        yield Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"The largest class '{large}' has {most / fewest:.0f} times the rows of the smallest, '{small}'. {meaning.en}",
                ko=f"가장 큰 클래스 '{large}'의 행 수가 가장 작은 '{small}'의 {most / fewest:.0f}배입니다. {meaning.ko}",
            ),
            fix=Text(
                en="Look at macro-F1 and the figures of each class, and add rows of the small classes.",
                ko="정확도보다 매크로 F1과 클래스별 수치를 보고, 작은 클래스의 행을 더하세요.",
            ),
            evidence=tuple(f"'{label}' ({count:,})" for label, count in [*ranked[: _SHOWN - 1], ranked[-1]][: len(ranked)]),
        )


def _right_by_habit(counts: Counter[str], rows: int) -> Text:
    label, most = _largest(counts)
    return Text(
        en=f"Always answering '{label}' would be right in {most / rows:.0%} of the cases.",
        ko=f"늘 '{label}'(이)라고만 답해도 {most / rows:.0%}는 맞습니다.",
    )


def _share_of_rows(counts: Counter[str], rows: int) -> Text:
    """Of rows with several labels, one label alone is no whole answer."""
    label, most = _largest(counts)
    return Text(
        en=f"'{label}' stands on {most / rows:.0%} of the rows.",
        ko=f"행의 {most / rows:.0%}에 '{label}'이(가) 붙어 있습니다.",
    )


def _largest(counts: Counter[str]) -> tuple[str, int]:
    return min(counts.items(), key=lambda entry: (-entry[1], entry[0]), default=("", 0))


plugin = Imbalance()
