"""Sounds that cannot be decoded whole: found by really decoding each one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair, Source
from sonmat.core.watching import Rows, Surroundings, Watch
from sonmat.reading.sounds import sound_problem

_SHOWN = 5


class BrokenAudio:
    name = "broken_audio"
    title = Text(en="Broken sounds", ko="깨진 소리")

    def watch(self, data: Surroundings) -> Watch | None:
        return _BrokenSounds() if data.kind.modality == "audio" else None


class _BrokenSounds:
    def __init__(self) -> None:
        self.ids: list[str] = []
        self.shown: list[tuple[Source, Text]] = []

    def see(self, rows: Rows) -> None:
        for example in rows.examples:
            problem = sound_problem(Path(example.input["audio"]))
            if problem is not None:
                self.ids.append(example.id)
                self.shown += [(example.source, problem)] * (len(self.shown) < _SHOWN)

    def findings(self) -> Iterator[Finding]:
        if not self.ids:
            return
        more = len(self.ids) - len(self.shown)
        english = "; ".join(f"{source.place.en} {problem.en}" for source, problem in self.shown)
        korean = "; ".join(f"{source.place.ko} {problem.ko}" for source, problem in self.shown)
        yield Finding(
            check=plugin.name,
            severity="blocker",
            what=Text(
                en=f"Sounds that cannot be used: {len(self.ids):,}. {english}" + (f"; and {more:,} more." if more else "."),
                ko=f"소리 {len(self.ids):,}개를 쓸 수 없습니다. {korean}" + (f"; 외 {more:,}개." if more else "."),
            ),
            fix=Text(
                en="Replace them, or leave them out with --bad-rows drop.", ko="파일을 바꾸거나 --bad-rows drop으로 빼세요."
            ),
            rows=tuple(self.ids),
            evidence=tuple(source.file for source, _ in self.shown),
            decided_by="bad_rows",
            repairs=tuple(Repair(row=row, drop=True) for row in self.ids),
        )


plugin = BrokenAudio()
