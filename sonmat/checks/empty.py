"""Rows whose input or target says nothing: only white space or invisible characters."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Example, Finding, Json, Repair
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.rows import texts_of
from sonmat.reading.sameness import evened


class Empty:
    name = "empty"
    title = Text(en="Empty texts", ko="빈 글")

    def watch(self, data: Surroundings) -> Watch:
        return RowFaults(_empty_rows, self._finding)

    def _finding(self, found: Faults) -> Finding:
        return Finding(
            check=self.name,
            severity="blocker",
            what=Text(
                en=f"The input or target is nothing but white space in {len(found.ids):,} of {found.rows_seen:,} rows.",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행의 입력이나 정답에 공백밖에 없습니다.",
            ),
            fix=Text(
                en="Fill them in, or leave these rows out with --bad-rows drop.",
                ko="내용을 채우거나 --bad-rows drop으로 이 행들을 빼세요.",
            ),
            rows=tuple(found.ids),
            decided_by="bad_rows",
            repairs=tuple(found.repairs),
        )


def _empty_rows(rows: Rows) -> Iterator[Fault]:
    for at, example in enumerate(rows.examples):
        plain = _says_something(example.input) and _says_something(example.target)
        if not plain and _says_nothing(example):
            yield Fault(at, repair=Repair(row=example.id, drop=True))


def _says_something(value: Json) -> bool:
    """Whether it is one text that opens with a letter or digit; no is not yet an answer."""
    if len(value) != 1:
        return False
    (text,) = value.values()
    return type(text) is str and text[:1].isalnum()


def _says_nothing(example: Example) -> bool:
    return any(not evened(text) for part in (example.input, example.target) for text in texts_of(part))


plugin = Empty()
