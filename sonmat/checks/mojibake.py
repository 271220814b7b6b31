"""Texts that were read in a wrong encoding, such as 'ì•ˆë…•', 'cafÃ©' or '占쏙옙'."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking import garbled
from sonmat.checking.gist import gist_of, suspects
from sonmat.checking.mending import repair_of
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch


class Mojibake:
    name = "mojibake"
    title = Text(en="Broken encodings", ko="깨진 글자")

    def watch(self, data: Surroundings) -> Watch:
        return RowFaults(_faults, self._finding)

    def _finding(self, found: Faults) -> Finding:
        lost = len(found.ids) - len(found.repairs)
        return Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"Text was read in a wrong encoding in {len(found.ids):,} of {found.rows_seen:,} rows ({found.share:.1%}); "
                f"in {lost:,} of them letters are gone for good.",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행({found.share:.1%})의 글이 잘못된 인코딩으로 읽혀 "
                f"깨졌습니다. 그중 {lost:,}행은 되살릴 수 없는 글자가 있습니다.",
            ),
            fix=Text(
                en="Export the file again as UTF-8. What can be read back for certain, --normalise fix reads back.",
                ko="파일을 UTF-8로 다시 내보내세요. 확실히 되살릴 수 있는 글자는 --normalise fix가 되살립니다.",
            ),
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            data={"beyond_repair": lost},
            decided_by="normalise",
            repairs=tuple(found.repairs),
        )


def _faults(rows: Rows) -> Iterator[Fault]:
    pattern = garbled.suspect_pattern(gist_of(rows).characters)
    for at, text in suspects(rows, pattern) if pattern else ():
        garble = garbled.garble_in(text)
        if garble:
            shown = f"'{garble.piece}'" if garble.meant is None else f"'{garble.piece}…' ← '{garble.meant}…'"
            yield Fault(at, shown, repair_of(rows.examples[at], garbled.ungarbled))


plugin = Mojibake()
