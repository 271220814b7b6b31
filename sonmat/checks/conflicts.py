"""Rows with the same input and different targets: a model can only get one of them right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding
from sonmat.reading.rows import has_labels, input_key, repeated
from sonmat.reading.sameness import same_key

_SHOWN = 5


class Conflicts:
    name = "conflicts"
    title = Text(en="Contradicting rows", ko="서로 어긋나는 행")

    def find(self, examples: Sequence[Example], task: Task) -> Iterator[Finding]:
        groups = [group for group in repeated(examples, input_key) if _targets(group) > 1]
        if not groups:
            return
        rows = tuple(example.id for group in groups for example in group)
        labelled = has_labels(task)
        yield Finding(
            check=self.name,
            # Free answers to one question may well differ; two labels of one text may not.
            severity="warning" if labelled else "note",
            what=Text(
                en=f"Inputs that occur with different targets: {len(groups):,} ({len(rows):,} rows).",
                ko=f"입력은 같은데 정답이 다른 경우가 {len(groups):,}가지 있습니다({len(rows):,}행).",
            ),
            fix=Text(
                en="Decide on one target for each; until then these rows stay together in one part of the split.",
                ko="입력마다 정답을 하나로 정하세요. 그때까지 이 행들은 분할할 때 한쪽에 함께 둡니다.",
            ),
            rows=rows,
            evidence=tuple(_labels(group) for group in groups[:_SHOWN]) if labelled else (),
            clusters=tuple(tuple(example.id for example in group) for group in groups),
        )


def _targets(group: list[Example]) -> int:
    return len({same_key(example.target) for example in group})


def _labels(group: list[Example]) -> str:
    places = ", ".join(
        f"{example.source.row or example.source.file}: '{example.target['label']}'" for example in group[:_SHOWN]
    )
    return places + (" …" if len(group) > _SHOWN else "")


plugin = Conflicts()
