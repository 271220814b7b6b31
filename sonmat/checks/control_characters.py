"""Texts with characters that nobody sees or means: control codes, zero-width and direction marks, Hangul in loose jamo (NFD)."""

from __future__ import annotations

from collections.abc import Iterator

from sonmat.checking.garbled import ungarbled
from sonmat.checking.gist import gist_of, suspects
from sonmat.checking.invisible import SUSPECT, invisible_in, visible
from sonmat.checking.mending import repair_of
from sonmat.checking.row_faults import Fault, Faults, RowFaults
from sonmat.core.text import Text
from sonmat.core.values import Finding
from sonmat.core.watching import Rows, Surroundings, Watch


class ControlCharacters:
    name = "control_characters"
    title = Text(en="Invisible characters", ko="보이지 않는 문자")

    def watch(self, data: Surroundings) -> Watch:
        return RowFaults(_faults, self._finding)

    def _finding(self, found: Faults) -> Finding:
        return Finding(
            check=self.name,
            severity="warning",
            what=Text(
                en=f"Control codes, zero-width marks or Hangul in loose jamo stand in {len(found.ids):,} of "
                f"{found.rows_seen:,} rows ({found.share:.1%}). A model takes them for something else than what is read.",
                ko=f"{found.rows_seen:,}행 가운데 {len(found.ids):,}행({found.share:.1%})에 제어 문자나 폭 없는 문자, 또는 풀어 쓴 "
                "한글(NFD)이 있습니다. 사람 눈에는 같아 보여도 모델은 다른 글자로 읽습니다.",
            ),
            fix=Text(
                en="Take them out and put the jamo together with --normalise fix.",
                ko="--normalise fix를 쓰면 이런 문자를 지우고 자모를 합칩니다.",
            ),
            rows=tuple(found.ids),
            evidence=tuple(found.evidence),
            decided_by="normalise",
            repairs=tuple(found.repairs),
        )


def _faults(rows: Rows) -> Iterator[Fault]:
    if not SUSPECT.search(gist_of(rows).characters):
        return
    for at, text in suspects(rows, SUSPECT):
        # Control codes between letters of a wrong encoding are part of these letters: see the check mojibake.
        names = invisible_in(ungarbled(text))
        if names:
            yield Fault(at, names[0], repair_of(rows.examples[at], lambda each: visible(ungarbled(each))))


plugin = ControlCharacters()
