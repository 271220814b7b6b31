"""Rows whose input or target says nothing: only white space or invisible characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sonmat.core.protocols import Task
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Repair
from sonmat.reading.rows import texts_of
from sonmat.reading.sameness import evened


class Empty:
    name = "empty"
    title = Text(en="Empty texts", ko="빈 글")

    def find(self, examples: Sequence[Example], task: Task) -> Iterator[Finding]:
        rows = tuple(example.id for example in examples if _says_nothing(example))
        if not rows:
            return
        yield Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"The input or target is nothing but white space in {len(rows):,} of {len(examples):,} rows.",
                ko=f"{len(examples):,}행 가운데 {len(rows):,}행의 입력이나 정답에 공백밖에 없습니다.",
            ),
            fix=Text(
                en="Fill them in, or leave these rows out with --bad-rows drop.",
                ko="내용을 채우거나 --bad-rows drop으로 이 행들을 빼세요.",
            ),
            rows=rows,
            decided_by="bad_rows",
            repairs=tuple(Repair(row=row, drop=True) for row in rows),
        )


def _says_nothing(example: Example) -> bool:
    return any(not evened(text) for part in (example.input, example.target) for text in texts_of(part))


plugin = Empty()
