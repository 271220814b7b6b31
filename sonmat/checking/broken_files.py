"""A watch for files that cannot be used, pictures and sounds alike: every one is really decoded.

In: rows, and a function that says what is wrong with a file. Out: one finding that stops the run, or none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair, Source
from sonmat.core.watching import Rows

_SHOWN = 5


class BrokenFiles:
    """The `Watch` of a check of media; `files` names them in a sentence ('Pictures', '그림')."""

    def __init__(self, check: str, modality: str, files: Text, problem_of: Callable[[Path], Text | None]) -> None:
        self._check, self._modality, self._files, self._problem_of = check, modality, files, problem_of
        self._ids: list[str] = []
        self._shown: list[tuple[Source, Text]] = []

    def see(self, rows: Rows) -> None:
        for example in rows.examples:
            problem = self._problem_of(Path(example.input[self._modality]))
            if problem is not None:
                self._ids.append(example.id)
                self._shown += [(example.source, problem)] * (len(self._shown) < _SHOWN)

    def findings(self) -> Iterator[Finding]:
        if not self._ids:
            return
        count, more = len(self._ids), len(self._ids) - len(self._shown)
        english = "; ".join(f"{source.place.en} {problem.en}" for source, problem in self._shown)
        korean = "; ".join(f"{source.place.ko} {problem.ko}" for source, problem in self._shown)
        yield Finding(
            check=self._check,
            severity="blocker",
            what=Text(
                en=f"{self._files.en} that cannot be used: {count:,}. {english}"
                + (f"; and {more:,} more." if more else "."),
                ko=f"{self._files.ko} {count:,}개를 쓸 수 없습니다. {korean}" + (f"; 외 {more:,}개." if more else "."),
            ),
            fix=Text(
                en="Replace them, or leave them out with --bad-rows drop.", ko="파일을 바꾸거나 --bad-rows drop으로 빼세요."
            ),
            rows=tuple(self._ids),
            evidence=tuple(source.file for source, _ in self._shown),
            decided_by="bad_rows",
            repairs=tuple(Repair(row=row, drop=True) for row in self._ids),
        )
