"""Whether there is something to tell apart, and enough rows of each class to learn and to measure it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sonmat.checking.classes import ClassCounts
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Surroundings, Watch
from sonmat.reading.rows import has_classes

_ROWS_FOR_EVERY_PART = 5
"""Of 70/15/15, five rows are the fewest that give validation and test one each and leave training most of them."""
_SHOWN = 10


class ClassSizes:
    name = "class_sizes"
    title = Text(en="Size of the classes", ko="클래스별 행 수")

    def watch(self, data: Surroundings) -> Watch | None:
        return ClassCounts(self._findings) if has_classes(data.kind) else None

    def _findings(self, counts: Counter[str], ids: dict[str, list[str]], rows: int) -> Iterator[Finding]:
        if not counts:
            yield self._no_class(rows)
            return
        # A label that some rows have and others have not is something to tell apart.
        if len(counts) == 1 and counts.total() == rows:
            yield self._one_class(next(iter(counts)), rows)
            return
        single = sorted(label for label, count in counts.items() if count == 1)
        if single:
            yield self._single_rows(single, ids)
        small = sorted(label for label, count in counts.items() if 1 < count < _ROWS_FOR_EVERY_PART)
        if small:
            yield self._small(small, counts, ids)

    def _no_class(self, rows: int) -> Finding:
        return Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"None of the {rows:,} rows has a label: there is nothing to learn.",
                ko=f"{rows:,}행 어디에도 라벨이 없습니다. 배울 것이 없습니다.",
            ),
            fix=Text(en="Name the column with the labels with --target.", ko="라벨이 든 열을 --target으로 지정하세요."),
        )

    def _one_class(self, label: str, rows: int) -> Finding:
        return Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"All {rows:,} rows have the label '{label}': there is nothing to tell apart.",
                ko=f"{rows:,}행 모두 라벨이 '{label}'입니다. 구별할 것이 없습니다.",
            ),
            fix=Text(
                en="Add rows of at least one other class, or name another column with --target.",
                ko="다른 클래스의 행을 하나 이상 더하거나 --target으로 다른 열을 지정하세요.",
            ),
        )

    def _single_rows(self, labels: list[str], ids: dict[str, list[str]]) -> Finding:
        return Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"Classes with a single row: {len(labels):,}. It goes to training; nothing measures whether it was learnt.",
                ko=f"행이 하나뿐인 클래스가 {len(labels)}개입니다. 그 행은 학습에만 쓰이며, 배웠는지 잴 수 없습니다.",
            ),
            fix=Text(
                en="Add rows of these classes, or merge them into others.",
                ko="이 클래스의 행을 더하거나 다른 클래스와 합치세요.",
            ),
            rows=tuple(id for label in labels for id in ids[label]),
            evidence=tuple(f"'{label}'" for label in labels[:_SHOWN]),
        )

    def _small(self, labels: list[str], counts: Counter[str], ids: dict[str, list[str]]) -> Finding:
        return Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"Classes with fewer than {_ROWS_FOR_EVERY_PART} rows, too few for every part of the split: {len(labels):,}.",
                ko=f"{len(labels)}개 클래스는 행이 {_ROWS_FOR_EVERY_PART}개보다 적어 학습, 검증, 테스트에 모두 들어갈 수 없습니다.",
            ),
            fix=Text(en="Add rows of these classes.", ko="이 클래스의 행을 더하세요."),
            rows=tuple(id for label in labels for id in ids[label]),
            evidence=tuple(f"'{label}' ({counts[label]})" for label in labels[:_SHOWN]),
        )


plugin = ClassSizes()
