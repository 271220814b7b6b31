"""Rows with the same input and different targets: a model can only get one of them right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from numpy.typing import NDArray

from sonmat.checking.repeats import Keys, repeated
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import has_classes, labels_of

_SHOWN = 5


class Conflicts:
    name = "conflicts"
    title = Text(en="Contradicting rows", ko="서로 어긋나는 행")

    def watch(self, data: Surroundings) -> Watch:
        return _Contradictions(data)


class _Contradictions:
    def __init__(self, data: Surroundings) -> None:
        self.data = data
        self.labelled = has_classes(data.kind)
        self.inputs, self.targets = Keys(), Keys()
        self.names: dict[int, str] = {}
        """Labels by the key of their target, to show which ones contradict."""

    def see(self, rows: Rows) -> None:
        self.inputs.extend(rows.input_keys)
        self.targets.extend(rows.target_keys)
        if self.labelled:
            for key, example in zip(rows.target_keys, rows.examples, strict=True):
                if key not in self.names:
                    self.names[key] = ", ".join(labels_of(example))

    def findings(self) -> Iterator[Finding]:
        targets = self.targets.values()
        groups = [group for group in repeated(self.inputs.values()) if len(set(targets[group].tolist())) > 1]
        if not groups:
            return
        ids = self.data.ids
        clusters = tuple(tuple(ids[position] for position in group) for group in groups)
        rows = tuple(row for cluster in clusters for row in cluster)
        yield Finding(
            check=plugin.name,
            # Free answers to one question may well differ; two labels of one text may not.
            severity="warning" if self.labelled else "note",
            what=Text(
                en=f"Inputs that occur with different targets: {len(groups):,} ({len(rows):,} rows).",
                ko=f"입력은 같은데 정답이 다른 경우가 {len(groups):,}가지 있습니다({len(rows):,}행).",
            ),
            fix=Text(
                en="Decide on one target for each; until then these rows stay together in one part of the split.",
                ko="입력마다 정답을 하나로 정하세요. 그때까지 이 행들은 분할할 때 한쪽에 함께 둡니다.",
            ),
            rows=rows,
            evidence=tuple(self._labels(targets[group]) for group in groups[:_SHOWN]) if self.labelled else (),
            clusters=clusters,
        )

    def _labels(self, targets: NDArray[Any]) -> str:
        """How often each label was given to one input."""
        counts = Counter(targets.tolist()).most_common(_SHOWN)
        return " / ".join(f"'{self.names[key]}' ({count:,})" for key, count in counts)


plugin = Conflicts()
