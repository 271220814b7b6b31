"""Boxes that cannot be right: outside their picture, or without any area. Formats that know their boxes' pictures (COCO) say so
when they are read; this check sees the boxes of every other container."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Repair
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.boxes import box_problem
from sonmat.reading.images import image_size


class Boxes:
    name = "boxes"
    title = Text(en="Boxes that cannot be right", ko="잘못된 상자")

    def watch(self, data: Surroundings) -> Watch | None:
        return RowFaults(_wrong_boxes, self._finding) if "objects" in data.kind.Target.model_fields else None

    def _finding(self, found: Faults) -> Finding:
        return Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"{len(found.ids):,} of {found.rows_seen:,} pictures have a box outside of them or without area.",
                ko=f"그림 {found.rows_seen:,}개 가운데 {len(found.ids):,}개에 그림 밖으로 나가거나 넓이가 없는 상자가 있습니다.",
            ),
            fix=Text(
                en="Boxes are [x, y, width, height] in pixels from the top left. Mend them, or leave these rows out with "
                "--bad-rows drop.",
                ko="상자는 왼쪽 위를 기준으로 한 [x, y, 너비, 높이](픽셀)입니다. 고치거나 --bad-rows drop으로 이 행들을 빼세요.",
            ),
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            decided_by="bad_rows",
            repairs=tuple(found.repairs),
        )


def _wrong_boxes(rows: Rows) -> Iterator[Fault]:
    for at, example in enumerate(rows.examples):
        evidence = _first_wrong(example)
        if evidence is not None:
            yield Fault(at, evidence, Repair(row=example.id, drop=True))


def _first_wrong(example: Example) -> str | None:
    """The first wrong box as numbers, with the picture's file and size."""
    objects = example.target["objects"]
    if not objects:
        return None
    size = image_size(Path(example.input["image"]))
    for item in objects:
        if box_problem(item["box"], size) is not None:
            edges = ", ".join(f"{edge:g}" for edge in item["box"])
            whole = "?" if size is None else f"{size[0]}×{size[1]}"
            return f"[{edges}] in {whole}"
    return None


plugin = Boxes()
