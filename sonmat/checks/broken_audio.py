"""Sounds that cannot be decoded whole: found by really decoding each one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.protocols import Rows, Surroundings, Watch
from sonmat.core.text import Text
from sonmat.core.values import Finding, Repair
from sonmat.reading.sounds import sound_problem


class BrokenAudio:
    name = "broken_audio"
    title = Text(en="Broken sounds", ko="깨진 소리")

    def watch(self, data: Surroundings) -> Watch | None:
        if data.kind.modality != "audio":
            return None
        look = _Look()
        return RowFaults(look.faults, look.finding)


class _Look:
    """Remembers why the first few sounds cannot be used, for the sentence that says so."""

    def __init__(self) -> None:
        self.reasons: dict[str, Text] = {}

    def faults(self, rows: Rows) -> Iterator[Fault]:
        for at, example in enumerate(rows.examples):
            problem = sound_problem(Path(example.input["audio"]))
            if problem is not None:
                self.reasons.setdefault(problem.en, problem)
                yield Fault(at, example.source.file, Repair(row=example.id, drop=True))

    def finding(self, found: Faults) -> Finding:
        reasons = list(self.reasons.values())[:3]
        english, korean = ("; ".join(reason.in_language(language) for reason in reasons) for language in ("en", "ko"))
        return Finding(
            check=plugin.name,
            severity="blocker",
            what=Text(
                en=f"{len(found.ids):,} of {found.rows_seen:,} sounds cannot be used: each {english}.",
                ko=f"소리 {found.rows_seen:,}개 가운데 {len(found.ids):,}개를 쓸 수 없습니다: {korean}.",
            ),
            fix=Text(
                en="Replace them, or leave them out with --bad-rows drop.", ko="파일을 바꾸거나 --bad-rows drop으로 빼세요."
            ),
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            decided_by="bad_rows",
            repairs=tuple(found.repairs),
        )


plugin = BrokenAudio()
