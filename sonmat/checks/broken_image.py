"""Pictures that cannot be decoded whole: found by really decoding each one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Repair
from sonmat.reading.images import image_problem

_SHOWN = 5


class BrokenImage:
    name = "broken_image"
    title = Text(en="Broken pictures", ko="깨진 그림")

    def find(self, examples: Sequence[Example], task: Task) -> Iterator[Finding]:
        if task.modality != "image":
            return
        broken = [
            (example, problem)
            for example in examples
            if (problem := image_problem(Path(example.input["image"]))) is not None
        ]
        if not broken:
            return
        rows = tuple(example.id for example, _ in broken)
        shown = broken[:_SHOWN]
        more = len(broken) - len(shown)
        english = "; ".join(f"{example.source.place.en} {problem.en}" for example, problem in shown)
        korean = "; ".join(f"{example.source.place.ko} {problem.ko}" for example, problem in shown)
        yield Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"Pictures that cannot be used: {len(rows):,}. {english}" + (f"; and {more:,} more." if more else "."),
                ko=f"그림 {len(rows):,}개를 쓸 수 없습니다. {korean}" + (f"; 외 {more:,}개." if more else "."),
            ),
            fix=Text(
                en="Replace them, or leave them out with --bad-rows drop.", ko="그림을 바꾸거나 --bad-rows drop으로 빼세요."
            ),
            rows=rows,
            evidence=tuple(example.source.file for example, _ in shown),
            decided_by="bad_rows",
            repairs=tuple(Repair(row=row, drop=True) for row in rows),
        )


plugin = BrokenImage()
